"""The part of Zammad's HTTP API that a bridge uses, as a Flask app over the model."""

from collections.abc import Callable

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import HTTPException

from bridge.sandbox.faults import Front
from bridge.sandbox.zammad import conditions
from bridge.sandbox.zammad.access import Actor
from bridge.sandbox.zammad.admin_api import admin
from bridge.sandbox.zammad.model import Zammad
from bridge.sandbox.zammad.records import ApiError, Record
from bridge.sandbox.zammad.web import KEY, answer, caller, document, flag, page, zammad

api = Blueprint("zammad_sandbox", __name__, url_prefix="/api/v1")


def create_app(model: Zammad) -> Flask:
    """The API of a model. Requests take turns; faults and the call log stand in front of it."""
    app = Flask(__name__, static_folder=None)
    app.extensions[KEY] = model
    for blueprint in (api, admin):
        app.register_blueprint(blueprint)
    app.register_error_handler(ApiError, lambda error: answer(error.body, error.status))
    app.register_error_handler(404, _no_route)
    app.register_error_handler(405, _no_route)
    front = Front(app.wsgi_app, model.faults, model.calls, model.store.lock)
    app.wsgi_app = front  # type: ignore[method-assign]  # Flask documents it as the place
    return app


def _no_route(_error: HTTPException) -> Response:
    error = f"No route matches [{request.method}] {request.path}"
    return answer({"error": error, "error_human": error}, 404)


# --- tickets -------------------------------------------------------------------------------


@api.get("/tickets")
def list_tickets() -> Response:
    """GET /tickets, by id; `sort_by` is ignored, as Zammad ignores it."""
    actor, model = caller("ticket.agent", "ticket.customer"), zammad()
    rows = [
        row for row in model.store.tables["Ticket"].values() if model.access.may_see(actor, row)
    ]
    rows.sort(key=lambda row: int(row["id"]))
    show: Callable[[Record], Record] = model.views.ticket_expanded if flag("expand") else dict
    return answer([show(row) for row in page(rows, most=100)])


@api.post("/tickets")
def create_ticket() -> Response:
    """POST /tickets; `customer_id` may be `guess:` with an address."""
    actor, model, body = caller("ticket.agent", "ticket.customer"), zammad(), document()
    for key in ("customer", "customer_id"):
        address = str(body.get(key, ""))
        if address.startswith("guess:") and actor.is_agent:
            del body[key]
            body["customer_id"] = model.directory.sender(address.removeprefix("guess:"))["id"]
    return _show_ticket(model.desk.create(actor, body), 201)


@api.get("/tickets/search")
def search_tickets() -> Response:
    """GET /tickets/search by condition or by a text in number and title (244, 245)."""
    actor, model = caller("ticket.agent", "ticket.customer"), zammad()
    condition = conditions.from_query(request.args.lists())
    rows = model.search(actor, condition, request.args.get("query", ""))
    key = request.args.get("sort_by")
    if key:
        rows.sort(key=lambda row: (row.get(key) is not None, row.get(key)))
        if request.args.get("order_by") == "desc":
            rows.reverse()
    rows = page(rows, default=50)
    if flag("expand"):
        return answer([model.views.ticket_expanded(row) for row in rows])
    ids = [row["id"] for row in rows]
    return answer({"tickets": ids, "tickets_count": len(ids), "assets": model.views.assets(rows)})


@api.get("/tickets/<int:ticket_id>")
def show_ticket(ticket_id: int) -> Response:
    """GET /tickets/{id}; without the ids of its articles unless more is asked for (078)."""
    ticket = zammad().access.ticket(caller(), ticket_id)
    return _show_ticket(ticket) if flag("expand") or flag("all") else answer(ticket)


@api.put("/tickets/<int:ticket_id>")
def update_ticket(ticket_id: int) -> Response:
    """PUT /tickets/{id}: fields, state and an article in one go."""
    actor, model = caller(), zammad()
    ticket, body = model.access.ticket(actor, ticket_id), document()
    with model.desk.answering_first():
        model.desk.update(actor, ticket, body)
        return _show_ticket(ticket)


@api.post("/tickets/mass_macro")
def run_macro() -> Response:
    """POST /tickets/mass_macro: a macro over several tickets, each a change of its own (589)."""
    model, actor, body = zammad(), caller("ticket.agent"), document()
    macro = model.store.get("Macro", int(body.get("macro_id") or 0))
    tickets = [model.access.ticket(actor, int(key)) for key in body.get("ticket_ids") or []]
    for ticket in tickets:
        model.desk.run_macro(actor, ticket, macro["perform"])
    ids = [ticket["id"] for ticket in tickets]
    return answer({"ticket_ids": ids, "assets": model.views.assets(tickets)})


@api.delete("/tickets/<int:ticket_id>")
def delete_ticket(ticket_id: int) -> Response:
    """DELETE /tickets/{id}: admins only, an empty answer (137, 138)."""
    actor, model = caller(), zammad()
    ticket = model.access.ticket(actor, ticket_id)
    if not actor.may("admin"):
        raise ApiError(403, "Not authorized (admin permission required)!")
    model.deletions.ticket(ticket)
    return Response("", 200, content_type="text/html")


def _show_ticket(ticket: Record, status: int = 200) -> Response:
    views = zammad().views
    if flag("all"):
        return answer(views.everything(ticket), status)
    return answer((views.ticket_expanded if flag("expand") else views.ticket)(ticket), status)


@api.get("/ticket_history/<int:ticket_id>")
def show_history(ticket_id: int) -> Response:
    """GET /ticket_history/{id}, for agents."""
    model, actor = zammad(), caller("ticket.agent")
    return answer(model.views.history(model.access.ticket(actor, ticket_id)))


@api.put("/ticket_merge/<int:source_id>/<target_number>")
def merge_tickets(source_id: int, target_number: str) -> Response:
    """PUT /ticket_merge/{source id}/{target number}; an unknown one is a 200 (126)."""
    model, actor = zammad(), caller("ticket.agent")
    source = model.store.first("Ticket", id=source_id)
    target = model.store.first("Ticket", number=target_number)
    if source is None:
        return _failed("The source ticket could not be found.")
    if target is None:
        return _failed("The target ticket number could not be found.")
    for ticket in (source, target):
        model.access.ticket(actor, ticket["id"])
    model.desk.merge(actor, source, target)
    return answer({"result": "success", "target_ticket": target, "source_ticket": source})


def _failed(message: str) -> Response:
    return answer({"result": "failed", "message": message})


@api.get("/links")
def show_links() -> Response:
    """GET /links?link_object=Ticket&link_object_value={id}."""
    model, actor = zammad(), caller()
    ticket = model.access.ticket(actor, request.args.get("link_object_value", 0, int))
    return answer(model.views.links(ticket["id"]))


# --- articles ------------------------------------------------------------------------------


@api.post("/ticket_articles")
def create_article() -> Response:
    """POST /ticket_articles."""
    model, actor, body = zammad(), caller(), document()
    ticket = model.access.ticket(actor, int(body.get("ticket_id") or 0))
    model.desk.add_article(actor, ticket, body)
    return answer(model.views.article(model.store.articles(ticket["id"])[-1]), 201)


@api.get("/ticket_articles/by_ticket/<int:ticket_id>")
def list_articles(ticket_id: int) -> Response:
    """GET /ticket_articles/by_ticket/{id}; a customer does not see internal ones."""
    model, actor = zammad(), caller()
    rows = model.store.articles(model.access.ticket(actor, ticket_id)["id"])
    readable = (row for row in rows if actor.is_agent or not row["internal"])
    return answer([model.views.article(row) for row in readable])


@api.get("/ticket_article_plain/<int:article_id>")
def show_raw_mail(article_id: int) -> Response:
    """GET /ticket_article_plain/{id}: a mail as it came; 500 for other articles (602, 604)."""
    model, actor = zammad(), caller()
    article = model.store.get("TicketArticle", article_id)
    ticket = model.access.ticket(actor, article["ticket_id"])
    raw = model.store.raw_mails.get(article_id)
    if raw is None:
        return Response("<!DOCTYPE html>\n<html>\n", 500, content_type="text/html; charset=utf-8")
    name = f"ticket-{ticket['number']}-{article_id}.eml"
    shown = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(raw, 200, shown, content_type="message/rfc822")


@api.get("/ticket_attachment/<int:ticket_id>/<int:article_id>/<int:file_id>")
def show_attachment(ticket_id: int, article_id: int, file_id: int) -> Response:
    """GET /ticket_attachment/{ticket}/{article}/{id}: a file of an article. From Zammad's code."""
    model, actor = zammad(), caller()
    article = model.store.get("TicketArticle", article_id)
    ticket = model.access.ticket(actor, article["ticket_id"])
    rows = [row for row in model.store.attachments[article_id] if row["id"] == file_id]
    if ticket["id"] != ticket_id or not rows or (article["internal"] and not actor.is_agent):
        raise ApiError(403, "Not authorized")
    kind = str(rows[0]["preferences"].get("Mime-Type") or "application/octet-stream")
    return Response(model.store.files[file_id], 200, content_type=kind)


# --- users, organisations, groups, states --------------------------------------------------


@api.get("/users/me")
def show_me() -> Response:
    """GET /users/me; with all that belongs to the user where `full` is asked for."""
    user, views = caller().user, zammad().views
    if flag("full"):
        return answer({"id": user["id"], "assets": views.assets([], users=[user])})
    return answer(views.user(user))


@api.get("/users/<int:user_id>")
def show_user(user_id: int) -> Response:
    """GET /users/{id}; a customer sees only that customer."""
    model, actor = zammad(), caller("ticket.agent", "ticket.customer", "admin.user")
    if not actor.is_agent and actor.id != user_id:
        raise ApiError(403, "Not authorized")
    user = model.store.get("User", user_id)
    return answer((model.views.user_expanded if flag("expand") else model.views.user)(user))


@api.put("/users/<int:user_id>")
def update_user(user_id: int) -> Response:
    """PUT /users/{id}: an agent may change customers only; `preferences` are replaced whole."""
    model, actor = zammad(), caller("ticket.agent", "admin.user")
    user = model.store.get("User", user_id)
    if not actor.may("admin.user") and Actor(user, frozenset()).is_agent:
        raise ApiError(403, "Not authorized")
    model.update_person(user, document(), actor)
    return answer(model.views.user(user))


@api.put("/users/preferences")
def update_preferences() -> Response:
    """PUT /users/preferences: one's own, key by key, such as `notification_config`."""
    model, actor = zammad(), caller()
    preferences = actor.user["preferences"] | document()
    model.store.change(actor.user, {"preferences": preferences}, actor.id)
    return answer({"message": "ok"})


@api.post("/users")
def create_user() -> Response:
    """POST /users; the password is taken for basic authentication."""
    model, actor, body = zammad(), caller("ticket.agent", "admin.user"), document()
    user = model.directory.create_user(body, actor.id)
    model.access.passwords[user["id"]] = str(body.get("password") or "")
    return answer(model.views.user(user), 201)


@api.get("/organizations")
def list_organizations() -> Response:
    """GET /organizations."""
    model, _ = zammad(), caller("ticket.agent", "admin.organization")
    rows = page(list(model.store.tables["Organization"].values()), most=500)
    return answer([_organization(row) for row in rows])


@api.post("/organizations")
def create_organization() -> Response:
    """POST /organizations."""
    actor = caller("ticket.agent", "admin.organization")
    return answer(_organization(zammad().directory.create_organization(document(), actor.id)), 201)


@api.get("/<any(users, organizations):kind>/search")
def search_directory(kind: str) -> Response:
    """GET /users/search, /organizations/search, by a part of a name or address (014, 015)."""
    caller("ticket.agent", f"admin.{kind.removesuffix('s')}")
    model, people = zammad(), kind == "users"
    query, limit = request.args.get("query", ""), request.args.get("limit", 50, int)
    rows = model.directory.search("User" if people else "Organization", query, limit)
    return answer([(model.views.user if people else _organization)(row) for row in rows])


@api.get("/organizations/<int:organization_id>")
def show_organization(organization_id: int) -> Response:
    """GET /organizations/{id}; a customer sees the own one."""
    model, actor = zammad(), caller("ticket.agent", "ticket.customer", "admin.organization")
    if not actor.is_agent and actor.user["organization_id"] != organization_id:
        raise ApiError(403, "Not authorized")
    return answer(_organization(model.store.get("Organization", organization_id)))


@api.put("/organizations/<int:organization_id>")
def update_organization(organization_id: int) -> Response:
    """PUT /organizations/{id}: any agent may (recording 253)."""
    model, actor = zammad(), caller("ticket.agent", "admin.organization")
    row = model.store.get("Organization", organization_id)
    model.directory.update_organization(row, document(), actor.id)
    return answer(_organization(row))


@api.delete("/organizations/<int:organization_id>")
def delete_organization(organization_id: int) -> Response:
    """DELETE /organizations/{id}: admins only, and only one that nothing refers to."""
    model, actor = zammad(), caller("admin.organization")
    row = model.store.get("Organization", organization_id)
    model.deletions.refuse_if_referred_to(row)
    model.deletions.organization(row, actor.id)
    return answer({})


def _organization(row: Record) -> Record:
    views = zammad().views
    return views.organization_expanded(row) if flag("expand") else views.organization(row)


@api.get("/groups")
def list_groups() -> Response:
    """GET /groups: not for agents. From Zammad's code."""
    model, _ = zammad(), caller("admin.group")
    return answer([model.views.group(row) for row in model.store.tables["Group"].values()])


@api.put("/groups/<int:group_id>")
def update_group(group_id: int) -> Response:
    """PUT /groups/{id}, such as its rule for follow-ups (recording 236)."""
    model, actor = zammad(), caller("admin.group")
    group = model.store.get("Group", group_id)
    model.directory.update_group(group, document(), actor.id)
    return answer(model.views.group(group))


@api.get("/<any(ticket_states, ticket_priorities):kind>")
def list_kinds(kind: str) -> Response:
    """GET /ticket_states, /ticket_priorities."""
    caller("ticket.agent", "ticket.customer")
    table = {"ticket_states": "TicketState", "ticket_priorities": "TicketPriority"}[kind]
    return answer(list(zammad().store.tables[table].values()))
