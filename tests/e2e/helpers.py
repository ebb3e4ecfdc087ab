"""Short ways to say what the end-to-end tests look at."""

from datetime import timedelta
from typing import Protocol

from bridge.ledger.audit import audit
from bridge.queues import rows
from bridge.queues.rows import QueueRow
from bridge.service import reports
from bridge.service.core import Bridge
from bridge.service.purchases import Bought, buy
from tests.e2e.desks import Desk

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CARLA = "carla@acme.example"
MIKE = "mike@maple.example"


class Playing(Protocol):
    """A scene, or one helpdesk of it."""

    @property
    def bridge(self) -> Bridge: ...

    def settle(self) -> None: ...


def bought(on: Playing, account: str, points: int, reference: str = "INV-1") -> Bought:
    """Points for an account."""
    done = buy(on.bridge, account, points, reference=reference, new=True)
    on.settle()
    return done


def opened(desk: Desk, sender: str = CARLA, subject: str = "Help", name: str = "") -> int:
    """A ticket that came by mail, settled."""
    ticket = desk.mails(sender, subject, "Please.", name)
    desk.settle()
    return ticket


def on_hand(on: Playing, account: str) -> int:
    """An account's points."""
    return reports.balance(on.bridge, account).on_hand


def charges(on: Playing, account: str) -> int:
    """How many charges stand in an account's statement."""
    lines = reports.statement(on.bridge, account).entries
    return sum(line.kind == "charge" for line in lines)


def explained(desk: Desk, ticket: int) -> reports.Explanation:
    """All that the bridge knows about a ticket."""
    return reports.explain(desk.bridge, desk.name, str(ticket))


def decided(desk: Desk, *tickets: int) -> list[str]:
    """The decisions about a ticket, in order; or about several, one ticket after the other."""
    found = [explained(desk, one).decisions for one in dict.fromkeys(tickets)]
    return [decision.kind for decisions in found for decision in decisions]


def dead(on: Playing) -> list[QueueRow]:
    """The dead letters of both queues."""
    return on.bridge.db.read(lambda conn: rows.listed(conn, state=rows.DEAD))


def sound(on: Playing) -> bool:
    """Whether the ledger's audit finds nothing."""
    return on.bridge.db.read(audit) == []
