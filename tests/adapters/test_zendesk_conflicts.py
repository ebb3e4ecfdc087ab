"""What the Zendesk adapter does when a ticket changed, or was closed, since it was seen."""

from dataclasses import replace

import pytest
from responses import RequestsMock

from bridge.adapters.zendesk.adapter import Zendesk
from bridge.errors import HelpdeskRefused, HelpdeskUnavailable
from bridge.ticket import Status, TicketUpdate
from tests.adapters.contract import FIELDS, RECEIPT
from tests.adapters.zendesk_desk import TICKET, Desk, methods, refusal, zendesk

UPDATE = TicketUpdate(TICKET, FIELDS, note=RECEIPT)


@pytest.fixture
def desk(vendor: RequestsMock) -> Desk:
    desk = Desk()
    desk.serve(vendor)
    return desk


def write(update: TicketUpdate = UPDATE, adapter: Zendesk | None = None) -> bool:
    return (adapter or zendesk()).write(update)


# Somebody else is faster


def test_a_ticket_that_changed_meanwhile_is_read_again_and_written_once(
    desk: Desk, vendor: RequestsMock
) -> None:
    adapter = zendesk()
    adapter.fetch(TICKET)
    desk.touch()
    write(adapter=adapter)
    assert len(desk.put) == 2
    assert desk.shown("points_charged") == "10"
    assert [a["metadata"]["custom"] for a in desk.audits[1:]] == [{"points_bridge": RECEIPT.mark}]


def test_a_note_that_made_the_ticket_change_is_not_written_again(desk: Desk) -> None:
    """A copy of the update that was thought lost may arrive while it is being repeated."""
    adapter = zendesk()
    adapter.fetch(TICKET)
    desk.add_mark(RECEIPT.mark)
    desk.touch()
    write(adapter=adapter)
    assert ["comment" in sent for sent in desk.put] == [True, False]


def test_a_ticket_that_keeps_changing_is_left_for_later(desk: Desk) -> None:
    desk.failures = [refusal(409, "error_409")] * 2
    with pytest.raises(HelpdeskUnavailable):
        write()
    assert len(desk.put) == 2


def test_the_stamp_of_an_update_serves_the_next_one(desk: Desk, vendor: RequestsMock) -> None:
    adapter = zendesk()
    write(adapter=adapter)
    known = len(vendor.calls)
    write(TicketUpdate(TICKET, replace(FIELDS, balance=80)), adapter)
    assert methods(vendor)[known:] == ["PUT 35436.json"]


def test_what_was_seen_too_long_ago_is_read_again(
    desk: Desk, vendor: RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.adapters.zendesk.adapter._REMEMBERED_TICKETS", 0)
    adapter = zendesk()
    adapter.fetch(TICKET)
    known = len(vendor.calls)
    write(adapter=adapter)
    assert methods(vendor)[known:] == ["GET 35436.json", "PUT 35436.json"]


def test_a_repeat_reads_the_ticket_before_its_audits(desk: Desk, vendor: RequestsMock) -> None:
    """In the other order, a copy that arrives between the two would be written twice."""
    adapter = zendesk()
    adapter.fetch(TICKET)
    known = len(vendor.calls)
    write(replace(UPDATE, repeat=True), adapter)
    assert [call for call in methods(vendor)[known:] if "me.json" not in call] == [
        "GET 35436.json",
        "GET audits.json",
        "PUT 35436.json",
    ]


# Closed for good


@pytest.mark.parametrize("seen", [True, False])
def test_a_ticket_that_is_closed_for_good_is_left_alone(desk: Desk, seen: bool) -> None:
    desk.answered()
    adapter = zendesk()
    if seen:
        adapter.fetch(TICKET)
    assert not write(replace(UPDATE, status=Status.CLOSED), adapter)
    assert desk.put == []


def test_a_ticket_that_was_closed_for_good_meanwhile_is_left_alone(desk: Desk) -> None:
    adapter = zendesk()
    adapter.fetch(TICKET)
    desk.ticket["status"] = "closed"
    assert not write(adapter=adapter)
    assert len(desk.put) == 1


@pytest.mark.parametrize(("status", "for_good"), [("closed", True), ("solved", False)])
def test_a_ticket_says_whether_it_is_closed_for_good(
    desk: Desk, status: str, for_good: bool
) -> None:
    desk.ticket["status"] = status
    assert zendesk().fetch(TICKET).closed_for_good is for_good
    assert write() is not for_good


def test_another_refusal_is_told_without_an_address(desk: Desk) -> None:
    desk.failures = [refusal(422, "error_422_assignee")]
    with pytest.raises(HelpdeskRefused, match="Assignee <address> is not a member") as refused:
        write()
    assert refused.value.status == 422


@pytest.mark.parametrize(
    ("status", "name", "told"),
    [
        (403, "error_403", "scope"),
        (404, "error_404_endpoint", "InvalidEndpoint"),
        (400, "error_422_closed", "closed prevents"),
    ],
)
def test_what_zendesk_refuses_is_told_with_what_to_do(
    desk: Desk, vendor: RequestsMock, status: int, name: str, told: str
) -> None:
    desk.failures = [refusal(status, name)]
    with pytest.raises(HelpdeskRefused, match=told) as refused:
        write()
    assert refused.value.status == status
    assert methods(vendor)[-1] == "PUT 35436.json"
