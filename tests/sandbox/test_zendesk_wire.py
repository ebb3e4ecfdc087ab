"""The Zendesk sandbox over HTTP: zenpy as its client, recorded shapes, and real deliveries."""

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from zenpy import Zenpy
from zenpy.lib.api_objects import Comment, Organization, Ticket, TicketField, Trigger, User, Webhook
from zenpy.lib.exception import APIException, RecordNotFoundException

from bridge.sandbox.serve import serve
from bridge.sandbox.zendesk import ADMIN, AGENT, Client, Fault, ZendeskSandbox, sign

from .conftest import CARLA, Clock, Json, ZendeskApi, declare_in_zendesk

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@pytest.fixture
def zenpy(
    zendesk: ZendeskSandbox, zd: ZendeskApi, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Zenpy itself, signed in as the bridge's client for setting up."""
    with serve(zendesk.app) as url, requests.Session() as session:
        monkeypatch.setenv("ZENPY_FORCE_NETLOC", url.removeprefix("http://"))
        monkeypatch.setenv("ZENPY_FORCE_SCHEME", "http")
        session.headers["Authorization"] = f"Bearer {zd.token(Client.SETUP)}"
        session.mount("http://", HTTPAdapter(**Zenpy.http_adapter_kwargs()))  # as it does for https
        session.authorized = True  # type: ignore[attr-defined]  # how zenpy is told
        yield Zenpy(subdomain="sandbox", session=session, disable_cache=True)


# --- zenpy ---------------------------------------------------------------------------------


def test_zenpy_knows_itself_and_reads_a_ticket_with_its_people(
    zendesk: ZendeskSandbox, zenpy: Any
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.", name="Carla Customer")
    assert zenpy.users.me().email == ADMIN
    ticket = zenpy.tickets(id=ticket_id)
    assert (ticket.subject, ticket.status, ticket.via.channel) == ("Broken", "new", "email")
    assert ticket.created.tzinfo is not None
    assert (ticket.requester.name, ticket.organization.name) == ("Carla Customer", "Acme GmbH")
    [call] = [call for call in zendesk.model.calls if "/tickets/" in call.path]
    assert call.path == f"/api/v2/tickets/{ticket_id}.json"


def test_zenpy_creates_updates_and_reads_the_history(zendesk: ZendeskSandbox, zenpy: Any) -> None:
    requester = User(name="Carla Customer", email=CARLA)
    made = zenpy.tickets.create(
        Ticket(subject="Broken", comment=Comment(body="It is."), requester=requester)
    )
    field = next(row for row in zenpy.ticket_fields() if row.title == "points_charged")
    agent = zendesk.model.access.actor(AGENT).id
    changed = Ticket(
        id=made.ticket.id,
        status="solved",
        assignee_id=agent,
        custom_fields=[{"id": field.id, "value": 10}],
        comment=Comment(body="10 points", public=False),
    )
    answer = zenpy.tickets.update(changed)
    assert answer.ticket.status == "solved"
    assert {"id": field.id, "value": "10"} in answer.ticket.custom_fields
    bodies = [comment.body for comment in zenpy.tickets.comments(made.ticket.id)]
    assert bodies == ["It is.", "10 points"]
    audits = list(zenpy.tickets.audits(made.ticket.id))
    assert [audit.via.channel for audit in audits] == ["api", "api"]
    changes = [event for event in audits[1].events if event["type"] == "Change"]
    assert {event["field_name"] for event in changes} >= {"status", str(field.id)}


def test_zenpy_merges_deletes_and_restores(zendesk: ZendeskSandbox, zenpy: Any) -> None:
    source, target = (zendesk.model.customer_mails(CARLA, "Broken", "x") for _ in range(2))
    job = zenpy.tickets.merge(target=target, source=source, target_comment="Same.")
    assert zenpy.job_status(id=job.id).status == "completed"
    assert zenpy.tickets(id=source).status == "closed"
    zenpy.tickets.delete(Ticket(id=target))
    with pytest.raises(RecordNotFoundException):
        zenpy.tickets(id=target)
    assert [ticket.id for ticket in zenpy.tickets.deleted()] == [target]
    zenpy.tickets.restore(target)
    assert zenpy.tickets(id=target).status == "new"


def test_zenpy_exports_what_changed(zendesk: ZendeskSandbox, zenpy: Any, clock: Clock) -> None:
    start = clock.now
    ids = [zendesk.model.customer_mails(CARLA, "Broken", "x") for _ in range(2)]
    clock.advance(minutes=2)
    found = zenpy.tickets.incremental(start_time=start - timedelta(minutes=1))
    assert [ticket.id for ticket in found] == ids


def test_zenpy_sets_the_account_up(zenpy: Any) -> None:
    field = zenpy.ticket_fields.create(TicketField(title="Product", type="text"))
    assert zenpy.ticket_fields(id=field.id).title == "Product"
    hook = zenpy.webhooks.create(
        Webhook(
            name="zenpy's",
            endpoint="http://other.example/",
            http_method="POST",
            request_format="json",
            status="active",
            subscriptions=["conditional_ticket_events"],
        )
    )
    assert zenpy.webhooks.show_secret(hook).algorithm == "SHA256"
    trigger = Trigger(
        title="zenpy's",
        conditions={"all": [{"field": "update_type", "operator": "is", "value": "Create"}]},
        actions=[{"field": "notification_webhook", "value": [hook.id, "{}"]}],
    )
    assert zenpy.triggers.create(trigger).title == "zenpy's"
    assert [row.title for row in zenpy.triggers()][-1:] == ["zenpy's"]
    made = zenpy.organizations.create(Organization(name="Beta AG"))
    assert [row.id for row in zenpy.search("beta", type="organization")] == [made.id]


def test_zenpy_raises_what_the_sandbox_refuses(zendesk: ZendeskSandbox, zenpy: Any) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    with pytest.raises(APIException) as refused:
        zenpy.tickets.update(Ticket(id=ticket_id, status="solved"))
    assert refused.value.response.json()["error"] == "RecordInvalid"
    stale = Ticket(id=ticket_id, safe_update=True, updated_stamp="2020-01-01T00:00:00Z")
    with pytest.raises(APIException) as conflict:
        zenpy.tickets.update(stale)
    assert conflict.value.response.status_code == 409


def test_zenpy_sends_an_update_again_whose_answer_was_lost(
    zendesk: ZendeskSandbox, zenpy: Any
) -> None:
    """Why the bridge does not let it: the comment is there twice, and nobody is told."""
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    fault = Fault("PUT", "/api/v2/tickets/*", drop=True, carried_out=True)
    zendesk.model.faults.add(fault)
    zenpy.tickets.update(Ticket(id=ticket_id, comment=Comment(body="10 points", public=False)))
    bodies = [row["body"] for row in zendesk.model.store.of_ticket("comments", ticket_id)]
    assert bodies == ["It is.", "10 points", "10 points"]


# --- recorded shapes -----------------------------------------------------------------------

TICKET = """
    url id external_id via created_at updated_at type subject raw_subject description priority
    status recipient requester_id submitter_id assignee_id organization_id group_id collaborator_ids
    follower_ids email_cc_ids forum_topic_id problem_id has_incidents is_public due_at tags
    custom_fields satisfaction_rating sharing_agreement_ids custom_status_id fields followup_ids
    ticket_form_id brand_id allow_channelback allow_attachments from_messaging_channel
"""
AUDIT = "id ticket_id created_at author_id metadata events via"
COMMENT_EVENT = "id type author_id body html_body plain_body public attachments audit_id"
TICKET_FIELD = """
    url id type title raw_title description raw_description position active required
    collapsed_for_agents regexp_for_validation title_in_portal raw_title_in_portal visible_in_portal
    editable_in_portal required_in_portal tag created_at updated_at removable key agent_description
"""
ORGANIZATION_FIELD = """
    url id type key title description raw_title raw_description position active system
    regexp_for_validation created_at updated_at
"""
ORGANIZATION = """
    url id name shared_tickets shared_comments external_id created_at updated_at domain_names
    details notes group_id tags organization_fields
"""
TRIGGER = """
    url id title active updated_at created_at default actions conditions description position
    raw_title category_id
"""
VIEW = """
    url id title active updated_at created_at default position description execution conditions
    restriction raw_title
"""
WEBHOOK = """
    id name description status subscriptions created_at created_by endpoint http_method
    request_format
"""


def test_records_have_the_keys_of_a_recorded_account(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    """The keys of zenpy's public recordings (2023-09) of a real account's answers."""
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    view: Json = {"title": "All", "all": [{"field": "status", "operator": "is", "value": "new"}]}
    updated = zd.update(ticket_id, subject="Still broken")
    opening = zd.get(f"/tickets/{ticket_id}/audits")["audits"][0]
    shown = [
        (TICKET, zd.ticket(ticket_id)),
        (TICKET, updated["ticket"]),
        (AUDIT, updated["audit"]),
        ("id type value field_name previous_value", updated["audit"]["events"][0]),
        (COMMENT_EVENT, opening["events"][0]),
        ("id type value field_name", opening["events"][1]),
        (TICKET_FIELD, zd.get("/ticket_fields")["ticket_fields"][-1]),
        (ORGANIZATION_FIELD, zd.get("/organization_fields")["organization_fields"][0]),
        (ORGANIZATION, zd.get("/organizations")["organizations"][0]),
        (TRIGGER, zd.get("/triggers")["triggers"][0]),
        (VIEW, zd.admin("POST", "/views", {"view": view})["view"]),
        (WEBHOOK, zd.admin("GET", "/webhooks")["webhooks"][0]),
    ]
    later = {"generated_timestamp"}
    assert [set(row) - later for _, row in shown] == [set(keys.split()) for keys, _ in shown]


# --- deliveries ----------------------------------------------------------------------------


def test_over_http_a_delivery_has_the_recorded_headers_and_heeds_retry_after(
    clock: Clock,
) -> None:
    """The headers of zenpy's recording of an invocation's attempts, in their order."""
    arrived: list[tuple[dict[str, str], bytes]] = []

    def receiver(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        arrived.append(({key: str(value) for key, value in environ.items()}, body))
        start_response("503 Busy" if len(arrived) == 1 else "200 OK", [("Retry-After", "7")])
        return []

    with serve(receiver) as url:
        box = ZendeskSandbox(clock)
        secret = declare_in_zendesk(box, f"{url}/webhooks/zendesk?a=b")
        ticket_id = box.model.customer_mails(CARLA, "Käse <b> 🧀", "It is.")
        assert box.webhooks.drain() == 2
    [delivery] = box.webhooks.deliveries
    answers = [(attempt.status, attempt.retry_after) for attempt in delivery.attempts]
    assert answers == [(503, 7.0), (200, 7.0)]
    names = [name for name, _ in delivery.attempts[0].request.headers]
    assert names[1:-1] == [
        "X-Zendesk-Webhook-Signature-Timestamp",
        "X-Zendesk-Webhook-Signature",
        "Content-Type",
        "User-Agent",
        "X-Zendesk-Account-Id",
        "X-Zendesk-Webhook-Id",
        "X-Zendesk-Webhook-Invocation-Id",
    ]
    head, body = arrived[0]
    assert json.loads(body) == {"event": "created", "ticket_id": str(ticket_id)}
    assert (head["PATH_INFO"], head["QUERY_STRING"]) == ("/webhooks/zendesk", "a=b")
    assert head["CONTENT_TYPE"] == "application/json; charset=utf-8"
    assert head["HTTP_USER_AGENT"] == "Zendesk Webhook"
    stamp = head["HTTP_X_ZENDESK_WEBHOOK_SIGNATURE_TIMESTAMP"]
    assert head["HTTP_X_ZENDESK_WEBHOOK_SIGNATURE"] == sign(secret, stamp, body)
