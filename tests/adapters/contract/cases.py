"""What the contract's tests write, and what they do with an adapter."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

from bridge.adapters.base import Adapter
from bridge.ticket import AccountFields, Fields, Note, PointsState, SlaState, TicketUpdate

SECRET = "canary-secret-0123456789"
TOKEN = "canary-token-9876543210"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

FIELDS = Fields(
    state=PointsState.CHARGED,
    charged=10,
    balance=90,
    next_expiry=date(2027, 11, 22),
    response_due=NOW + timedelta(hours=1, seconds=7),
    sla=SlaState.RUNNING,
    free_reopen_until=None,
    zone="Europe/Berlin",
    summary="charged 10 · $balance left",
)
ACCOUNT = AccountFields(balance=90, next_expiry=date(2027, 11, 22))
RECEIPT = Note(mark="receipt:1", subject="Points", text="10 points were charged.", public=False)
MESSAGE = Note(mark="held:1", subject="Points", text="Please buy points.", public=True)

Operation = Callable[[Adapter, str], object]
OPERATIONS: Mapping[str, Operation] = {
    "fetch": lambda adapter, ticket_id: adapter.fetch(ticket_id),
    "history": lambda adapter, ticket_id: adapter.history(ticket_id),
    "write": lambda adapter, ticket_id: adapter.write(TicketUpdate(ticket_id, FIELDS)),
}
CALLS: Mapping[str, Operation] = {
    **OPERATIONS,
    "show account": lambda adapter, _id: adapter.show_account("organization:2", ACCOUNT),
}
