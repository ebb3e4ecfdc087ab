"""The part of Zammad's HTTP API that a bridge uses, as a Flask app over the model."""

import json
from collections.abc import Callable
from typing import cast

from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException

from bridge.sandbox.faults import Front
from bridge.sandbox.zammad import conditions
from bridge.sandbox.zammad.access import Actor
from bridge.sandbox.zammad.escalation import zone_offsets
from bridge.sandbox.zammad.model import Zammad
from bridge.sandbox.zammad.records import ApiError, Record, dumps, opaque
from bridge.sandbox.zammad.triggers import Automation

VERSION = "5.5.x"
_KEY = "zammad_sandbox"
_PAGE_LIMIT = 200
_TABLES: dict[str, Automation] = {
    "webhooks": "Webhook",
    "triggers": "Trigger",
    "core_workflows": "CoreWorkflow",
    "overviews": "Overview",
    "calendars": "Calendar",
    "slas": "Sla",
}
_AUTOMATIONS = f"any({', '.join(_TABLES)})"

api = Blueprint("zammad_sandbox", __name__, url_prefix="/api/v1")


def create_app(model: Zammad) -> Flask:
    """The API of a model. Requests take turns; faults and the call log stand in front of it."""
    app = Flask(__name__, static_folder=None)
    app.extensions[_KEY] = model
    app.register_blueprint(api)
    app.register_error_handler(ApiError, lambda error: _answer(error.body, error.status))
    app.register_error_handler(404, _no_route)
    app.register_error_handler(405, _no_route)
    front = Front(app.wsgi_app, model.faults, model.calls, model.store.lock)
    app.wsgi_app = front  # type: ignore[method-assign]  # Flask documents it as the place
    return app


def _zammad() -> Zammad:
    return cast("Zammad", current_app.extensions[_KEY])


def _answer(body: object, status: int = 200) -> Response:
    return Response(dumps(body), status, content_type="application/json; charset=utf-8")


def _no_route(_error: HTTPException) -> Response:
    error = f"No route matches [{request.method}] {request.path}"
    return _answer({"error": error, "error_human": error}, 404)


def _actor(*permissions: str) -> Actor:
    headers = request.headers
    actor = _zammad().access.authenticate(headers.get("Authorization"), headers.get("From"))
    if permissions:
        actor.require(*permissions)
    return actor


def _body() -> Record:
    """The JSON object in the request; what is no JSON is a 500 (recording 150)."""
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError as error:
        raise opaque(500) from error
    return body if isinstance(body, dict) else {}


def _flag(name: str) -> bool:
    return request.args.get(name) == "true"


def _page(rows: list[Record], size_name: str) -> list[Record]:
    size = min(request.args.get(size_name, 100, int), _PAGE_LIMIT)
    start = (max(request.args.get("page", 1, int), 1) - 1) * size
    return rows[start : start + size]


# --- tickets -------------------------------------------------------------------------------


@api.get("/tickets")
def list_tickets() -> Response:
    """GET /tickets, by id; `sort_by` is ignored, as Zammad ignores it."""
    actor, model = _actor("ticket.agent", "ticket.customer"), _zammad()
    rows = [
        row for row in model.store.tables["Ticket"].values() if model.access.may_see(actor, row)
    ]
    rows.sort(key=lambda row: int(row["id"]))
    show: Callable[[Record], Record] = model.views.ticket_expanded if _flag("expand") else dict
    return _answer([show(row) for row in _page(rows, "per_page")])


@api.post("/tickets")
def create_ticket() -> Response:
    """POST /tickets; `customer_id` may be `guess:` with an address."""
    actor, model, body = _actor("ticket.agent", "ticket.customer"), _zammad(), _body()
    for key in ("customer", "customer_id"):
        address = str(body.get(key, ""))
        if address.startswith("guess:") and actor.is_agent:
            del body[key]
            body["customer_id"] = model.directory.sender(address.removeprefix("guess:"))["id"]
    return _show_ticket(model.desk.create(actor, body), 201)


@api.get("/tickets/search")
def search_tickets() -> Response:
    """GET /tickets/search by condition or by a text in number and title (244, 245)."""
    actor, model = _actor("ticket.agent", "ticket.customer"), _zammad()
    condition = conditions.from_query(request.args.lists())
    rows = model.search(actor, condition, request.args.get("query", ""))
    key = request.args.get("sort_by")
    if key:
        rows.sort(key=lambda row: (row.get(key) is not None, row.get(key)))
        if request.args.get("order_by") == "desc":
            rows.reverse()
    rows = _page(rows, "limit")
    if _flag("expand"):
        return _answer([model.views.ticket_expanded(row) for row in rows])
    ids = [row["id"] for row in rows]
    return _answer({"tickets": ids, "tickets_count": len(ids), "assets": model.views.assets(rows)})


@api.get("/tickets/<int:ticket_id>")
def show_ticket(ticket_id: int) -> Response:
    """GET /tickets/{id}; without the ids of its articles unless more is asked for (078)."""
    ticket = _zammad().access.ticket(_actor(), ticket_id)
    return _show_ticket(ticket) if _flag("expand") or _flag("all") else _answer(ticket)


@api.put("/tickets/<int:ticket_id>")
def update_ticket(ticket_id: int) -> Response:
    """PUT /tickets/{id}: fields, state and an article in one go."""
    actor, model = _actor(), _zammad()
    ticket, body = model.access.ticket(actor, ticket_id), _body()
    model.desk.update(actor, ticket, body)
    return _show_ticket(ticket)


@api.delete("/tickets/<int:ticket_id>")
def delete_ticket(ticket_id: int) -> Response:
    """DELETE /tickets/{id}: admins only, an empty answer (137, 138)."""
    actor, model = _actor(), _zammad()
    ticket = model.access.ticket(actor, ticket_id)
    if not actor.may("admin"):
        raise ApiError(403, "Not authorized (admin permission required)!")
    model.desk.delete(ticket)
    return Response("", 200, content_type="text/html")


def _show_ticket(ticket: Record, status: int = 200) -> Response:
    views = _zammad().views
    if _flag("all"):
        return _answer(views.everything(ticket), status)
    return _answer((views.ticket_expanded if _flag("expand") else views.ticket)(ticket), status)


@api.get("/ticket_history/<int:ticket_id>")
def show_history(ticket_id: int) -> Response:
    """GET /ticket_history/{id}, for agents."""
    model, actor = _zammad(), _actor("ticket.agent")
    return _answer(model.views.history(model.access.ticket(actor, ticket_id)))


@api.put("/ticket_merge/<int:source_id>/<target_number>")
def merge_tickets(source_id: int, target_number: str) -> Response:
    """PUT /ticket_merge/{source id}/{target number}; an unknown one is a 200 (126)."""
    model, actor = _zammad(), _actor("ticket.agent")
    source = model.store.first("Ticket", id=source_id)
    target = model.store.first("Ticket", number=target_number)
    if source is None:
        return _failed("The source ticket could not be found.")
    if target is None:
        return _failed("The target ticket number could not be found.")
    for ticket in (source, target):
        model.access.ticket(actor, ticket["id"])
    model.desk.merge(actor, source, target)
    return _answer({"result": "success", "target_ticket": target, "source_ticket": source})


def _failed(message: str) -> Response:
    return _answer({"result": "failed", "message": message})


@api.get("/links")
def show_links() -> Response:
    """GET /links?link_object=Ticket&link_object_value={id}."""
    model, actor = _zammad(), _actor()
    ticket = model.access.ticket(actor, request.args.get("link_object_value", 0, int))
    return _answer(model.views.links(ticket["id"]))


# --- articles ------------------------------------------------------------------------------


@api.post("/ticket_articles")
def create_article() -> Response:
    """POST /ticket_articles."""
    model, actor, body = _zammad(), _actor(), _body()
    ticket = model.access.ticket(actor, int(body.get("ticket_id") or 0))
    model.desk.update(actor, ticket, {"article": body})
    return _answer(model.views.article(model.store.articles(ticket["id"])[-1]), 201)


@api.get("/ticket_articles/by_ticket/<int:ticket_id>")
def list_articles(ticket_id: int) -> Response:
    """GET /ticket_articles/by_ticket/{id}; a customer does not see internal ones."""
    model, actor = _zammad(), _actor()
    rows = model.store.articles(model.access.ticket(actor, ticket_id)["id"])
    readable = (row for row in rows if actor.is_agent or not row["internal"])
    return _answer([model.views.article(row) for row in readable])


# --- users, organisations, groups, states --------------------------------------------------


@api.get("/users/me")
def show_me() -> Response:
    """GET /users/me; with all that belongs to the user where `full` is asked for."""
    user, views = _actor().user, _zammad().views
    if _flag("full"):
        return _answer({"id": user["id"], "assets": views.assets([], users=[user])})
    return _answer(views.user(user))


@api.get("/users/<int:user_id>")
def show_user(user_id: int) -> Response:
    """GET /users/{id}; a customer sees only that customer."""
    model, actor = _zammad(), _actor("ticket.agent", "ticket.customer", "admin.user")
    if not actor.is_agent and actor.id != user_id:
        raise ApiError(403, "Not authorized")
    return _answer(model.views.user(model.store.get("User", user_id)))


@api.post("/users")
def create_user() -> Response:
    """POST /users; the password is taken for basic authentication."""
    model, actor, body = _zammad(), _actor("ticket.agent", "admin.user"), _body()
    user = model.directory.create_user(body, actor.id)
    model.access.passwords[user["id"]] = str(body.get("password") or "")
    return _answer(model.views.user(user), 201)


@api.get("/organizations")
def list_organizations() -> Response:
    """GET /organizations."""
    model, _ = _zammad(), _actor("ticket.agent", "admin.organization")
    rows = _page(list(model.store.tables["Organization"].values()), "per_page")
    return _answer([_organization(row) for row in rows])


@api.post("/organizations")
def create_organization() -> Response:
    """POST /organizations."""
    actor = _actor("ticket.agent", "admin.organization")
    return _answer(_organization(_zammad().directory.create_organization(_body(), actor.id)), 201)


@api.get("/<any(users, organizations):kind>/search")
def search_directory(kind: str) -> Response:
    """GET /users/search, /organizations/search, by a part of a name or address (014, 015)."""
    _actor("ticket.agent", f"admin.{kind.removesuffix('s')}")
    model, people = _zammad(), kind == "users"
    query, limit = request.args.get("query", ""), request.args.get("limit", 50, int)
    rows = model.directory.search("User" if people else "Organization", query, limit)
    return _answer([(model.views.user if people else _organization)(row) for row in rows])


@api.get("/organizations/<int:organization_id>")
def show_organization(organization_id: int) -> Response:
    """GET /organizations/{id}; a customer sees the own one."""
    model, actor = _zammad(), _actor("ticket.agent", "ticket.customer", "admin.organization")
    if not actor.is_agent and actor.user["organization_id"] != organization_id:
        raise ApiError(403, "Not authorized")
    return _answer(_organization(model.store.get("Organization", organization_id)))


@api.put("/organizations/<int:organization_id>")
def update_organization(organization_id: int) -> Response:
    """PUT /organizations/{id}: any agent may (recording 253)."""
    model, actor = _zammad(), _actor("ticket.agent", "admin.organization")
    row = model.store.get("Organization", organization_id)
    model.directory.update_organization(row, _body(), actor.id)
    return _answer(_organization(row))


def _organization(row: Record) -> Record:
    views = _zammad().views
    return views.organization_expanded(row) if _flag("expand") else views.organization(row)


@api.get("/groups")
def list_groups() -> Response:
    """GET /groups."""
    model, _ = _zammad(), _actor("ticket.agent", "admin.group")
    return _answer([model.views.group(row) for row in model.store.tables["Group"].values()])


@api.put("/groups/<int:group_id>")
def update_group(group_id: int) -> Response:
    """PUT /groups/{id}, such as its rule for follow-ups (recording 236)."""
    model, actor = _zammad(), _actor("admin.group")
    group = model.store.get("Group", group_id)
    model.directory.update_group(group, _body(), actor.id)
    return _answer(model.views.group(group))


@api.get("/<any(ticket_states, ticket_priorities):kind>")
def list_kinds(kind: str) -> Response:
    """GET /ticket_states, /ticket_priorities."""
    _actor("ticket.agent", "ticket.customer")
    table = {"ticket_states": "TicketState", "ticket_priorities": "TicketPriority"}[kind]
    return _answer(list(_zammad().store.tables[table].values()))


# --- administration ------------------------------------------------------------------------


@api.get("/version")
def show_version() -> Response:
    """GET /version, for admins."""
    _actor("admin")
    return _answer({"version": VERSION})


@api.get("/object_manager_attributes")
def list_attributes() -> Response:
    """GET /object_manager_attributes: the custom ones."""
    _actor("admin.object")
    return _answer(_zammad().attributes.listing())


@api.post("/object_manager_attributes")
def create_attribute() -> Response:
    """POST /object_manager_attributes."""
    actor = _actor("admin.object")
    return _answer(_zammad().attributes.create(_body(), actor.id), 201)


@api.put("/object_manager_attributes/<int:attribute_id>")
def update_attribute(attribute_id: int) -> Response:
    """PUT /object_manager_attributes/{id}."""
    actor = _actor("admin.object")
    return _answer(_zammad().attributes.update(attribute_id, _body(), actor.id))


@api.post("/object_manager_attributes_execute_migrations")
def migrate_attributes() -> Response:
    """POST /object_manager_attributes_execute_migrations: everybody's pending changes."""
    _actor("admin.object")
    _zammad().attributes.migrate()
    return _answer({})


@api.get("/calendars_init")
def show_zones() -> Response:
    """GET /calendars_init: what the form of a calendar offers."""
    _automation("calendars")
    return _answer({"timezones": zone_offsets(_zammad().store.now())})


@api.get(f"/<{_AUTOMATIONS}:kind>")
def list_automation(kind: str) -> Response:
    """GET /webhooks, /triggers: the secrets of webhooks come back in clear (recording 048)."""
    table, _ = _automation(kind)
    return _answer(list(_zammad().store.tables[table].values()))


@api.post(f"/<{_AUTOMATIONS}:kind>")
def create_automation(kind: str) -> Response:
    """POST /webhooks, /triggers."""
    table, actor = _automation(kind)
    return _answer(_zammad().triggers.create(table, _body(), actor.id), 201)


@api.put(f"/<{_AUTOMATIONS}:kind>/<int:row_id>")
def update_automation(kind: str, row_id: int) -> Response:
    """PUT /webhooks/{id}, /triggers/{id}."""
    table, actor = _automation(kind)
    return _answer(_zammad().triggers.update(table, row_id, _body(), actor.id))


@api.delete(f"/<{_AUTOMATIONS}:kind>/<int:row_id>")
def delete_automation(kind: str, row_id: int) -> Response:
    """DELETE /webhooks/{id}, unless a trigger uses it; /triggers/{id}."""
    table, _ = _automation(kind)
    _zammad().triggers.delete(table, row_id)
    return _answer({})


def _automation(kind: str) -> tuple[Automation, Actor]:
    return _TABLES[kind], _actor(f"admin.{kind.removesuffix('s')}")
