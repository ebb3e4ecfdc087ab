"""Short ways to say what the end-to-end tests look at."""

from datetime import timedelta
from typing import Any

from bridge.demo.scene import HELPDESK, Scene
from bridge.ledger.audit import audit
from bridge.queues import rows
from bridge.queues.rows import QueueRow
from bridge.service import reports
from bridge.service.purchases import Bought, buy

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CARLA = "carla@acme.example"
MIKE = "mike@maple.example"


def bought(scene: Scene, account: str, points: int, reference: str = "INV-1") -> Bought:
    """Points for an account."""
    done = buy(scene.bridge, account, points, reference=reference)
    scene.settle()
    return done


def opened(scene: Scene, sender: str = CARLA, subject: str = "Help") -> int:
    """A ticket that came by mail, settled."""
    ticket = scene.zammad.model.customer_mails(sender, subject, "Please.")
    scene.settle()
    return ticket


def shown(scene: Scene, ticket_id: int, name: str) -> Any:
    """What an agent sees in one of our fields, without its prefix."""
    return scene.zammad.model.ticket(ticket_id)[f"points_{name}"]


def notes(scene: Scene, ticket_id: int) -> list[dict[str, Any]]:
    """The articles that the bridge wrote on a ticket."""
    rows = scene.zammad.model.store.tables["TicketArticle"].values()
    return [
        row
        for row in rows
        if row["ticket_id"] == ticket_id and "points_bridge" in row["preferences"]
    ]


def status(scene: Scene, ticket_id: int) -> str:
    """The ticket's state in the helpdesk."""
    model = scene.zammad.model
    return str(model.store.get("TicketState", model.ticket(ticket_id)["state_id"])["name"])


def on_hand(scene: Scene, account: str) -> int:
    """An account's points."""
    return reports.balance(scene.bridge, account).on_hand


def charges(scene: Scene, account: str) -> int:
    """How many charges stand in an account's statement."""
    _, lines = reports.statement(scene.bridge, account)
    return sum(line.kind == "charge" for line in lines)


def decided(scene: Scene, ticket_id: int) -> list[str]:
    """The decisions about a ticket, in order."""
    found = reports.explain(scene.bridge, HELPDESK, str(ticket_id))
    return [decision.kind for decision in found.decisions]


def dead(scene: Scene) -> list[QueueRow]:
    """The dead letters of both queues."""
    return scene.bridge.db.read(lambda conn: rows.listed(conn, state=rows.DEAD))


def sound(scene: Scene) -> bool:
    """Whether the ledger's audit finds nothing."""
    return scene.bridge.db.read(audit) == []


def calls(scene: Scene) -> list[str]:
    """The API calls since the last look, without ids."""
    made = [f"{call.method} {call.path.rsplit('/', 1)[0]}" for call in scene.zammad.model.calls]
    scene.zammad.model.calls.clear()
    return made
