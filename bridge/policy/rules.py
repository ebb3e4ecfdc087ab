"""The rules by name, so that a decision can say which of them it followed.

`explain` prints these sentences. Quoted ones are the support terms' own words.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class Rule(StrEnum):
    """A rule that a decision can rest on, with the sentence that people read."""

    IN_SERVICE = "Tickets created before the bridge was put into service are left alone."
    STILL_A_TICKET = "A ticket that was merged or removed before it was seen opens no incident."
    PRICE = '"All support incidents are charged at a rate of 10 points per incident."'
    VALIDITY = (
        "The first decision tests points at the ticket's own creation, at most 72 hours back."
    )
    ON_HAND = (
        '"A support incident must be pre-purchased and on hand before a support ticket can be'
        ' opened. The support points will be decremented when the ticket is opened."'
    )
    HELD = "A ticket without points is held: not worked, no clock, until points are bought."
    RELEASE = "Every purchase or credit releases held incidents, oldest first, up to the balance."
    HOLD_ENDS = "A held ticket is declined on day 14, without a charge."
    HELD_AGAIN = (
        "A held ticket that its customer's message opens is set back, at most three times a day,"
        " and nobody is told."
    )
    ANSWERED_UNPAID = (
        "A held ticket that an agent answers is work without points: for review, left to agents."
    )
    HOLD_CLOSED = "A held ticket that is closed before points came is declined, without a charge."
    HOURS = (
        '"Incident Support is available Monday through Friday, 9:00 - 17:00 in your local time'
        ' zone. Incident support is not available on major government holidays."'
    )
    PROMISE = '"a support technician will respond to your inquiry within four business hours"'
    CLOCK = (
        "The clock starts at the ticket's creation when points were on hand then, at the release"
        " when it was held."
    )
    FIRST_RESPONSE = "The first public answer by a human agent stops the clock."
    MERGED = "A merge is not a closure; it stops the clock."
    CLOCK_ENDS = (
        "A closure ends the clock: without an answer it was neither met nor breached if that was in"
        " time."
    )
    CLOSURE = "The free re-open is counted from the first closure, which never moves."
    REOPEN = (
        '"Once closed, a customer may request that the support incident be re-opened up to 90 days'
        ' following original closure"'
    )
    REOPEN_LATE = "Outside the 90 days a new incident is needed."
    MOVED = (
        "A charged ticket that moves to another account is credited to the old one and gated for"
        " the new one; the clock goes on if points are on hand there."
    )
    MOVED_HELD = "A hold moves with its ticket, and only the new account's points can release it."
    MOVED_CLOSED = "A ticket that moves after its closure is flagged."
    REQUESTER_MOVED = (
        "Where a person changes organisation, what was charged stays with who paid and is noted."
    )
    NEVER_CHARGED = "A ticket that was declined, and so never charged, is gated again."


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule applied: what went in, what came out. Inputs are plain values, for the record."""

    rule: Rule
    outcome: str
    inputs: dict[str, str | int] = field(default_factory=dict)


def stamp(at: datetime) -> str:
    """An instant for the record: UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
