"""What a decision owes: points, fields, a text, a status. Part of its value; nobody adds to it.

So is what is owed as time goes by, for a reminder that is due and a clock that has turned. The
service stores all of it and decides nothing more. Texts are named, not written: their words are
templates, and what they say of the account is filled in when they are stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bridge.ticket import Status


class Text(StrEnum):
    """The texts by the names of their templates. A reply is public, anything else internal."""

    RECEIPT_ACCEPTED = "receipt_accepted"
    RECEIPT_RELEASED = "receipt_released"
    RECEIPT_REOPENED = "receipt_reopened"
    RECEIPT_REOPENED_LATE = "receipt_reopened_late"
    RECEIPT_DECLINED = "receipt_declined"
    RECEIPT_ANSWERED_UNPAID = "receipt_answered_unpaid"
    RECEIPT_MOVED = "receipt_moved"
    RECEIPT_MOVED_FREE = "receipt_moved_free"
    RECEIPT_HOLD_MOVED = "receipt_hold_moved"
    RECEIPT_REQUESTER_MOVED = "receipt_requester_moved"
    RECEIPT_MOVED_CLOSED = "receipt_moved_closed"
    REPLY_HELD = "reply_held"
    REPLY_RELEASED = "reply_released"
    REPLY_REMINDER = "reply_reminder"
    REPLY_DECLINED = "reply_declined"
    REPLY_REFUSED = "reply_refused"

    @property
    def public(self) -> bool:
        """Whether the requester reads it."""
        return self.startswith("reply_")


@dataclass(frozen=True, slots=True)
class Charge:
    """Points to be taken that were on hand at `valid_at` (UTC): all of them, or the decision falls.

    "All support incidents are charged at a rate of 10 points per incident."
    """

    points: int
    valid_at: datetime


@dataclass(frozen=True, slots=True)
class Owed:
    """What one decision owes, or several that were made together.

    `credit` is why the incident's charge goes back to its account, "" for no credit. `shows` says
    whether there is anything new to see on the ticket. `status` None leaves the ticket's as it is;
    `pending_until` (UTC) goes with `Status.PENDING`. `texts` become one note: all of them internal,
    or a single public one.
    """

    charge: Charge | None = None
    credit: str = ""
    texts: tuple[Text, ...] = ()
    status: Status | None = None
    pending_until: datetime | None = None
    shows: bool = True

    @property
    def silent(self) -> bool:
        """Whether there is nothing but fields to write: nobody is told, no status is set."""
        return self.status is None and not self.texts


#: There is nothing to see, and nobody to be told.
NOTHING = Owed(shows=False)
#: What a reminder that is due owes: "Reminders to the requester on days 1, 7, 13".
REMINDER = Owed(texts=(Text.REPLY_REMINDER,))
#: What a clock owes that is at risk or late: agents see it, and nobody is told.
CLOCK_TURNED = Owed()


def together(owed: Sequence[Owed]) -> Owed:
    """What is owed to the ticket by decisions that were made about it at one time, in order.

    One write for all of them: the last one's status, and one note. A ticket whose last word is for
    the requester gets that word alone; otherwise every receipt is kept. Points are not added up:
    they belong to each decision.
    """
    visible = [one for one in owed if one.shows]
    if not visible:
        return NOTHING
    spoken = [text for one in visible for text in one.texts]
    if spoken and spoken[-1].public:
        texts: tuple[Text, ...] = (spoken[-1],)
    else:
        texts = tuple(text for text in spoken if not text.public)
    last = visible[-1]
    return Owed(texts=texts, status=last.status, pending_until=last.pending_until)
