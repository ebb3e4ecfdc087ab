"""What every endpoint shares: who calls, the body, answers, and both kinds of pages."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import cast
from urllib.parse import urlencode

from flask import Response, current_app, request

from bridge.sandbox.zendesk import description
from bridge.sandbox.zendesk.access import Actor, unauthenticated
from bridge.sandbox.zendesk.model import Zendesk
from bridge.sandbox.zendesk.records import ApiError, Record, dumps, refused

KEY = "zendesk_sandbox"
SUFFIX = ".json"
"""What a path may end in; the name, too, under which a request remembers whether it does."""

MOST_ROWS = 100
"""In a page of a list."""


def zendesk() -> Zendesk:
    """The helpdesk behind the request at hand."""
    return cast("Zendesk", current_app.extensions[KEY])


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    text = dumps(body)
    return Response(text, status, headers, content_type="application/json; charset=utf-8")


def created(name: str, row: Record) -> Response:
    """The answer to a POST that made a record."""
    return answer({name: row}, 201, {"Location": str(row.get("url", ""))})


def nothing() -> Response:
    """An answer without a body."""
    return Response(status=204)


def caller(right: str, resource: str = "", *, admin: bool = False) -> Actor:
    """Who calls, if that is somebody who may.

    Raises:
        ApiError: 401, or 403 as `Actor.require`.
    """
    actor = zendesk().access.authenticate(request.headers.get("Authorization"))
    if actor is None:
        raise unauthenticated()
    actor.require(right, resource, admin=admin)
    return actor


def document() -> Record:
    """The JSON object in the request.

    Raises:
        ApiError: 400, it is no JSON.
    """
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError as error:
        raise refused(400, "InvalidJSON", "The request body is not valid JSON") from error
    return body if isinstance(body, dict) else {}


def given(name: str) -> Record:
    """The record in the request; most that are not wrapped in their names say nothing at all.

    Raises:
        ApiError: 400, it is not as Zendesk describes it, or no JSON.
    """
    record = document().get(name)
    if record is None and name in description.ENVELOPES:
        raise description.wrong(name, "a hash")
    description.insist(name, description.REQUESTS.get(name, {}), record)
    return record or {}


def included() -> tuple[str, ...]:
    """The names in `include`."""
    return tuple(request.args.get("include", "").split(","))


def paged(
    name: str,
    rows: Iterable[Record],
    show: Callable[[Record], Record],
    sideloads: Callable[[list[Record]], Record] | None = None,
) -> Response:
    """A page of a list: by cursor if the request has a `page[size]`, else by number."""
    found = list(rows)
    chosen, place = _by_cursor(found) if "page[size]" in request.args else _by_number(found)
    beside = sideloads(chosen) if sideloads else {}
    return answer({name: [show(row) for row in chosen], **beside, **place})


def _by_cursor(rows: list[Record]) -> tuple[list[Record], Record]:
    size = request.args.get("page[size]", 0, int)
    if not 1 <= size <= MOST_ROWS:
        detail = f"page[size] must be between 1 and {MOST_ROWS}"
        error = {"code": "InvalidPaginationParameter", "title": "Invalid page", "detail": detail}
        raise ApiError(400, {"errors": [error]})
    ids = [str(row["id"]) for row in rows]
    after = request.args.get("page[after]")
    start = ids.index(decoded(after)) + 1 if after and decoded(after) in ids else 0
    chosen = rows[start : start + size]
    more = len(rows) > start + size
    cursor = encoded(ids[start + size - 1]) if more else None
    following = {**request.args.to_dict(), "page[after]": cursor}
    link = f"{address()}?{urlencode(following)}" if more else None
    meta = {"has_more": more, "after_cursor": cursor, "before_cursor": None}
    return chosen, {"meta": meta, "links": {"prev": None, "next": link}}


def _by_number(rows: list[Record]) -> tuple[list[Record], Record]:
    size = min(request.args.get("per_page", MOST_ROWS, int), MOST_ROWS)
    page = max(request.args.get("page", 1, int), 1)
    chosen = rows[(page - 1) * size : page * size]

    def link(number: int) -> str:
        return f"{address()}?{urlencode({**request.args.to_dict(), 'page': number})}"

    following = link(page + 1) if len(rows) > page * size else None
    previous = link(page - 1) if page > 1 else None
    return chosen, {"next_page": following, "previous_page": previous, "count": len(rows)}


def address() -> str:
    """The address of the request at hand, as it was written, without its query."""
    return request.base_url + (SUFFIX if request.environ[SUFFIX] else "")


def encoded(text: str) -> str:
    """A cursor: opaque, and it needs quoting in a URL."""
    return b64encode(f"{text},asc".encode()).decode()


def decoded(cursor: str) -> str:
    """What a cursor says; "" for one that is none."""
    try:
        return b64decode(cursor, validate=True).decode().removesuffix(",asc")
    except ValueError:
        return ""
