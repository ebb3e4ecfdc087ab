"""The endpoints of tickets, their comments and audits, merges, deletions and exports."""

from datetime import timedelta
from uuid import uuid4

from flask import Blueprint, Response, g, request

from bridge.sandbox.zendesk import description
from bridge.sandbox.zendesk.desk import via
from bridge.sandbox.zendesk.model import Remembered
from bridge.sandbox.zendesk.records import Record, as_id, not_found, refused
from bridge.sandbox.zendesk.web import (
    address,
    answer,
    caller,
    decoded,
    document,
    encoded,
    given,
    included,
    nothing,
    paged,
    zendesk,
)

IDEMPOTENCY = timedelta(hours=2)
"""How long the answer to a POST with an `Idempotency-Key` is kept."""

EXPORT_DELAY = 60
"""Seconds for which a change stays out of incremental exports."""

_MOST_EXPORTED = 1000

tickets = Blueprint("zendesk_tickets", __name__, url_prefix="/api/v2")


@tickets.get("/tickets")
def list_tickets() -> Response:
    """GET /tickets, by id."""
    caller("read", "tickets")
    rows = zendesk().store.tables["tickets"].values()
    return _tickets([row for row in rows if row["status"] != "deleted"])


@tickets.get("/tickets/show_many")
def show_tickets() -> Response:
    """GET /tickets/show_many?ids=1,2: those of them that there are."""
    caller("read", "tickets")
    wanted = {as_id(text) for text in request.args.get("ids", "").split(",")}
    rows = zendesk().store.tables["tickets"].values()
    return _tickets([row for row in rows if row["id"] in wanted and row["status"] != "deleted"])


def _tickets(rows: list[Record]) -> Response:
    shapes, names = zendesk().shapes, included()
    return paged(
        "tickets",
        rows,
        lambda row: shapes.ticket(row) | shapes.embedded(row, names),
        lambda chosen: shapes.sideloads(chosen, names),
    )


@tickets.get("/tickets/<int:ticket_id>")
def show_ticket(ticket_id: int) -> Response:
    """GET /tickets/{id}, with what `include` names."""
    caller("read", "tickets")
    row, shapes, names = zendesk().ticket(ticket_id), zendesk().shapes, included()
    ticket = shapes.ticket(row) | shapes.embedded(row, names)
    return answer({"ticket": ticket, **shapes.sideloads([row], names)})


@tickets.post("/tickets")
def create_ticket() -> Response:
    """POST /tickets; with an `Idempotency-Key`, the same ticket for two hours."""
    actor, model = caller("write", "tickets"), zendesk()
    key, body = request.headers.get("Idempotency-Key"), request.get_data()
    now = model.store.now()
    known = model.remembered.get(key or "")
    if known is not None and now - known.at < IDEMPOTENCY:
        if known.request != body:
            reason = "Request parameters are different from those of the first request"
            raise refused(400, "IdempotentRequestError", reason)
        headers = {"x-idempotency-lookup": "hit"}
        return Response(known.answer, 201, headers, content_type="application/json; charset=utf-8")
    audit = model.desk.create(actor, given("ticket"), via("api"))
    made = _updated(model.ticket(audit["ticket_id"]), audit)
    response = answer(made, 201, {"Location": made["ticket"]["url"]})
    if key:
        model.remembered[key] = Remembered(now, body, response.get_data())
        response.headers["x-idempotency-lookup"] = "miss"
    return response


@tickets.put("/tickets/<int:ticket_id>")
def update_ticket(ticket_id: int) -> Response:
    """PUT /tickets/{id}: fields, status and a comment in one go, within the budgets."""
    actor, model = caller("write", "tickets"), zendesk()
    ticket = model.ticket(ticket_id)
    g.updates = model.limits.update_ticket(ticket_id, actor.id)
    audit = model.desk.update(actor, ticket, given("ticket"), via("api"))
    return answer(_updated(ticket, audit))


def _updated(ticket: Record, audit: Record) -> Record:
    shapes = zendesk().shapes
    return {"ticket": shapes.ticket(ticket), "audit": shapes.audit(audit)}


@tickets.delete("/tickets/<int:ticket_id>")
def delete_ticket(ticket_id: int) -> Response:
    """DELETE /tickets/{id}: it can be restored."""
    actor, model = caller("write", "tickets"), zendesk()
    model.desk.delete(actor, model.ticket(ticket_id))
    return nothing()


@tickets.get("/deleted_tickets")
def list_deleted() -> Response:
    """GET /deleted_tickets."""
    caller("read")
    rows = zendesk().store.tables["tickets"].values()
    gone = [row for row in rows if row["status"] == "deleted" and not row.get("scrubbed")]
    return paged("deleted_tickets", gone, zendesk().shapes.deleted_ticket)


@tickets.put("/deleted_tickets/<int:ticket_id>/restore")
def restore_ticket(ticket_id: int) -> Response:
    """PUT /deleted_tickets/{id}/restore: 200 without a body, though `{}` was recorded once."""
    zendesk().desk.restore(caller("write", "tickets"), ticket_id)
    return Response(status=200, content_type="application/json")


@tickets.delete("/deleted_tickets/<int:ticket_id>")
def delete_for_good(ticket_id: int) -> Response:
    """DELETE /deleted_tickets/{id}: a job; its content is gone, its id stays."""
    actor, model = caller("write", "tickets", admin=True), zendesk()
    ticket = model.store.get("tickets", ticket_id)
    if ticket["status"] != "deleted" or ticket.get("scrubbed"):
        raise not_found()
    model.desk.scrub(actor, ticket)
    return answer({"job_status": _job([{"id": ticket_id, "action": "delete", "success": True}])})


@tickets.get("/tickets/<int:ticket_id>/comments")
def list_comments(ticket_id: int) -> Response:
    """GET /tickets/{id}/comments, oldest first."""
    caller("read", "tickets")
    model = zendesk()
    rows = model.store.of_ticket("comments", model.ticket(ticket_id)["id"])
    return paged(
        "comments",
        rows,
        model.shapes.comment,
        lambda chosen: model.shapes.sideloads(chosen, included()),
    )


@tickets.get("/tickets/<int:ticket_id>/audits")
def list_audits(ticket_id: int) -> Response:
    """GET /tickets/{id}/audits, oldest first. `tickets:read` is not enough.

    "Audits for Archived Tickets do not support pagination": whatever page is asked for, it is all.
    """
    caller("read")
    model = zendesk()
    ticket = model.ticket(ticket_id)
    rows = model.store.of_ticket("audits", ticket["id"])
    comments = model.store.tables["comments"]

    def people(chosen: list[Record]) -> Record:
        ids = {row["id"] for row in chosen}
        said = [row for row in comments.values() if row["audit_id"] in ids]
        return model.shapes.sideloads(chosen + said, included())

    if model.is_archived(ticket):
        shown = [model.shapes.audit(row) for row in rows]
        end = {"count": len(rows), "next_page": None, "previous_page": None}
        return answer({"audits": shown, **people(rows), **end})
    return paged("audits", rows, model.shapes.audit, people)


@tickets.get("/tickets/<int:ticket_id>/related")
def show_related(ticket_id: int) -> Response:
    """GET /tickets/{id}/related: what it follows up."""
    caller("read", "tickets")
    model = zendesk()
    ticket = model.ticket(ticket_id)
    related = model.shapes.related(ticket, archived=model.is_archived(ticket))
    return answer({"ticket_related": related})


@tickets.get("/tickets/<int:ticket_id>/metrics")
def show_metrics(ticket_id: int) -> Response:
    """GET /tickets/{id}/metrics."""
    caller("read")
    ticket = zendesk().ticket(ticket_id)
    return answer({"ticket_metric": zendesk().shapes.metric_set(ticket["id"])})


@tickets.post("/tickets/<int:ticket_id>/merge")
def merge_tickets(ticket_id: int) -> Response:
    """POST /tickets/{target}/merge: a job, which is done by the time that anybody asks."""
    actor, model, body = caller("write", "tickets"), zendesk(), document()
    description.insist("", description.REQUESTS["merge"], body)
    if body.get("ids") is None:
        raise description.wrong("ids", "an array")
    sources = [model.store.ticket(source_id) for source_id in body["ids"]]
    model.desk.merge(actor, model.ticket(ticket_id), sources, body, via("api"))
    fine = {"action": "update", "status": "Updated", "success": True}
    return answer({"job_status": _job([fine | {"id": row["id"]} for row in sources], more=1)})


def _job(results: list[Record], more: int = 0) -> Record:
    """A job as it is queued; it is done by the time that anybody asks for it."""
    model = zendesk()
    job_id, total = f"V3-{uuid4().hex}", len(results) + more
    job = {"id": job_id, "url": model.shapes.url("job_statuses", job_id), "total": total}
    done = f"Completed at {model.store.now():%Y-%m-%d %H:%M:%S} +0000"
    model.jobs[job_id] = {**job, "progress": total, "status": "completed", "message": done}
    model.jobs[job_id]["results"] = results
    return {**job, "progress": None, "status": "queued", "message": None, "results": None}


@tickets.get("/job_statuses/<job_id>")
def show_job(job_id: str) -> Response:
    """GET /job_statuses/{id}."""
    caller("read")
    job = zendesk().jobs.get(job_id)
    if job is None:
        raise not_found()
    return answer({"job_status": job})


@tickets.get("/incremental/tickets/cursor")
def export_tickets() -> Response:
    """GET /incremental/tickets/cursor: what changed since a time or a cursor, deleted ones too.

    For admins alone.
    """
    caller("read", admin=True)
    model = zendesk()
    model.limits.export()
    settled = int(model.store.now().timestamp()) - EXPORT_DELAY
    cursor = request.args.get("cursor")
    since = _position(cursor) if cursor else (request.args.get("start_time", 0, int), 0)
    if since[0] > settled:
        reason = f"Too recent start_time. Use a start_time older than {EXPORT_DELAY} seconds"
        raise refused(422, "InvalidValue", reason)
    kept = list(model.store.tables["tickets"].values())
    if request.args.get("exclude_deleted") == "true":
        kept = [row for row in kept if row["status"] != "deleted"]
    rows = {_place(row): row for row in kept}
    due = sorted(place for place in rows if since < place and place[0] <= settled)
    size = min(request.args.get("per_page", _MOST_EXPORTED, int), _MOST_EXPORTED)
    chosen = [rows[place] for place in due[:size]]
    position = due[:size][-1] if chosen else since
    following = encoded("|".join(map(str, position)))
    names = included()
    show = model.shapes
    return answer(
        {
            "tickets": [show.ticket(row) | show.embedded(row, names) for row in chosen],
            **show.sideloads(chosen, names),
            "after_url": f"{address()}?cursor={following}",
            "after_cursor": following,
            "before_url": None,
            "before_cursor": None,
            "end_of_stream": len(due) <= size,
        }
    )


def _place(row: Record) -> tuple[int, int]:
    return row["generated_timestamp"], row["id"]


def _position(cursor: str) -> tuple[int, int]:
    moment, _, ticket_id = decoded(cursor).partition("|")
    if not (moment.isdecimal() and ticket_id.isdecimal()):
        raise refused(400, "InvalidValue", "Invalid cursor")
    return int(moment), int(ticket_id)
