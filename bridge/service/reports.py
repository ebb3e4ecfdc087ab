"""What people ask: balances, statements, and why a ticket is as it is. Reads only."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from bridge.errors import BadRequest
from bridge.ledger import accounts, holdings, incidents, names
from bridge.ledger.accounts import Account
from bridge.ledger.holdings import LotLine, StatementLine
from bridge.ledger.incidents import PastDecision, Stored
from bridge.policy.places import AccountCalendar
from bridge.queues import rows
from bridge.queues.rows import QueueRow
from bridge.service.core import Bridge
from bridge.service.writeback import fields_of
from bridge.ticket import Fields


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account has now: points on hand, and the lots that they lie in, next expiry first.

    `expired_unbooked` are points that have expired and that nobody has booked so yet.
    `also_known_as`: by what else people may mean it. `records`: which customer records are its.
    """

    account: Account
    also_known_as: tuple[str, ...]
    records: tuple[str, ...]
    located: AccountCalendar
    on_hand: int
    expired_unbooked: int
    lots: tuple[LotLine, ...]
    held: int


@dataclass(frozen=True, slots=True)
class Statement:
    """Every booking of an account, oldest first, with the running balance. `zone` is its own."""

    account: Account
    also_known_as: tuple[str, ...]
    zone: str
    entries: list[StatementLine]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that the bridge knows about a ticket, in order."""

    helpdesk: str
    ticket_id: str
    account: Account
    incidents: tuple[Stored, ...]
    fields: Fields
    decisions: tuple[PastDecision, ...]
    clocks: tuple[dict[str, Any], ...]
    rows: tuple[QueueRow, ...]


def balance(bridge: Bridge, ref: str) -> Balance:
    """What an account has.

    Raises:
        BadRequest: no such account.
    """
    return bridge.db.read(lambda conn: _balance(conn, bridge, accounts.find(conn, ref)))


def balances(bridge: Bridge) -> list[Balance]:
    """What every account has."""
    return bridge.db.read(
        lambda conn: [_balance(conn, bridge, one) for one in accounts.all_accounts(conn)]
    )


def statement(bridge: Bridge, ref: str) -> Statement:
    """Every booking of an account.

    Raises:
        BadRequest: no such account.
    """

    def work(conn: Connection) -> Statement:
        account = accounts.find(conn, ref)
        others = accounts.other_names(conn, account)
        zone = bridge.locate(account).calendar.zone
        return Statement(account, others, zone, holdings.statement(conn, account.id, bridge.now()))

    return bridge.db.read(work)


def explain(bridge: Bridge, helpdesk: str, ticket_id: str) -> Explanation:
    """Why a ticket is as it is: every decision with the rules that it followed.

    `ticket_id` may be its number as well, and `id:` or `number:` before it says which is meant.

    Raises:
        UnknownHelpdesk: no helpdesk of that name.
        BadRequest: the bridge never decided anything about that ticket; says what it does know.
    """
    bridge.helpdesk(helpdesk)
    return bridge.db.read(lambda conn: _explain(conn, bridge, helpdesk, ticket_id))


def _balance(conn: Connection, bridge: Bridge, account: Account) -> Balance:
    now = bridge.now()
    located = bridge.locate(account)
    lots = holdings.usable_lots(conn, account.id, now)
    held = len(incidents.held(conn, account.id))
    others, points = accounts.other_names(conn, account), holdings.on_hand(conn, account.id, now)
    records = names.records(conn, account.id)
    expired = holdings.expired_unbooked(conn, account.id, now)
    return Balance(account, others, records, located, points, expired, lots, held)


def _explain(conn: Connection, bridge: Bridge, helpdesk: str, ticket_id: str) -> Explanation:
    ticket_id = _ticket_meant(conn, helpdesk, ticket_id)
    known = incidents.on_ticket(conn, helpdesk, ticket_id)
    found = rows.about(conn, helpdesk, ticket_id)
    if not known:
        raise BadRequest(_nothing_decided(helpdesk, ticket_id, found))
    fields = fields_of(conn, bridge, known[-1])
    return Explanation(
        helpdesk=helpdesk,
        ticket_id=ticket_id,
        account=accounts.by_id(conn, known[-1].account_id),
        incidents=tuple(known),
        fields=replace(fields, summary=fields.line),
        decisions=tuple(incidents.past_decisions(conn, [one.id for one in known])),
        clocks=tuple(
            dict(clock._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
            for one in known
            for clock in incidents.past_clocks(conn, one.id)
        ),
        rows=tuple(found),
    )


def _ticket_meant(conn: Connection, helpdesk: str, text: str) -> str:
    """The id of the ticket that a person means by its id or its number, which are two things."""
    kind, _, said = text.rpartition(":")
    if kind not in ("", "id", "number"):
        raise BadRequest(f"{text!r} is no ticket; write its number or its id, or id:5 or number:5")
    numbered = incidents.numbered(conn, helpdesk, said)
    if kind == "number" and not numbered:
        raise BadRequest(f"nothing was decided about a {helpdesk} ticket of the number {said}")
    if kind == "id" or not numbered:
        return said
    if kind != "number" and said not in numbered and incidents.on_ticket(conn, helpdesk, said):
        raise BadRequest(
            f"{said} is the id of one ticket and the number of another; write id:{said} or"
            f" number:{said}"
        )
    return numbered[0]


def _nothing_decided(helpdesk: str, ticket_id: str, found: list[QueueRow]) -> str:
    if not found:
        return (
            f"no delivery about {helpdesk} ticket {ticket_id} has arrived; is it the ticket's id?"
        )
    last = found[-1]
    return (
        f"nothing was decided about {helpdesk} ticket {ticket_id}; its last delivery is "
        f"{last.state}: {last.outcome or 'not handled yet'}"
    )
