"""The endpoints of fields, webhooks, triggers, their categories, and views."""

from flask import Blueprint, Response, request

from bridge.sandbox.zendesk.records import ApiError, Record
from bridge.sandbox.zendesk.rules import Kind, execution, with_words
from bridge.sandbox.zendesk.web import answer, caller, created, given, nothing, paged, zendesk

admin = Blueprint("zendesk_admin", __name__, url_prefix="/api/v2")

# --- fields --------------------------------------------------------------------------------


def _field(row: Record) -> Record:
    return zendesk().shapes.record("ticket_fields", row)


@admin.get("/ticket_fields")
def list_ticket_fields() -> Response:
    """GET /ticket_fields, Zendesk's own ones among them: by cursor, or the whole list."""
    caller("read")
    rows = zendesk().store.tables["ticket_fields"].values()
    if "page[size]" in request.args:
        return paged("ticket_fields", rows, _field)
    return answer({"ticket_fields": [_field(row) for row in rows]})


@admin.get("/ticket_fields/<int:field_id>")
def show_ticket_field(field_id: int) -> Response:
    """GET /ticket_fields/{id}."""
    caller("read")
    return answer({"ticket_field": _field(zendesk().store.get("ticket_fields", field_id))})


@admin.post("/ticket_fields")
def create_ticket_field() -> Response:
    """POST /ticket_fields."""
    caller("write", admin=True)
    return created("ticket_field", _field(zendesk().fields.create(given("ticket_field"))))


@admin.put("/ticket_fields/<int:field_id>")
def update_ticket_field(field_id: int) -> Response:
    """PUT /ticket_fields/{id}: options that it does not list are gone."""
    caller("write", admin=True)
    row = zendesk().fields.update(field_id, given("ticket_field"))
    return answer({"ticket_field": _field(row)})


@admin.delete("/ticket_fields/<int:field_id>")
def delete_ticket_field(field_id: int) -> Response:
    """DELETE /ticket_fields/{id}."""
    caller("write", admin=True)
    zendesk().fields.delete(field_id)
    return nothing()


@admin.get("/organization_fields")
def list_organization_fields() -> Response:
    """GET /organization_fields."""
    caller("read")
    rows = zendesk().store.tables["organization_fields"].values()
    shapes = zendesk().shapes
    return paged("organization_fields", rows, lambda row: shapes.record("organization_fields", row))


@admin.post("/organization_fields")
def create_organization_field() -> Response:
    """POST /organization_fields."""
    caller("write", admin=True)
    row = zendesk().organization_fields.create(given("organization_field"))
    return created("organization_field", zendesk().shapes.record("organization_fields", row))


@admin.get("/custom_statuses")
def list_custom_statuses() -> Response:
    """GET /custom_statuses: the whole list."""
    caller("read")
    return answer({"custom_statuses": [*zendesk().store.tables["custom_statuses"].values()]})


# --- webhooks ------------------------------------------------------------------------------


@admin.get("/webhooks")
def list_webhooks() -> Response:
    """GET /webhooks, the latest first; `filter[name_contains]` looks for a part of the name."""
    caller("read", "webhooks", admin=True)
    part = request.args.get("filter[name_contains]", "")
    rows = [row for row in zendesk().hooks.rows.values() if part in row["name"]]
    return answer({"meta": {"has_more": False}, "webhooks": rows[::-1]})


@admin.post("/webhooks")
def create_webhook() -> Response:
    """POST /webhooks."""
    actor = caller("write", "webhooks", admin=True)
    return created("webhook", zendesk().hooks.create(given("webhook"), actor.id))


@admin.get("/webhooks/<webhook_id>")
def show_webhook(webhook_id: str) -> Response:
    """GET /webhooks/{id}; the secret is elsewhere."""
    caller("read", "webhooks", admin=True)
    return answer({"webhook": zendesk().hooks.get(webhook_id)})


@admin.route("/webhooks/<webhook_id>", methods=["PUT", "PATCH"])
def update_webhook(webhook_id: str) -> Response:
    """PUT and PATCH /webhooks/{id}: 204 (recorded)."""
    actor = caller("write", "webhooks", admin=True)
    zendesk().hooks.update(webhook_id, given("webhook"), actor.id)
    return nothing()


@admin.delete("/webhooks/<webhook_id>")
def delete_webhook(webhook_id: str) -> Response:
    """DELETE /webhooks/{id}."""
    caller("write", "webhooks", admin=True)
    zendesk().hooks.delete(webhook_id)
    return nothing()


@admin.get("/webhooks/<webhook_id>/signing_secret")
def show_secret(webhook_id: str) -> Response:
    """GET /webhooks/{id}/signing_secret."""
    caller("read", "webhooks", admin=True)
    return _secret(zendesk().hooks.secret(webhook_id))


@admin.post("/webhooks/<webhook_id>/signing_secret")
def rotate_secret(webhook_id: str) -> Response:
    """POST /webhooks/{id}/signing_secret: a new one."""
    caller("write", "webhooks", admin=True)
    return _secret(zendesk().hooks.rotate(webhook_id))


def _secret(secret: str) -> Response:
    return answer({"signing_secret": {"secret": secret, "algorithm": "SHA256"}})


@admin.get("/webhooks/<webhook_id>/invocations")
def list_invocations(webhook_id: str) -> Response:
    """GET /webhooks/{id}/invocations: seven days, the latest first."""
    caller("read", "webhooks", admin=True)
    zendesk().hooks.get(webhook_id)
    rows = zendesk().webhooks.invocations(webhook_id)
    return answer({"meta": {"has_more": False}, "invocations": rows})


# --- triggers and views --------------------------------------------------------------------


def _rule(kind: Kind, row: Record) -> Record:
    shown = {name: value for name, value in row.items() if name != "output"}
    if kind == "views":
        shown["execution"] = execution(row)
    elif zendesk().rules.channels_as_words:
        shown["conditions"] = with_words(row["conditions"])
    return zendesk().shapes.record(kind, shown)


def _resource(kind: Kind) -> str:
    """The resource whose own scope is enough; views have none."""
    return "triggers" if kind == "triggers" else ""


@admin.get("/<any(triggers, views):kind>")
def list_rules(kind: Kind) -> Response:
    """GET /triggers, /views, by position."""
    caller("read", _resource(kind))
    return paged(kind, zendesk().rules.ordered(kind), lambda row: _rule(kind, row))


@admin.get("/<any(triggers, views):kind>/<int:row_id>")
def show_rule(kind: Kind, row_id: int) -> Response:
    """GET /triggers/{id}, /views/{id}."""
    caller("read", _resource(kind))
    return answer({kind.removesuffix("s"): _rule(kind, zendesk().store.get(kind, row_id))})


@admin.post("/<any(triggers, views):kind>")
def create_rule(kind: Kind) -> Response:
    """POST /triggers, which answers 201, and /views, which answers 200."""
    caller("write", _resource(kind), admin=True)
    name = kind.removesuffix("s")
    made = _rule(kind, zendesk().rules.create(kind, given(name)))
    return created(name, made) if kind == "triggers" else answer({name: made})


@admin.put("/<any(triggers, views):kind>/<int:row_id>")
def update_rule(kind: Kind, row_id: int) -> Response:
    """PUT /triggers/{id}, /views/{id}."""
    caller("write", _resource(kind), admin=True)
    name = kind.removesuffix("s")
    return answer({name: _rule(kind, zendesk().rules.update(kind, row_id, given(name)))})


@admin.delete("/<any(triggers, views):kind>/<int:row_id>")
def delete_rule(kind: Kind, row_id: int) -> Response:
    """DELETE /triggers/{id}, /views/{id}."""
    caller("write", _resource(kind), admin=True)
    zendesk().rules.delete(kind, row_id)
    return nothing()


@admin.get("/views/<int:view_id>/tickets")
def list_view(view_id: int) -> Response:
    """GET /views/{id}/tickets."""
    caller("read")
    model = zendesk()
    rows = model.rules.tickets(model.store.get("views", view_id))
    return paged("tickets", rows, model.shapes.ticket)


@admin.get("/trigger_categories")
def list_categories() -> Response:
    """GET /trigger_categories: their ids are texts."""
    caller("read", "triggers")
    rows = zendesk().store.tables["trigger_categories"].values()
    return paged("trigger_categories", rows, _category)


@admin.post("/trigger_categories")
def create_category() -> Response:
    """POST /trigger_categories: 200, unlike other records that are made."""
    caller("write", "triggers", admin=True)
    spec, store = given("trigger_category"), zendesk().store
    if not spec.get("name"):
        error = {"code": "InvalidTriggerCategory", "title": "Name cannot be blank"}
        raise ApiError(400, {"errors": [error]})
    fields = {"name": spec["name"], "position": len(store.tables["trigger_categories"])}
    return answer({"trigger_category": _category(store.insert("trigger_categories", fields))})


def _category(row: Record) -> Record:
    return row | {"id": str(row["id"])}
