"""Records as Zammad's JSON has them: its time format, its casts, and its error answers."""

import json
from datetime import UTC, date, datetime
from secrets import token_urlsafe
from typing import Any

Record = dict[str, Any]


class ApiError(Exception):
    """An answer of Zammad's API that is not a success.

    Attributes:
        status: the HTTP status.
        body: the JSON body; `error_human` is missing where Zammad leaves it out.
    """

    def __init__(self, status: int, error: str, *, human: bool = True) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "error_human": error} if human else {"error": error}


def opaque(status: int) -> ApiError:
    """The answer that hides its cause from the caller (recordings 149, 150, 152)."""
    error = f"Error ID {token_urlsafe(6)}: Please contact your administrator."
    return ApiError(status, error, human=False)


def stamp(moment: datetime) -> str:
    """Zammad's time format: UTC with milliseconds."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def dumps(value: object) -> str:
    """JSON as Zammad writes it: no spaces, text unescaped except for `<`, `>`, `&`, U+2028/9."""
    text = json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"not a JSON value: {type(value).__name__}")


def as_moment(value: object) -> datetime | None:
    """Cast to an aware UTC instant; garbage becomes None, without an error (recording 039)."""
    if isinstance(value, datetime):
        return value
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def as_date(value: object) -> date | None:
    """Cast to a day; garbage becomes None."""
    moment = as_moment(value)
    return None if moment is None else moment.date()


def as_text(value: object) -> str:
    """A value as the history and the trigger conditions see it: "" for none, "true", "2"."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return str(value)
