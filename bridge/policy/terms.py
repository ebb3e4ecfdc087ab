"""The support terms as numbers. Every one of them is a setting; these are the defaults."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from bridge.policy.hours import HOUR

#: A response can be promised within so many business seconds, both included.
SHORTEST_PROMISE, LONGEST_PROMISE = HOUR // 4, 2000 * HOUR


@dataclass(frozen=True, slots=True)
class Terms:
    """The numbers of the promise. Points are whole; days are calendar days unless it says hours."""

    #: "All support incidents are charged at a rate of 10 points per incident."
    price: int = 10
    #: A first decision tests validity at the ticket's creation, at most this far back.
    look_back: timedelta = timedelta(hours=72)
    #: Reminders to the requester of a held ticket, in days since the hold; then it is declined.
    hold_reminder_days: tuple[int, ...] = (1, 7, 13)
    hold_days: int = 14
    #: "a support technician will respond to your inquiry within four business hours"
    response_seconds: int = 4 * HOUR
    #: At risk: this many business seconds before the promise is broken.
    at_risk_seconds: int = HOUR
    #: "re-opened up to 90 days following original closure"
    reopen_days: int = 90
    #: What becomes of a ticket that is re-opened later than that.
    late_reopen: Literal["gate", "refuse"] = "gate"
    #: A credited point lives at least this many days from the day of credit.
    credit_days: int = 90
