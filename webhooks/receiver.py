"""POST /webhooks/<helpdesk>, and two health pages. Knows HTTP, and nothing of vendors or points.

A 2xx is given only once a delivery is stored durably; what fails on our side is a 503, which
helpdesks repeat, and never a 500. Nothing here parses a body: its raw bytes are what is signed.
"""

import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import structlog
from flask import Flask, Response, json, jsonify, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response as WsgiResponse

from bridge.bootstrap import Inbound
from bridge.errors import (
    BridgeError,
    PayloadNotUnderstood,
    Retryable,
    UnknownHelpdesk,
    WebhookRejected,
)
from bridge.ticket import HttpDelivery, Received

MAX_BODY_BYTES = 2**20
"""Webhooks that were recorded have up to 10 kB."""

RETRY_AFTER_SECONDS = 30

_STATUS_OF_RESULT = {Received.STORED: 202, Received.DUPLICATE: 200, Received.IGNORED: 200}

# The nearest class of an error decides. Its own message goes to the log only: the sender may be
# anybody.
_ANSWERS: Mapping[type[BaseException], tuple[int, str]] = {
    WebhookRejected: (401, "the signature is missing, wrong or too old"),
    UnknownHelpdesk: (404, "no such helpdesk"),
    PayloadNotUnderstood: (422, "the body cannot be read"),
    Retryable: (503, "unavailable, try again later"),
    Exception: (503, "unavailable, try again later"),
}

log = structlog.get_logger(__name__)


def create_app(
    inbound: Inbound, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Flask:
    """The WSGI application. `clock` (aware, UTC) stamps deliveries with their arrival."""
    app = Flask(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES + 1, PROVIDE_AUTOMATIC_OPTIONS=False)
    # A redirect would lose a delivery: helpdesks do not follow it, or follow it with a GET.
    app.url_map.merge_slashes = False

    @app.post("/webhooks/<helpdesk>")
    def receive(helpdesk: str) -> tuple[Response, int]:
        received = inbound.receive(
            helpdesk,
            HttpDelivery(
                headers={name.lower(): value for name, value in request.headers.items()},
                body=_body(),
                received_at=clock(),
            ),
        )
        return jsonify(status=received), _STATUS_OF_RESULT[received]

    @app.get("/health/live")
    def live() -> Response:
        return jsonify(status="live")

    @app.get("/health/ready")
    def ready() -> tuple[Response, int]:
        problems = inbound.problems()
        if problems:
            return jsonify(error="not ready", problems=problems), 503
        return jsonify(status="ready"), 200

    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_failure)
    app.after_request(_never_cached)
    return app


def _body() -> bytes:
    """The raw body. Werkzeug cuts a chunked one off at its limit: that is one byte above ours."""
    body = request.get_data(cache=False)
    if len(body) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    return body


def _answer_http_error(error: HTTPException) -> WsgiResponse:
    """Flask's own refusals in JSON: 404, 405 with its Allow, 413."""
    response = error.get_response()
    response.data = json.dumps({"error": error.name.lower()})
    response.content_type = "application/json"
    return response


def _answer_failure(error: Exception) -> Response:
    status, text = next(_ANSWERS[kind] for kind in type(error).__mro__ if kind in _ANSWERS)
    _log_failure(error, status)
    response = jsonify(error=text)
    response.status_code = status
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _log_failure(error: Exception, status: int) -> None:
    """Say what failed. A stranger's exception may quote the body: of it, only where it arose."""
    facts = {"path": request.path, "status": status, "error": type(error).__name__}
    if isinstance(error, BridgeError):
        log.warning("delivery refused", reason=str(error), **facts)
    else:
        frames = "".join(traceback.format_tb(error.__traceback__))
        log.error("delivery failed", frames=frames, **facts)


def _never_cached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
