"""What Zammad's lists of webhooks, triggers and so on have of their own. No I/O of its own.

Names in Zammad are not unique but for triggers.
"""

from collections.abc import Iterator

from bridge.adapters.provisioning import Action, Step
from bridge.adapters.resources import Item, Lists, Records
from bridge.adapters.zammad.setup.layout import TRIGGER_PREFIX


class Webhooks(Records):
    """The webhook to the bridge's receiver at `endpoint`; None: nobody has named it."""

    def __init__(self, lists: Lists, item: Item, endpoint: str | None) -> None:
        super().__init__(lists, "webhooks", "webhook", [item])
        self._endpoint = endpoint

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


class Conveniences(Records):
    """Overviews, workflows and the like: optional, and without a note, so known by name alone."""

    required = False
    note_key = ""
