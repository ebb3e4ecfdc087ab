"""Value types that the adapters, the policy and the service share. No vendor's words, no I/O.

Every instant is an aware UTC `datetime`; every ticket and user id is the vendor's id as text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Status(StrEnum):
    """A ticket's state in the helpdesk, whatever an admin calls it there."""

    OPEN = "open"
    PENDING = "pending"
    CLOSED = "closed"
    MERGED = "merged"
    REMOVED = "removed"


class Channel(StrEnum):
    """How a ticket came in."""

    EMAIL = "email"
    FORM = "form"
    PORTAL = "portal"
    PHONE = "phone"
    CHAT = "chat"
    AGENT = "agent"
    OTHER = "other"


class _Shown(StrEnum):
    """A value that a field shows."""

    @property
    def label(self) -> str:
        """How people read it, in a helpdesk's list of choices and in a terminal."""
        return self.value.replace("_", " ").replace("reopen", "re-open")


class PointsState(_Shown):
    """What agents see of an incident's points (product rule 6.1)."""

    CHARGED = "charged"
    AWAITING_POINTS = "awaiting_points"
    FREE_REOPEN = "free_reopen"
    CREDITED = "credited"
    DECLINED = "declined"
    REVIEW = "review"


class SlaState(_Shown):
    """What agents see of the first-response promise."""

    RUNNING = "running"
    AT_RISK = "at_risk"
    MET = "met"
    BREACHED = "breached"
    ENDED = "ended"
    """The ticket was closed in time without an answer, and nothing more is promised."""


@dataclass(frozen=True, slots=True)
class HttpDelivery:
    """One webhook request as it arrived: header names in lower case, the body's raw bytes."""

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a webhook says once it is verified: which ticket to look at, and a label for logs.

    `id` is the same on every retry of one delivery. Nothing else in a body is taken as fact: it is
    built at delivery time, late, and may be doubled or re-ordered.
    """

    id: str
    ticket_id: str
    event: str


@dataclass(frozen=True, slots=True)
class Customer:
    """The customer record that a ticket belongs to in its helpdesk.

    `ref` is unique within the helpdesk: `organization:2`, or `person:8` for somebody without an
    organisation. `name` is the organisation's name, but a person's address: a display name can be
    chosen by the sender of a mail and must never lead to somebody's points. `zone` (IANA),
    `country` (ISO 3166) and `subdivision` are what the helpdesk's own record says, None where it
    says nothing.
    """

    ref: str
    name: str
    zone: str | None = None
    country: str | None = None
    subdivision: str | None = None


@dataclass(frozen=True, slots=True)
class Requester:
    """The person who asked; `email` is None where the helpdesk knows none."""

    name: str
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A public answer by a human agent (never the ticket's opening text, a trigger or a bot)."""

    at: datetime
    agent: str


class Actor(StrEnum):
    """Who did something to a ticket."""

    AGENT = "agent"
    CUSTOMER = "customer"
    SYSTEM = "system"
    """The helpdesk itself: a rule, a trigger, its scheduler, what follows from another record."""
    US = "us"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the helpdesk's own history of a ticket, which nobody can edit.

    `seq` is the change's own number: it grows within a ticket, also from change to change of one
    save, and is the same at every reading. What a decision has seen is stored by it. `actor` says
    what kind of author it was, `who` which one (the vendor's user id).
    """

    seq: int
    at: datetime
    actor: Actor
    who: str


@dataclass(frozen=True, slots=True)
class StatusChange(Change):
    """Also a deletion (to `Status.REMOVED`), a restoration (from it) and the end by a merge."""

    before: Status
    after: Status


@dataclass(frozen=True, slots=True)
class CustomerChange(Change):
    """The ticket belongs to another requester; ids of people, None where none is named."""

    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class OrganizationChange(Change):
    """The ticket belongs to another organisation; ids, None for none.

    By an agent where the ticket moved; by the system where its requester did.
    """

    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class GroupChange(Change):
    """Another group works on the ticket; ids, None for none."""

    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Merge(Change):
    """The ticket was merged into another one; `into` is that one's id, None where it is not told.

    Comes beside the `StatusChange` to `Status.MERGED`.
    """

    into: str | None


@dataclass(frozen=True, slots=True)
class Message(Change):
    """Somebody wrote. `automatic`: the helpdesk marks it as a machine's."""

    public: bool
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """What the bridge shows on a ticket. A display: written from the ledger, never read as fact.

    `balance` and `charged` in points; `response_due` UTC, None while no answer is awaited;
    `next_expiry` and `free_reopen_until` are the last valid days in the account's `zone`. `summary`
    says it all in one line, in which `$balance` stands for the balance.
    """

    state: PointsState
    charged: int
    balance: int
    next_expiry: date | None = None
    response_due: datetime | None = None
    sla: SlaState | None = None
    free_reopen_until: date | None = None
    zone: str = "UTC"
    summary: str = ""

    @property
    def line(self) -> str:
        """The summary as people read it."""
        return self.summary.replace("$balance", str(self.balance))


@dataclass(frozen=True, slots=True)
class AccountFields:
    """What the bridge shows on a customer's record. A display, like `Fields`.

    `balance` in points; `next_expiry` is the last day, in the account's zone, on which those that
    expire next can be spent.
    """

    balance: int
    next_expiry: date | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket's state as one read of the helpdesk tells it.

    `close_hint` is the helpdesk's own stamp of the latest closure: a hint that the history is worth
    reading, not a fact (customers can overwrite it). `answers` are in time order. `marks` are the
    marks of notes that the bridge itself left on the ticket. `follow_up_of` is the id of the ticket
    that this one continues, where the helpdesk closes tickets for good; `closed_for_good` says that
    it takes no update of this one any more. `shown` is what our fields hold there, as the helpdesk
    has it and for its adapter alone: a display, never a fact.
    """

    id: str
    number: str
    status: Status
    created_at: datetime
    updated_at: datetime
    channel: Channel
    opened_by_agent: bool
    customer: Customer
    requester: Requester
    answers: tuple[Answer, ...] = ()
    close_hint: datetime | None = None
    marks: frozenset[str] = frozenset()
    follow_up_of: str | None = None
    closed_for_good: bool = False
    shown: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Note:
    """A text for a ticket: an internal note, or a public message to the requester.

    `mark` identifies it for ever: a retry looks for it before it writes again.
    """

    mark: str
    subject: str
    text: str
    public: bool


@dataclass(frozen=True, slots=True)
class TicketUpdate:
    """What a helpdesk is asked to write, in one call: fields, status, and at most one note.

    `pending_until` (UTC) goes with `Status.PENDING`. `repeat` says that an earlier attempt may have
    arrived, so the note must be looked for first.
    """

    ticket_id: str
    fields: Fields
    status: Status | None = None
    pending_until: datetime | None = None
    note: Note | None = None
    repeat: bool = False


class Received(StrEnum):
    """What became of a delivery that proved where it comes from. All three are a success."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
