"""The part of Zendesk's HTTP API that a bridge uses, as a Flask app over the model."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from bridge.sandbox.faults import Front
from bridge.sandbox.zendesk.admin_api import admin
from bridge.sandbox.zendesk.description import wrong
from bridge.sandbox.zendesk.model import Zendesk
from bridge.sandbox.zendesk.records import ApiError, Record
from bridge.sandbox.zendesk.search import search
from bridge.sandbox.zendesk.suspended_api import suspended
from bridge.sandbox.zendesk.ticket_api import tickets
from bridge.sandbox.zendesk.web import (
    KEY,
    SUFFIX,
    answer,
    caller,
    created,
    document,
    given,
    nothing,
    paged,
    zendesk,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_API = "/api/v2"

people = Blueprint("zendesk_people", __name__)


def create_app(model: Zendesk) -> Flask:
    """The API of a model. Requests take turns; faults and the call log stand in front of it."""
    app = Flask(__name__, static_folder=None)
    app.extensions[KEY] = model
    for blueprint in (people, tickets, suspended, admin):
        app.register_blueprint(blueprint)
    app.before_request(_begin)
    app.after_request(_end)
    app.register_error_handler(ApiError, lambda e: answer(e.body, e.status, e.headers))
    app.register_error_handler(HTTPException, _no_endpoint)
    inner = _without_suffix(app.wsgi_app)
    front = Front(inner, model.faults, model.calls, model.store.lock)
    app.wsgi_app = front  # type: ignore[method-assign]  # Flask documents it as the place
    return app


def _without_suffix(app: "WSGIApplication") -> "WSGIApplication":
    """Every path may end in `.json`, and means the same."""

    def strip(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        environ["PATH_INFO"] = path.removesuffix(SUFFIX)
        environ[SUFFIX] = path.endswith(SUFFIX)
        return app(environ, start_response)

    return strip


def _begin() -> None:
    zendesk().shapes.base_url = request.url_root.rstrip("/")
    if request.path.startswith(f"{_API}/"):
        of_webhooks = request.path.startswith(f"{_API}/webhooks")
        g.left, g.of_webhooks = zendesk().limits.call(of_webhooks=of_webhooks), of_webhooks


def _end(response: Response) -> Response:
    left = g.get("left")
    if left is not None:
        headers = {"x-rate-limit": left.total, "x-rate-limit-remaining": left.remaining}
        if not g.of_webhooks:
            headers |= {"ratelimit-limit": left.total, "ratelimit-remaining": left.remaining}
            headers |= {"ratelimit-reset": left.resets}
        for name, value in headers.items():
            response.headers[name] = str(value)
    if "updates" in g:
        response.headers["zendesk-ratelimit-tickets-update"] = str(g.updates)
    response.headers["x-zendesk-api-version"] = "v2"
    return response


def _no_endpoint(error: HTTPException) -> Response:
    """A path that does not exist, known before anybody asks for credentials."""
    status = 404 if error.code in {404, 405} else error.code or 500
    return answer({"error": "InvalidEndpoint", "description": "Not found"}, status)


@people.post("/oauth/tokens")
def grant_token() -> Response:
    """POST /oauth/tokens, with client credentials."""
    return answer(zendesk().access.grant(document()))


@people.get(f"{_API}/users/me")
def show_me() -> Response:
    """GET /users/me: 200 for nobody as well."""
    model = zendesk()
    actor = model.access.authenticate(request.headers.get("Authorization"))
    if actor is None:
        return answer({"user": model.shapes.anonymous()})
    actor.require("read", "users")
    return answer({"user": model.shapes.user(actor.user)})


@people.get(f"{_API}/users")
def list_users() -> Response:
    """GET /users."""
    caller("read", "users")
    return paged("users", zendesk().store.tables["users"].values(), zendesk().shapes.user)


@people.get(f"{_API}/users/search")
def search_users() -> Response:
    """GET /users/search?query=: by a part of name or address."""
    caller("read", "users")
    part = request.args.get("query", "").lower()
    rows = zendesk().store.tables["users"].values()
    found = [row for row in rows if part in f"{row['name']} {row['email']}".lower()]
    return paged("users", found, zendesk().shapes.user)


@people.get(f"{_API}/users/<int:user_id>")
def show_user(user_id: int) -> Response:
    """GET /users/{id}."""
    caller("read", "users")
    return answer({"user": zendesk().shapes.user(zendesk().store.get("users", user_id))})


@people.put(f"{_API}/users/<int:user_id>")
def update_user(user_id: int) -> Response:
    """PUT /users/{id}: the name and the custom fields, five times a minute."""
    caller("write", "users")
    row, spec = zendesk().store.get("users", user_id), given("user")
    zendesk().limits.update_user(user_id)
    row |= {"name": spec.get("name", row["name"]), "updated_at": zendesk().store.now()}
    row["user_fields"] |= spec.get("user_fields", {})
    return answer({"user": zendesk().shapes.user(row)})


@people.delete(f"{_API}/users/<int:user_id>")
def delete_user(user_id: int) -> Response:
    """DELETE /users/{id}: inactive from then on; refused while there is work for them."""
    actor, model = caller("write", "users", admin=True), zendesk()
    user = model.store.get("users", user_id)
    model.deletions.user(actor, user)
    return answer({"user": model.shapes.user(user)})


@people.get(f"{_API}/organizations")
def list_organizations() -> Response:
    """GET /organizations."""
    caller("read", "organizations")
    model = zendesk()
    rows = model.store.tables["organizations"].values()
    return paged("organizations", rows, model.shapes.organization)


@people.post(f"{_API}/organizations")
def create_organization() -> Response:
    """POST /organizations; names are unique."""
    caller("write", "organizations", admin=True)
    spec, model = given("organization"), zendesk()
    domains, custom = list(spec.get("domain_names", [])), spec.get("organization_fields")
    row = model.new_organization(str(spec.get("name") or ""), domains, custom)
    return created("organization", model.shapes.organization(row))


@people.get(f"{_API}/organizations/<int:organization_id>")
def show_organization(organization_id: int) -> Response:
    """GET /organizations/{id}."""
    caller("read", "organizations")
    return _organization(zendesk().store.get("organizations", organization_id))


@people.put(f"{_API}/organizations/<int:organization_id>")
def update_organization(organization_id: int) -> Response:
    """PUT /organizations/{id}, five times a minute; custom fields that it does not name stay.

    "Agents with no permissions restrictions can only update "notes" on organizations."
    """
    spec = given("organization")
    caller("write", "organizations", admin=bool(spec.keys() - {"notes"}))
    model = zendesk()
    row = model.store.get("organizations", organization_id)
    model.limits.update_organization(organization_id)
    custom = model.organization_fields.cast(spec.get("organization_fields"))
    names = ("name", "details", "notes", "external_id", "domain_names", "tags")
    row |= {name: spec[name] for name in names if name in spec}
    row["organization_fields"] |= custom
    row["updated_at"] = model.store.now()
    return _organization(row)


@people.delete(f"{_API}/organizations/<int:organization_id>")
def delete_organization(organization_id: int) -> Response:
    """DELETE /organizations/{id}: its people and tickets are of none."""
    actor, model = caller("write", "organizations", admin=True), zendesk()
    row = model.store.get("organizations", organization_id)
    model.deletions.organization(actor, row)
    return nothing()


def _organization(row: Record) -> Response:
    return answer({"organization": zendesk().shapes.organization(row)})


@people.get(f"{_API}/search")
def find() -> Response:
    """GET /search?query=, in numbered pages alone."""
    caller("read")
    if "page[size]" in request.args:
        raise wrong("page", "an integer")
    model = zendesk()
    shapes = model.shapes
    show = {"ticket": shapes.ticket, "user": shapes.user, "organization": shapes.organization}
    found = search(model.store, request.args.get("query", ""))
    rows = [{**show[kind](row), "result_type": kind} for kind, row in found]
    return paged("results", rows, lambda row: row)
