"""What every endpoint shares: who calls, the body, answers and pages."""

import json
from typing import cast

from flask import Response, current_app, request

from bridge.sandbox.zammad.access import Actor
from bridge.sandbox.zammad.model import Zammad
from bridge.sandbox.zammad.records import Record, dumps, opaque

KEY = "zammad_sandbox"


def zammad() -> Zammad:
    """The helpdesk behind the request at hand."""
    return cast("Zammad", current_app.extensions[KEY])


def answer(body: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(dumps(body), status, content_type="application/json; charset=utf-8")


def caller(*permissions: str) -> Actor:
    """Who calls, if that is somebody with these permissions.

    Raises:
        ApiError: 401 or 403.
    """
    headers = request.headers
    actor = zammad().access.authenticate(headers.get("Authorization"), headers.get("From"))
    if permissions:
        actor.require(*permissions)
    return actor


def document() -> Record:
    """The JSON object in the request.

    Raises:
        ApiError: what is no JSON is a 500 (recording 150).
    """
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError as error:
        raise opaque(500) from error
    return body if isinstance(body, dict) else {}


def flag(name: str) -> bool:
    """Whether a parameter is set."""
    return request.args.get(name) == "true"


def page(rows: list[Record], default: int = 100, most: int = 200) -> list[Record]:
    """The page of a list that the request names, by `per_page` or `limit`."""
    wanted = request.args.get("per_page", request.args.get("limit", default, int), int)
    size = min(wanted, most)
    start = (max(request.args.get("page", 1, int), 1) - 1) * size
    return rows[start : start + size]
