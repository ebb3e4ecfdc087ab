"""The endpoints of suspended tickets, for agents."""

from flask import Blueprint, Response, request

from bridge.sandbox.zendesk.records import ApiError, Record, as_id
from bridge.sandbox.zendesk.web import answer, caller, nothing, paged, zendesk

suspended = Blueprint("zendesk_suspended", __name__, url_prefix="/api/v2/suspended_tickets")


@suspended.get("")
def list_suspended() -> Response:
    """GET /suspended_tickets."""
    caller("read")
    return paged("suspended_tickets", zendesk().suspended.rows(), _shown)


@suspended.get("/<int:row_id>")
def show_suspended(row_id: int) -> Response:
    """GET /suspended_tickets/{id}."""
    caller("read")
    return answer({"suspended_ticket": _shown(zendesk().suspended.get(row_id))})


@suspended.put("/<int:row_id>/recover")
def recover_one(row_id: int) -> Response:
    """PUT /suspended_tickets/{id}/recover: the agent who calls becomes the requester."""
    actor, model = caller("write"), zendesk()
    ticket = model.suspended.recover(actor, row_id, keep_author=False)
    return answer({"ticket": [model.shapes.ticket(ticket)]})


@suspended.put("/recover_many")
def recover_many() -> Response:
    """PUT /suspended_tickets/recover_many?ids=1,2: the senders are the requesters.

    If any fails it is a 422 with those that did.
    """
    actor, model = caller("write"), zendesk()
    recovered: list[Record] = []
    failed: list[Record] = []
    for row_id in _ids():
        row = model.suspended.get(row_id)
        try:
            ticket = model.suspended.recover(actor, row_id, keep_author=True)
        except ApiError as error:
            row["error_messages"] = [{"description": str(error)}]
            failed.append(_shown(row))
        else:
            recovered.append(model.shapes.ticket(ticket))
    return answer({"suspended_tickets": failed}, 422) if failed else answer({"tickets": recovered})


@suspended.delete("/<int:row_id>")
def delete_one(row_id: int) -> Response:
    """DELETE /suspended_tickets/{id}."""
    caller("write")
    zendesk().suspended.delete(row_id)
    return nothing()


@suspended.delete("/destroy_many")
def delete_many() -> Response:
    """DELETE /suspended_tickets/destroy_many?ids=1,2."""
    caller("write")
    for row_id in _ids():
        zendesk().suspended.delete(row_id)
    return nothing()


def _ids() -> list[int]:
    found = map(as_id, request.args.get("ids", "").split(","))
    return [row_id for row_id in found if row_id is not None]


def _shown(row: Record) -> Record:
    return {"url": zendesk().shapes.url("suspended_tickets", row["id"]), **row}
