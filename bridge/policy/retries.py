"""How long to wait before the next attempt, and when to stop trying. Pure."""

from datetime import timedelta

#: Waits after the first, second, ... failed attempt; the last one is used from there on.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 14400))
#: What has failed for this long is parked as a dead letter, for an admin to look at.
GIVE_UP_AFTER = timedelta(days=3)
#: A ticket that the helpdesk did not show is looked for again after this (product rule 2.5).
MISSING_FOR = timedelta(hours=24)
#: Nobody may ask us to wait longer than this.
LONGEST_RETRY_AFTER = timedelta(hours=1)


def wait_before_retry(
    attempts: int, age: timedelta, retry_after: float | None, jitter: float
) -> timedelta | None:
    """The wait after a failed attempt, or None when it is time to give up.

    Args:
        attempts: how many have been made, from 1.
        age: how long ago the work was first stored.
        retry_after: the seconds that the other side asked for; honoured when longer than ours.
        jitter: a random number in [0, 1): the wait is spread by 20 % both ways, so that many
            failures of one cause do not come back as one wave.
    """
    if age >= GIVE_UP_AFTER:
        return None
    own = WAITS[min(attempts, len(WAITS)) - 1] * (0.8 + 0.4 * jitter)
    asked = min(timedelta(seconds=retry_after or 0), LONGEST_RETRY_AFTER)
    return max(own, asked)
