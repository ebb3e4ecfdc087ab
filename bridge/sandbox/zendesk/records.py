"""Records as Zendesk's JSON has them: time format, ids of webhooks, and the error answers."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

Record = dict[str, Any]

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class ApiError(Exception):
    """An answer of Zendesk's API that is not a success.

    Attributes:
        status: the HTTP status.
        body: the JSON body. Its `error` is a text, or an object, or missing: there is no one shape.
        headers: headers of their own that the answer has.
    """

    def __init__(self, status: int, body: Record, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        super().__init__(f"{status}: {json.dumps(body)}")
        self.status = status
        self.body = body
        self.headers = headers


def refused(status: int, error: str, description: str) -> ApiError:
    """The usual shape: a code and a sentence."""
    return ApiError(status, {"error": error, "description": description})


def not_found() -> ApiError:
    """No such record (recorded for tickets, fields, triggers and views alike)."""
    return refused(404, "RecordNotFound", "Not found")


def invalid(field: str, description: str, error: str | None = None) -> ApiError:
    """A record that Zendesk will not save; `field` is `base` for the record as a whole."""
    detail = {"description": description} | ({"error": error} if error else {})
    body = {"error": "RecordInvalid", "description": "Record validation errors"}
    return ApiError(422, {**body, "details": {field: [detail]}})


def forbidden() -> ApiError:
    """What a role may not do."""
    message = "You do not have access to this page. Please contact the account owner of this help "
    error = {"title": "Forbidden", "message": message + "desk for further help."}
    return ApiError(403, {"error": error})


def stamp(moment: datetime) -> str:
    """Zendesk's time format: UTC, whole seconds."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def dumps(value: object, *, pretty: bool = False) -> str:
    """JSON as the API writes it; `pretty` as the body of an event webhook is written."""
    if pretty:
        text = json.dumps(value, default=_plain, ensure_ascii=False, indent=3, sort_keys=True)
        return text + "\n"
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return stamp(value)
    raise TypeError(f"not a JSON value: {type(value).__name__}")


def as_moment(value: object) -> datetime | None:
    """An aware UTC instant, or None for what is none."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def as_id(value: object) -> int | None:
    """An id, which a request may give as a number or as text."""
    return int(str(value)) if str(value).isdecimal() else None


def ulid(moment: datetime, serial: int) -> str:
    """An id as webhooks, invocations and attempts have it: time first, then what makes it unique.

    Args:
        moment: its first ten characters.
        serial: its last sixteen; a real one is random there.
    """
    number = (int(moment.timestamp() * 1000) << 80) | serial
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -5, -5))
