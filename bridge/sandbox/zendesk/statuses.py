"""Custom statuses: a ticket has one always, and its `status` is the category of that one."""

from collections.abc import Mapping

from bridge.sandbox.zendesk.records import Record, invalid
from bridge.sandbox.zendesk.store import Store

CATEGORIES = ("new", "open", "pending", "hold", "solved")
"""A closed ticket keeps the custom status that it was solved with."""


class Statuses:
    """The account's custom statuses: a default one of each category, and what admins add."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows = store.tables["custom_statuses"]
        self._defaults = {
            category: self.add(category.capitalize(), category, default=True)
            for category in CATEGORIES
        }

    def add(self, label: str, category: str, *, default: bool = False) -> int:
        """An admin adds one. Returns its id."""
        labels = dict.fromkeys(("agent_label", "raw_agent_label", "end_user_label"), label)
        fields = {"status_category": category, "active": True, "default": default, **labels}
        return int(self._store.insert("custom_statuses", fields)["id"])

    def wanted(self, wanted: Record) -> Record:
        """The change with the category of the custom status that it names, which has the last word.

        Raises:
            ApiError: 422, there is no such custom status.
        """
        status_id = wanted.get("custom_status_id")
        if status_id is None:
            return {name: value for name, value in wanted.items() if name != "custom_status_id"}
        if status_id not in self._rows:
            raise invalid("custom_status_id", "Custom status: is invalid", "InvalidValue")
        return wanted | {"status": self._rows[status_id]["status_category"]}

    def with_custom_status(self, before: Mapping[str, object], after: Record) -> Record:
        """The change with the custom status that follows from it: the default of its category.

        One that is of the category already stays.
        """
        status_id = after.get("custom_status_id", before.get("custom_status_id"))
        category = self._rows.get(status_id, {}).get("status_category")
        fits = after["status"] in {category, "closed"} and category is not None
        if fits:
            return after | {"custom_status_id": status_id}
        category = "solved" if after["status"] == "closed" else after["status"]
        return after | {"custom_status_id": self._defaults[category]}
