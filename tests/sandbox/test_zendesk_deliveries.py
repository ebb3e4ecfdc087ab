"""The Zendesk sandbox's triggers and webhooks: when they are sent, signed, retried and lost."""

import json
from typing import Literal

import pytest

from bridge.sandbox.zendesk import (
    AGENT,
    RawRequest,
    Reply,
    ZendeskSandbox,
    sign,
)

from .conftest import CARLA, Clock, Json, Receiver, ZendeskApi

ENDPOINT = "http://bridge.example/events"


def told(receiver: Receiver) -> list[tuple[str, int]]:
    """Event and ticket id of the triggers' deliveries that arrived."""
    bodies = [json.loads(request.body) for request in receiver.requests]
    return [(body["event"], int(body["ticket_id"])) for body in bodies if "ticket_id" in body]


def events(receiver: Receiver) -> list[Json]:
    """The bodies of the events that arrived, without the prefix of their types."""
    bodies = [json.loads(request.body) for request in receiver.requests]
    return [
        body | {"type": body["type"].removeprefix("zen:event-type:ticket.")}
        for body in bodies
        if "type" in body
    ]


def headers(request: RawRequest) -> dict[str, str]:
    return dict(request.headers)


# --- triggers ------------------------------------------------------------------------------


def test_a_new_ticket_is_told_whoever_made_it_and_a_change_over_the_api_is_not(
    zendesk: ZendeskSandbox, zd: ZendeskApi, receiver: Receiver
) -> None:
    one = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    spec = {"ticket": {"subject": "From the shop", "comment": {"body": "Help."}}}
    two = zd.call("POST", "/tickets", spec, status=201)["ticket"]["id"]
    zd.update(one, priority="high", comment={"body": "10 points", "public": False})
    zendesk.webhooks.drain()
    assert told(receiver) == [("created", one), ("created", two)]
    zendesk.model.agent_answers(one, "Try this.", close=True)
    zendesk.model.customer_replies(one, "No.")
    zendesk.model.agent_sets(one, priority="high")
    zendesk.webhooks.drain()
    assert told(receiver)[2:] == [("changed", one)] * 2
    assert [delivery.trigger for delivery in zendesk.webhooks.deliveries[:3]] == [
        "Points bridge: created",
        "Points bridge: created",
        "Points bridge: changed",
    ]


def when(*rows: Json, either: Json = ()) -> Json:
    """Conditions: all of the rows, and any of the others."""
    return {"all": list(rows), "any": list(either)}


def row(field: str, operator: str, value: Json = None) -> Json:
    return {"field": field, "operator": operator, "value": value}


@pytest.mark.parametrize(
    ("condition", "firings"),
    [
        (row("status", "changed"), ["created", "answered", "replied", "moved"]),
        (row("status", "value", "pending"), ["answered"]),
        (row("status", "value_previous", "pending"), ["replied"]),
        (row("status", "greater_than", "open"), ["answered", "noted", "moved"]),
        (row("priority", "not_changed"), ["created", "answered", "noted", "replied"]),
        (row("comment_is_public", "is", "true"), ["created", "answered", "replied"]),
        (row("comment_is_public", "is", "false"), ["noted"]),
        (
            row("comment_is_public", "is", "not_relevant"),
            ["created", "answered", "noted", "replied"],
        ),
        (
            row("comment_is_public", "is", "requester_can_see_comment"),
            ["created", "answered", "replied"],
        ),
        (row("comment_includes_word", "includes", "back soon"), ["replied"]),
        (row("role", "is", "agent"), ["answered", "noted", "moved"]),
        (row("current_via_id", "is", "4"), ["created", "replied"]),
        (row("via_id", "is_not", "4"), []),
        (row("current_tags", "includes", "vip"), ["moved"]),
        (row("assignee_id", "not_present"), ["created"]),
        (row("organization.custom_fields.support_country", "is", "CH"), []),
    ],
)
def test_a_condition_is_about_the_ticket_or_about_the_update(
    zendesk: ZendeskSandbox, zd: ZendeskApi, condition: Json, firings: list[str]
) -> None:
    zd.add_trigger(title="under test", conditions=when(condition))
    agent = zendesk.model.access.actor(AGENT).id
    seen: list[str] = []

    def step(name: str) -> None:
        fresh = zendesk.webhooks.deliveries[len(counted) :]
        counted.extend(fresh)
        seen.extend(name for delivery in fresh if delivery.trigger == "under test")

    counted: list[object] = []
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    step("created")
    zendesk.model.agent_sets(
        ticket_id, status="pending", assignee_id=agent, comment={"body": "Try this."}
    )
    step("answered")
    zendesk.model.agent_notes(ticket_id, "Odd.")
    step("noted")
    zendesk.model.customer_replies(ticket_id, "It is BACK.")
    step("replied")
    zendesk.model.agent_sets(ticket_id, status="hold", priority="low", tags=["vip"])
    step("moved")
    assert seen == firings


def test_any_of_the_second_list_is_enough(
    zendesk: ZendeskSandbox, zd: ZendeskApi, receiver: Receiver
) -> None:
    either = [row("priority", "is", "high"), row("priority", "is", "urgent")]
    conditions = when(row("update_type", "is", "Change"), either=either)
    zd.add_trigger(title="under test", conditions=conditions)
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    for priority in ("low", "high", "urgent"):
        zd.update(ticket_id, priority=priority)
    titles = [delivery.trigger for delivery in zendesk.webhooks.deliveries]
    assert titles == ["Points bridge: created", "under test", "under test"]


def test_a_triggers_own_change_joins_the_audit_and_wakes_triggers_before_it_once(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    zd.add_trigger(title="told", conditions=when(row("priority", "value", "urgent")))
    action = {"field": "priority", "value": "urgent"}
    tag = {"field": "current_tags", "value": "vip"}
    new = when(row("update_type", "is", "Create"))
    zd.add_trigger(title="sets", conditions=new, actions=[action, tag])
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    titles = [delivery.trigger for delivery in zendesk.webhooks.deliveries]
    assert titles == ["Points bridge: created", "told"]
    [audit] = zd.get(f"/tickets/{ticket_id}/audits")["audits"]
    by_rule = [event for event in audit["events"] if "via" in event]
    assert [(event["field_name"], event["value"]) for event in by_rule] == [
        ("priority", "urgent"),
        ("tags", ["vip"]),
    ]
    assert {event["via"]["source"]["from"]["title"] for event in by_rule} == {"sets"}


def test_an_inactive_trigger_and_an_inactive_webhook_are_silence(
    zendesk: ZendeskSandbox, zd: ZendeskApi, receiver: Receiver
) -> None:
    [created, _] = zd.get("/triggers")["triggers"]
    [hook] = zd.admin("GET", "/webhooks")["webhooks"]
    zendesk.model.customer_mails(CARLA, "Waiting", "x")
    zd.admin("PATCH", f"/webhooks/{hook['id']}", {"webhook": {"status": "inactive"}}, 204)
    zendesk.webhooks.drain()
    zendesk.model.customer_mails(CARLA, "Unheard", "x")
    zd.admin("PATCH", f"/webhooks/{hook['id']}", {"webhook": {"status": "active"}}, 204)
    zd.admin("PUT", f"/triggers/{created['id']}", {"trigger": {"active": False}})
    zendesk.model.customer_mails(CARLA, "Untold", "x")
    zendesk.webhooks.drain()
    assert receiver.requests == []
    assert [delivery.state for delivery in zendesk.webhooks.deliveries] == ["dropped"]


# --- signatures ----------------------------------------------------------------------------


def test_the_signature_is_over_the_timestamp_and_the_body_with_nothing_between() -> None:
    """The vector was made with Python's and Node's HMAC alike; the secret is Zendesk's own example
    of one, and is used as text although it looks like base64.
    """
    secret = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
    body = b'{"ticket_id":"35436","event":"created"}'
    signature = sign(secret, "2026-11-22T18:00:00Z", body)
    assert signature == "aPvq2q95o+NcaxlaJxmN5k3+7HasjwxHPtGmWAt7CN0="


def test_a_retry_has_the_invocations_id_and_a_timestamp_and_signature_of_its_own(
    zendesk: ZendeskSandbox, zd: ZendeskApi, receiver: Receiver, clock: Clock
) -> None:
    """Recorded: a first attempt at 23:30:04, a second at 23:38:13, one invocation id."""
    receiver.answers = [409]
    zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.webhooks.drain(attempts=1)
    [hook] = zd.admin("GET", "/webhooks")["webhooks"]
    path = f"/webhooks/{hook['id']}"
    old = zd.admin("GET", f"{path}/signing_secret")["signing_secret"]["secret"]
    new = zd.admin("POST", f"{path}/signing_secret")["signing_secret"]["secret"]
    zd.admin("PATCH", path, {"webhook": {"endpoint": "http://new.example/"}}, 204)
    clock.advance(minutes=8)
    zendesk.webhooks.drain()
    first, retry = receiver.requests
    stamps = [headers(r)["X-Zendesk-Webhook-Signature-Timestamp"] for r in (first, retry)]
    assert stamps == ["2026-11-22T18:20:00Z", "2026-11-22T18:28:00Z"]
    assert first.body == retry.body
    for request, secret, stamp in ((first, old, stamps[0]), (retry, new, stamps[1])):
        signature = headers(request)["X-Zendesk-Webhook-Signature"]
        assert signature == sign(secret, stamp, request.body)
    invocations = {headers(r)["X-Zendesk-Webhook-Invocation-Id"] for r in (first, retry)}
    assert invocations == {zendesk.webhooks.deliveries[0].id}
    assert retry.url == "http://new.example/"


# --- retries -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "requests", "state"),
    [
        ([200], 1, "delivered"),
        ([409, 409, 204], 3, "delivered"),
        ([409] * 9, 4, "failed"),
        ([Reply(503, 30.0), Reply(429, 59.0), 200], 3, "delivered"),
        ([503], 1, "failed"),
        ([Reply(503, 60.0)], 1, "failed"),
        ([429], 1, "failed"),
        ([TimeoutError()] * 9, 6, "failed"),
        ([TimeoutError(), 200], 2, "delivered"),
        ([ConnectionRefusedError()], 1, "failed"),
        ([500], 1, "failed"),
        ([401], 1, "failed"),
        ([302], 1, "failed"),
    ],
)
def test_only_a_conflict_a_timeout_and_a_short_wait_are_tried_again(
    zendesk: ZendeskSandbox,
    zd: ZendeskApi,
    receiver: Receiver,
    answers: list[int | Reply | OSError],
    requests: int,
    state: Literal["delivered", "failed"],
) -> None:
    """Zendesk: 409 up to three retries; 429 and 503 with a Retry-After of less than 60 seconds;
    timeouts up to five retries; nothing else is in the contract.
    """
    receiver.answers = list(answers)
    zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    assert zendesk.webhooks.drain() == requests
    [delivery] = zendesk.webhooks.deliveries
    assert delivery.state == state
    [shown] = zd.admin("GET", f"/webhooks/{delivery.webhook_id}/invocations")["invocations"]
    assert shown["id"] == delivery.id
    assert shown["status"] == {"delivered": "success", "failed": "terminated"}[state]


def test_the_background_sender_waits_as_long_as_it_is_told_to(
    zendesk: ZendeskSandbox, receiver: Receiver
) -> None:
    zendesk.webhooks.retry_scale = 0
    receiver.answers = [Reply(503, 30.0), 409]
    zendesk.webhooks.start()
    try:
        zendesk.model.customer_mails(CARLA, "Broken", "It is.")
        assert zendesk.webhooks.wait_until_idle(timeout=30)
    finally:
        zendesk.webhooks.stop()
    [delivery] = zendesk.webhooks.deliveries
    assert [attempt.status for attempt in delivery.attempts] == [503, 409, 200]
    assert delivery.attempts[0].retry_after == 30


def test_a_delivery_may_be_lost_and_another_may_come_twice(
    zendesk: ZendeskSandbox, receiver: Receiver
) -> None:
    """Zendesk: delivery is best effort, may be duplicated or omitted."""
    zendesk.webhooks.lose_next()
    zendesk.webhooks.double_next()
    lost, doubled, plain = (zendesk.model.customer_mails(CARLA, "Broken", "x") for _ in range(3))
    assert zendesk.webhooks.drain(attempts=1) == 3
    assert told(receiver) == [("created", doubled)] * 2 + [("created", plain)]
    ids = [headers(request)["X-Zendesk-Webhook-Invocation-Id"] for request in receiver.requests]
    assert ids[0] == ids[1] != ids[2]
    assert zendesk.webhooks.deliveries[0].ticket_id == lost
    assert zendesk.webhooks.deliveries[0].state == "dropped"
    zendesk.webhooks.send_again(zendesk.webhooks.deliveries[-1])
    assert told(receiver)[-1] == ("created", plain)


def test_invocations_are_shown_for_seven_days(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock
) -> None:
    zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.webhooks.drain()
    path = f"/webhooks/{zendesk.webhooks.deliveries[0].webhook_id}/invocations"
    clock.advance(days=6, hours=23)
    assert len(zd.admin("GET", path)["invocations"]) == 1
    clock.advance(hours=1, seconds=1)
    assert zd.admin("GET", path)["invocations"] == []


# --- events --------------------------------------------------------------------------------


def test_a_merge_and_an_end_are_told_to_who_is_subscribed_and_by_no_trigger(
    zendesk: ZendeskSandbox, zd: ZendeskApi, receiver: Receiver
) -> None:
    ends = ("soft_deleted", "undeleted", "permanently_deleted", "marked_as_spam")
    secret = zd.subscribe(ENDPOINT, "merged", *ends)
    model = zendesk.model
    ids = [model.customer_mails(CARLA, f"Number {n}", "x") for n in range(3)]
    zendesk.webhooks.drain()
    receiver.requests.clear()
    model.agent_merges(ids[0], ids[1])
    model.agent_deletes(ids[1])
    model.agent_restores(ids[1])
    model.agent_marks_spam(ids[2])
    model.admin_deletes_for_good(ids[2])
    zendesk.webhooks.drain()
    assert told(receiver) == []
    assert [
        (body["type"], body["subject"], body["detail"]["status"]) for body in events(receiver)
    ] == [
        ("merged", f"zen:ticket:{ids[0]}", "CLOSED"),
        ("soft_deleted", f"zen:ticket:{ids[1]}", "DELETED"),
        ("undeleted", f"zen:ticket:{ids[1]}", "NEW"),
        ("marked_as_spam", f"zen:ticket:{ids[2]}", "DELETED"),
        ("permanently_deleted", f"zen:ticket:{ids[2]}", "DELETED"),
    ]
    assert events(receiver)[0]["event"]["target_ticket_id"] == str(ids[1])
    request = receiver.requests[0]
    stamp = headers(request)["X-Zendesk-Webhook-Signature-Timestamp"]
    assert headers(request)["X-Zendesk-Webhook-Signature"] == sign(secret, stamp, request.body)


def test_an_event_tells_ids_as_texts_and_choices_in_capitals(
    zendesk: ZendeskSandbox, zd: ZendeskApi, receiver: Receiver
) -> None:
    """As public samples of real deliveries have it."""
    zd.subscribe(ENDPOINT, "created", "priority_changed", "status_changed")
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_sets(ticket_id, status="open", priority="high")
    zendesk.webhooks.drain()
    created, raised, changed = events(receiver)
    detail = created["detail"]
    assert (detail["id"], detail["status"], detail["via"]) == (
        str(ticket_id),
        "NEW",
        {"channel": "mail"},
    )
    assert detail["requester_id"] == str(zd.ticket(ticket_id)["requester_id"])
    assert (detail["assignee_id"], detail["tags"], detail["priority"]) == (None, None, None)
    assert set(created) == set(changed)
    assert changed["detail"]["priority"] == "HIGH"
    assert (changed["event"]["previous"], changed["event"]["current"]) == ("NEW", "OPEN")
    sequences = [body["event"]["meta"]["sequence"] for body in (raised, changed)]
    assert sequences[0]["id"] == sequences[1]["id"]
    assert [sequence["position"] for sequence in sequences] == [1, 2]


def test_a_move_to_another_customer_is_told_with_both_organisations(
    zendesk: ZendeskSandbox, zd: ZendeskApi, receiver: Receiver
) -> None:
    beta = zendesk.model.add_organization("Beta AG", domains=["beta.example"])
    acme = zd.get("/organizations")["organizations"][0]["id"]
    bob = zendesk.model.add_customer("Bob", "bob@beta.example")
    zd.subscribe(ENDPOINT, "organization_changed", "requester_changed")
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_sets(ticket_id, requester_id=bob)
    zendesk.webhooks.drain()
    told = {body["type"]: body["event"] for body in events(receiver)}
    assert set(told) == {"organization_changed", "requester_changed"}
    moved = told["organization_changed"]
    assert (moved["previous"], moved["current"]) == (str(acme), str(beta))


def test_a_comment_is_told_with_its_author(
    zendesk: ZendeskSandbox, zd: ZendeskApi, receiver: Receiver
) -> None:
    zd.subscribe(ENDPOINT, "comment_added")
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_notes(ticket_id, "Odd.")
    zendesk.webhooks.drain()
    comments = [body["event"]["comment"] for body in events(receiver)]
    assert [(row["author"]["is_staff"], row["is_public"]) for row in comments] == [
        (False, True),
        (True, False),
    ]
