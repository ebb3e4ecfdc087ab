"""What Zammad's lists of webhooks, triggers and so on have of their own. No I/O of its own.

Names in Zammad are not unique but for triggers.
"""

from collections.abc import Iterator

from bridge.adapters.provisioning import Action, Step
from bridge.adapters.resources import Item, Json, Lists, Records, addressed
from bridge.adapters.zammad.setup.layout import TRIGGER_PREFIX

#: What Zammad's own replies are sent to, and what keeps one from answering a held ticket.
_CUSTOMER = frozenset({"article_last_sender", "ticket_customer"})
_STATE = "ticket.points_state"


class Webhooks(Records):
    """The webhook to the bridge's receiver at `endpoint`; None: nobody has named it."""

    def __init__(self, lists: Lists, item: Item, endpoint: str | None) -> None:
        super().__init__(lists, "webhooks", "webhook", [item])
        self._endpoint = endpoint

    def judge(self, item: Item) -> Step:
        """With where it sends to."""
        return addressed(super().judge(item), self._endpoint)

    def reports(self) -> Iterator[Step]:
        """Those that somebody made by hand for the same receiver."""
        for row in self.rows():
            same = row.get("active") and row.get("endpoint") == self._endpoint
            if same and not self.is_ours(row):
                detail = "sends to the bridge as well, so it hears of everything twice"
                remedy = "delete that webhook and the triggers that use it, or make them inactive"
                yield self.report(row, detail, remedy)


class Triggers(Records):
    """Their names are unique: somebody else's with a name of ours stands in the way."""

    prefix = TRIGGER_PREFIX

    def missing(self, item: Item) -> Step:
        """Blocked by a namesake."""
        if any(self.called(row) == item.name for row in self.rows()):
            return self.step(item, Action.BLOCK, "is somebody else's", "rename or delete it")
        return super().missing(item)

    def reports(self) -> Iterator[Step]:
        """Those that answer every new ticket, and so tell also of a held one that it is seen to."""
        for row in self.rows():
            recipient = (row.get("perform") or {}).get("notification.email", {}).get("recipient")
            about = dict(_conditions(row.get("condition") or {}))
            created = "create" in _several(about.get("ticket.action", {}).get("value"))
            told = not _CUSTOMER.isdisjoint(_several(recipient))
            if row.get("active") and created and told and _STATE not in about:
                detail = "answers every new ticket, also one that is held for want of points"
                remedy = 'let it ask for the points state: docs/zammad.md, "Zammad\'s own replies"'
                yield self.report(row, detail, remedy, advice=True)


def _several(given: object) -> list[object]:
    return given if isinstance(given, list) else [given]


def _conditions(condition: Json) -> Iterator[tuple[str, Json]]:
    """The attributes of a condition, in either of its forms, with what is said of each."""
    if "name" in condition:
        yield str(condition["name"]), condition
    elif isinstance(inner := condition.get("conditions"), list):
        for one in inner:
            yield from _conditions(one)
    else:
        yield from condition.items()


class Conveniences(Records):
    """Overviews, workflows and the like: optional, and without a note, so known by name alone."""

    required = False
    note_key = ""
