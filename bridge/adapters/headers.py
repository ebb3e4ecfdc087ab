"""What an answer's headers tell: when it was given, how long to wait, and by what."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bridge.policy.retries import LONGEST_RETRY_AFTER

_LONGEST_NAME = 40
_LONGEST_WAIT = LONGEST_RETRY_AFTER.total_seconds()


def answered_by(headers: Mapping[str, str]) -> str:
    """What answered, by its own headers: short, and fit for a log."""
    told = (headers.get("Server", "").split("/")[0], headers.get("Content-Type", "").split(";")[0])
    printable = ("".join(filter(str.isprintable, one)).strip()[:_LONGEST_NAME] for one in told)
    return ", ".join(filter(None, printable)) or "by something that tells no name"


def retry_after_in(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from Retry-After in either form of RFC 9110; at most `LONGEST_RETRY_AFTER`.

    A date is counted from the answer's own Date, so that clocks need not agree. None where the
    server named nothing usable.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdecimal():
        return min(float(value[:12]), _LONGEST_WAIT)
    until, now = http_date(value), http_date(headers.get("Date", ""))
    return min(max((until - now).total_seconds(), 0), _LONGEST_WAIT) if until and now else None


def http_date(text: str) -> datetime | None:
    """A date as headers have it (RFC 9110), in UTC; None where it is none."""
    try:
        return parsedate_to_datetime(text).replace(tzinfo=UTC)
    except ValueError:
        return None
