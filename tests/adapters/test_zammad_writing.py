"""What the Zammad adapter writes, and what it makes of what a running Zammad answered."""

from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from responses import RequestsMock

from bridge.adapters.zammad.adapter import ZammadConfig
from bridge.errors import HelpdeskRefused, HelpdeskUnavailable, SettingsError, TicketNotFound
from bridge.ticket import Note, Status, TicketUpdate
from tests.adapters.contract import FIELDS, MESSAGE, NOW, RECEIPT, SECRET, TOKEN
from tests.adapters.zammad_server import (
    API,
    URL,
    Json,
    Server,
    answer,
    recorded,
    recorded_ticket_5,
    zammad,
)


def written(vendor: RequestsMock, update: TicketUpdate, server: Server | None = None) -> Json:
    server = server or Server()
    server.serve(vendor)
    zammad(SECRET).write(update)
    assert len(server.put) == 1
    return server.put[0]


def test_the_fields_are_sent_as_typed_json(vendor: RequestsMock) -> None:
    assert written(vendor, TicketUpdate("5", FIELDS)) == {
        "points_summary": "charged 10 · 90 left",
        "points_state": "charged",
        "points_charged": 10,
        "points_balance": 90,
        "points_next_expiry": "2027-11-22",
        "points_response_due": "2026-11-23T13:00:00Z",
        "points_sla_state": "running",
        "points_free_reopen_until": None,
    }


def test_fields_that_say_nothing_are_emptied(vendor: RequestsMock) -> None:
    fields = replace(FIELDS, next_expiry=None, response_due=None, sla=None, summary="")
    sent = written(vendor, TicketUpdate("5", fields))
    empty = {name for name, value in sent.items() if value is None}
    assert empty == {
        "points_summary",
        "points_next_expiry",
        "points_response_due",
        "points_sla_state",
        "points_free_reopen_until",
    }


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (Status.OPEN, {"state_id": 2}),
        (Status.CLOSED, {"state_id": 4}),
        (Status.PENDING, {"state_id": 3, "pending_time": "2026-11-23T12:00:00Z"}),
    ],
)
def test_a_status_is_sent_as_the_id_of_the_seeded_state(
    vendor: RequestsMock, status: Status, sent: Json
) -> None:
    body = written(vendor, TicketUpdate("5", FIELDS, status, pending_until=NOW))
    assert {name: body.get(name) for name in sent} == sent
    assert ("pending_time" in body) is (status is Status.PENDING)


@pytest.mark.parametrize(
    ("seconds", "sent"),
    [(0, "12:00:00"), (0.5, "12:01:00"), (1, "12:01:00"), (59.9, "12:01:00"), (60, "12:01:00")],
)
def test_a_pending_time_is_never_cut_to_an_earlier_minute(
    vendor: RequestsMock, seconds: float, sent: str
) -> None:
    """Zammad's `resets_pending_time_seconds.rb` stores whole minutes."""
    until = (NOW + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=9)))
    body = written(vendor, TicketUpdate("5", FIELDS, Status.PENDING, pending_until=until))
    assert body["pending_time"] == f"2026-11-23T{sent}Z"


def test_a_state_that_an_admin_made_inactive_is_not_written(vendor: RequestsMock) -> None:
    server = Server()
    closed = next(state for state in server.states if state["id"] == 4)
    server.states.insert(0, {**closed, "id": 11, "name": "resolved"})
    server.states.insert(0, {**closed, "id": 12, "name": "done"})
    closed["active"] = False
    assert written(vendor, TicketUpdate("5", FIELDS, Status.CLOSED), server)["state_id"] == 11


@pytest.mark.parametrize("status", [Status.MERGED, Status.REMOVED])
def test_a_status_that_only_the_helpdesk_gives_is_refused(
    vendor: RequestsMock, status: Status
) -> None:
    server = Server()
    server.serve(vendor)
    with pytest.raises(HelpdeskRefused, match=status):
        zammad(SECRET).write(TicketUpdate("5", FIELDS, status))
    assert server.put == []


def test_pending_without_a_time_is_refused_before_zammad_does(vendor: RequestsMock) -> None:
    """Recording 152 answers 422 "Error ID ...: Please contact your administrator."."""
    server = Server()
    server.serve(vendor)
    with pytest.raises(HelpdeskRefused, match="without a time"):
        zammad(SECRET).write(TicketUpdate("5", FIELDS, Status.PENDING))
    assert server.put == []


def test_an_internal_note_is_seen_by_agents_only(vendor: RequestsMock) -> None:
    assert written(vendor, TicketUpdate("5", FIELDS, note=RECEIPT))["article"] == {
        "subject": "Points",
        "body": "10 points were charged.",
        "content_type": "text/plain",
        "type": "note",
        "internal": True,
        "preferences": {"points_bridge": {"mark": "receipt:1"}},
    }


def test_a_public_text_is_mailed_by_the_system(vendor: RequestsMock) -> None:
    """From an agent it "sets first_response_at and kills the SLA clock"."""
    assert written(vendor, TicketUpdate("5", FIELDS, note=MESSAGE))["article"] == {
        "subject": "Points",
        "body": "Please buy points.",
        "content_type": "text/plain",
        "sender": "System",
        "type": "email",
        "to": "carla@acme.example",
        "internal": False,
        "preferences": {"points_bridge": {"mark": "held:1"}},
    }


@pytest.mark.parametrize(
    ("kind", "id_", "change"),
    [("Group", "1", {"email_address_id": None}), ("User", "6", {"email": ""})],
)
def test_a_public_text_that_cannot_be_mailed_is_a_public_note(
    vendor: RequestsMock, kind: str, id_: str, change: Json
) -> None:
    """`type:"email"` in a group without address answers 500."""
    server = Server()
    server.all["assets"][kind][id_].update(change)
    article = written(vendor, TicketUpdate("5", FIELDS, note=MESSAGE), server)["article"]
    assert (article["type"], article["internal"], article["sender"]) == ("note", False, "System")
    assert "to" not in article


@pytest.mark.parametrize("text", ["#{ticket.title}", "##{{x}}", "a #{config.secret} b", "#{#{x}}"])
def test_zammads_placeholders_are_not_passed_on(vendor: RequestsMock, text: str) -> None:
    """ "nor the helpdesk's placeholder syntax"."""
    note = Note("m", f"{text}\r\nBcc: x", text, public=True)
    article = written(vendor, TicketUpdate("5", FIELDS, note=note))["article"]
    assert "#{" not in article["body"] + article["subject"]
    assert not set("\r\n") & set(article["subject"])


def test_a_retried_public_text_asks_again_where_to_send_it(vendor: RequestsMock) -> None:
    server = Server()
    server.serve(vendor)
    adapter = zammad(SECRET)
    adapter.fetch("5")
    adapter.write(TicketUpdate("5", FIELDS, note=MESSAGE))
    server.all["assets"]["Group"]["1"]["email_address_id"] = None
    adapter.write(TicketUpdate("5", FIELDS, note=MESSAGE, repeat=True))
    assert [sent["article"]["type"] for sent in server.put] == ["email", "note"]


def stored(vendor: RequestsMock, **values: object) -> None:
    """Zammad answers with other values than it was sent."""
    server = Server()
    good = {
        "points_summary": "charged 10 · 90 left",
        "points_state": "charged",
        "points_charged": 10,
        "points_balance": 90,
        "points_next_expiry": "2027-11-22",
        "points_response_due": "2026-11-23T13:00:00.000Z",
        "points_sla_state": "running",
        "points_free_reopen_until": None,
    }
    vendor.add("PUT", f"{API}/tickets/5", json={**server.row, **good, **values})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("points_response_due", "2026-11-23T14:00:00+01:00"),
        ("points_response_due", "2026-11-23T13:00:00.999Z"),
        ("points_free_reopen_until", ""),
    ],
)
def test_the_same_value_in_another_notation_is_stored(
    vendor: RequestsMock, name: str, value: object
) -> None:
    stored(vendor, **{name: value})
    zammad(SECRET).write(TicketUpdate("5", FIELDS))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("points_summary", "charged 10 · 80 left"),
        ("points_state", ""),
        ("points_state", None),
        ("points_charged", 0),
        ("points_charged", "10"),
        ("points_charged", 10.0),
        ("points_charged", None),
        ("points_balance", True),
        ("points_next_expiry", "2027-11-23"),
        ("points_next_expiry", None),
        ("points_response_due", None),
        ("points_response_due", "2026-11-23T13:00:08.000Z"),
        ("points_response_due", "2026-11-23T13:00:00"),
        ("points_response_due", "soon"),
        ("points_response_due", 1_795_438_807),
        ("points_sla_state", "met"),
        ("points_free_reopen_until", "2027-02-01"),
        ("points_free_reopen_until", False),
    ],
)
def test_another_stored_value_is_refused_by_name_although_zammad_says_200(
    vendor: RequestsMock, name: str, value: object
) -> None:
    """Recordings 037 and 039: "abc" becomes 0 and a bad date null, both with 200."""
    stored(vendor, **{name: value})
    with pytest.raises(HelpdeskRefused, match=rf"another value than it was sent in {name}:"):
        zammad(SECRET).write(TicketUpdate("5", FIELDS))


def test_a_summary_that_no_setup_has_made_yet_is_done_without(vendor: RequestsMock) -> None:
    """The bridge may be newer than its last set-up, and its writes go on."""
    server = Server()
    server.lost = "points_summary"
    sent = written(vendor, TicketUpdate("5", FIELDS), server)
    assert sent["points_summary"] == "charged 10 · 90 left"


def test_a_status_that_zammad_did_not_take_is_refused(vendor: RequestsMock) -> None:
    stored(vendor, state_id=2)
    vendor.add("GET", f"{API}/ticket_states", json=answer("ticket_states"))
    with pytest.raises(HelpdeskRefused, match="state_id"):
        zammad(SECRET).write(TicketUpdate("5", FIELDS, Status.CLOSED))


def test_a_zammad_without_our_attributes_is_refused_with_the_remedy(vendor: RequestsMock) -> None:
    """Recording 041: an unknown attribute is ignored, and the answer is 200."""
    ignored = recorded("put_unknown_attribute")
    assert ignored["response"]["status"] == 200
    vendor.add("PUT", f"{API}/tickets/5", json=ignored["response"]["body"])
    with pytest.raises(HelpdeskRefused, match=r"points_state.*points-bridge setup.*migrations"):
        zammad(SECRET).write(TicketUpdate("5", FIELDS))


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("error_401_wrong_token", HelpdeskRefused, "access token"),
        ("error_403_no_token", HelpdeskRefused, "ticket.agent"),
        ("error_403_foreign_ticket", HelpdeskRefused, "full access"),
        ("error_404", TicketNotFound, "no such ticket"),
        ("error_404_no_route", HelpdeskRefused, "404"),
        ("error_422_pending_without_time", HelpdeskRefused, "Error ID"),
        ("error_422_closed_for_good", HelpdeskRefused, "Cannot follow-up on a closed ticket"),
        ("put_unknown_option", HelpdeskRefused, "bogus_option"),
        ("put_integer_below_min", HelpdeskRefused, "minimum value of 0"),
        ("error_500", HelpdeskUnavailable, "500"),
    ],
)
def test_a_recorded_error_becomes_one_of_ours_with_a_remedy(
    vendor: RequestsMock, name: str, error: type[Exception], told: str
) -> None:
    response = recorded(name)["response"]
    vendor.add("PUT", f"{API}/tickets/5", json=response["body"], status=response["status"])
    with pytest.raises(error, match=told) as failed:
        zammad(SECRET).write(TicketUpdate("5", FIELDS))
    assert type(failed.value) is error


def test_the_reason_of_a_422_is_trimmed_to_one_line_without_addresses(vendor: RequestsMock) -> None:
    reason = "Invalid email\n'carla@acme.example' " + "x" * 1_000
    vendor.add("PUT", f"{API}/tickets/5", json={"error": reason}, status=422)
    with pytest.raises(HelpdeskRefused) as refused:
        zammad(SECRET).write(TicketUpdate("5", FIELDS))
    told = str(refused.value)
    assert "Invalid email <address>" in told
    assert len(told) < 300


def test_the_token_goes_to_zammad_in_its_own_scheme(vendor: RequestsMock) -> None:
    Server().serve(vendor)
    zammad(SECRET).fetch("5")
    assert {call.request.headers["Authorization"] for call in vendor.calls} == {
        f"Token token={TOKEN}"
    }


def test_the_configuration_does_not_show_its_secrets() -> None:
    shown = repr(ZammadConfig(URL, TOKEN, (SECRET,)))
    assert URL in shown
    assert TOKEN not in shown
    assert SECRET not in shown


@pytest.mark.parametrize("url", ["", "zammad.example", "https://user:pw@zammad.example"])
def test_a_url_that_cannot_be_right_fails_at_start(url: str) -> None:
    with pytest.raises(SettingsError):
        zammad(SECRET, url=url)


def test_what_is_remembered_of_tickets_is_bounded(
    vendor: RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.adapters.zammad.adapter._REMEMBERED_TICKETS", 2)
    vendor.add("GET", f"{API}/users/me", json=answer("users_me"))
    vendor.add("GET", f"{API}/ticket_states", json=answer("ticket_states"))
    adapter = zammad(SECRET)
    for id_ in (5, 6, 7, 8):
        snapshot = recorded_ticket_5()
        row = {**snapshot["assets"]["Ticket"]["5"], "id": id_}
        snapshot = {**snapshot, "ticket_id": id_}
        snapshot["assets"]["Ticket"] = {str(id_): row}
        vendor.add("GET", f"{API}/tickets/{id_}", json=snapshot)
        adapter.fetch(str(id_))
    assert list(adapter._mail_to) == ["7", "8"]
