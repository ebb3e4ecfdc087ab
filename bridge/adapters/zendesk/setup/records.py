"""What Zendesk's lists of webhooks, triggers and views have of their own. No I/O of its own.

Titles in Zendesk are not unique.
"""

from collections.abc import Callable, Iterator, Sequence

from bridge.adapters.provisioning import Step
from bridge.adapters.resources import Item, Json, Lists, Records, addressed
from bridge.adapters.zendesk.setup.layout import (
    HOOKS,
    TRIGGER_PREFIX,
    Hook,
    by_triggers,
    fires_on_ours,
    mails_agents,
)
from bridge.errors import HelpdeskRefused


class Triggers(Records):
    """All with our prefix, those of an earlier version among them."""

    name_key = "title"
    note_key = "description"
    prefix = TRIGGER_PREFIX

    def __init__(
        self,
        lists: Lists,
        path: str,
        kind: str,
        items: Sequence[Item],
        bridge_id: Callable[[], int | None] = lambda: None,
    ) -> None:
        super().__init__(lists, path, kind, items)
        self._bridge_id = bridge_id

    def foreign(self, row: Json) -> bool:
        """Whether somebody made by hand what looks like ours."""
        return self.has_our_name(row) and not self.is_ours(row)

    def reports(self) -> Iterator[Step]:
        """What may tell the bridge of everything a second time, or agents of its own updates."""
        for row in filter(self.foreign, self.rows()):
            told = "was not made by this command: the bridge may hear of everything twice"
            yield self.report(row, told, "delete it, or make it inactive")
        for row in filter(mails_agents, self.rows()):
            if fires_on_ours(row, self._bridge_id()):
                told = "may mail agents about each update of the bridge"
                remedy = f"add the condition that the current user is not {self._bridge_id()}"
                yield self.report(row, told, f"{remedy}, the bridge's agent")


class Webhooks(Triggers):
    """Both webhooks to the bridge's receiver at `endpoint`; None: nobody has named it."""

    name_key = "name"
    prefix = ""

    def __init__(self, lists: Lists, items: Sequence[Item], endpoint: str | None) -> None:
        super().__init__(lists, "webhooks", "webhook", items)
        self._endpoint = endpoint

    def found(self, item: Item) -> list[Json]:
        """Of the right kind, which cannot change; first the one that goes where it is to go."""
        for_triggers = HOOKS[item.name].takes_triggers
        found = (row for row in super().found(item) if by_triggers(row) is for_triggers)
        return sorted(found, key=lambda row: row.get("endpoint") != self._endpoint)

    def judge(self, item: Item) -> Step:
        """With where it sends to."""
        return addressed(super().judge(item), self._endpoint)

    def of(self, hook: Hook) -> Json | None:
        """The one that is that webhook, if it is there."""
        (item,) = [item for item in self.items if item.name == hook.name]
        return next(iter(self.found(item)), None)

    def create(self, item: Item, body: Json) -> Json:
        """Made for an address that somebody must have named."""
        if self._endpoint is None:
            raise HelpdeskRefused("nobody said where the bridge is: set listen.public_url")
        return super().create(item, body)

    def foreign(self, row: Json) -> bool:
        """Also one that goes where ours go, whatever its name is."""
        goes_to_us = self._endpoint is not None and row.get("endpoint") == self._endpoint
        return (goes_to_us or self.has_our_name(row)) and not self.is_ours(row)


class Views(Records):
    """A convenience for agents."""

    required = False
    name_key = "title"
    note_key = "description"

    def create(self, item: Item, body: Json) -> Json:
        """Sent in another form than it is shown in."""
        return super().create(item, _as_sent(body))

    def update(self, row: Json, body: Json) -> Json:
        """Sent in another form than it is shown in."""
        return super().update(row, _as_sent(body))


def _as_sent(body: Json) -> Json:
    """A view's conditions are sent beside the rest, but shown in an object of their own."""
    rest = {key: value for key, value in body.items() if key != "conditions"}
    return {**rest, **body["conditions"]}
