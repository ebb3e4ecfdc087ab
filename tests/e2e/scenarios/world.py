"""What a scenario happens in: one helpdesk and the bridge beside it, with people and tickets."""

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from bridge.service.purchases import buy
from tests.e2e.conftest import Opens
from tests.e2e.desks import Desk, Note
from tests.e2e.helpers import dead, decided, sound


@dataclass
class World:
    """People are called by their first names, tickets by their subjects.

    Nothing is running before the first customer comes, so that a scenario may say before how the
    helpdesk is configured.
    """

    kind: type[Desk]
    opens: Opens
    stack: ExitStack
    lines: list[str] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)
    tickets: dict[str, int] = field(default_factory=dict)
    purchases: int = 0

    @cached_property
    def desk(self) -> Desk:
        """The helpdesk, set up by our own set-up."""
        table = "".join([self.kind.stand.table, *(f"{line}\n" for line in self.lines)])
        scene = self.stack.enter_context(self.opens(replace(self.kind.stand, table=table)))
        return self.kind(scene)

    def buys(
        self, account: str, points: int, *, reference: str = "", on: date | None = None
    ) -> None:
        """Points for an account, under a reference of their own where none is given."""
        self.purchases += 1
        reference = reference or f"INV-{self.purchases:03}"
        buy(self.desk.bridge, account, points, reference=reference, on=on, new=True)
        self.desk.settle()

    def notes(self, subject: str, person: str | None = None) -> list[Note]:
        """What the bridge wrote on a ticket: to agents, or to a person."""
        notes = self.desk.notes(self.tickets[subject])
        if person is None:
            return [note for note in notes if note.internal]
        return [note for note in notes if note.to == self.addresses[person]]

    def shown(self, subject: str, name: str) -> object:
        """What an agent sees in one of our fields."""
        return self.desk.shown(self.tickets[subject], name)

    def decisions(self, subject: str) -> list[str]:
        """The decisions about a ticket, in their order."""
        return decided(self.desk, self.tickets[subject])

    @property
    def is_sound(self) -> bool:
        """Whether the ledger's sums agree and nothing is stuck."""
        return sound(self.desk) and dead(self.desk) == []
