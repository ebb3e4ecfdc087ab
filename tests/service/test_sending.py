"""What is owed goes out: once, in order, and not when it has become wrong."""

from dataclasses import replace
from datetime import date

import pytest
import structlog

from bridge.errors import HelpdeskRefused, HelpdeskUnavailable
from bridge.ledger import incidents
from bridge.policy.retries import WAITS
from bridge.queues import outbox, rows
from bridge.queues.outbox import FieldRepair, TicketWrite
from bridge.service.accounts import AccountChange, change_account
from bridge.service.sending import send_next
from bridge.ticket import Actor, Fields, Note, OrganizationChange, PointsState, SlaState, Status
from tests.service.conftest import ACME, BETA, DAY, HOUR, NOW, House


@pytest.fixture
def charged(house: House) -> House:
    house.buy(100)
    house.open()
    house.settle()
    return house


@pytest.fixture
def held(house: House) -> House:
    house.configure(held_status=Status.PENDING)
    house.open()
    house.settle()
    return house


def test_an_opened_ticket_takes_one_write(charged: House) -> None:
    (update,) = charged.send()
    assert (update.ticket_id, update.status, update.repeat) == ("5", None, False)
    assert update.fields == Fields(
        state=PointsState.CHARGED,
        charged=10,
        balance=90,
        next_expiry=date(2027, 11, 23),
        response_due=NOW + 4 * HOUR,
        sla=SlaState.RUNNING,
        zone="Europe/Berlin",
        summary="answer by Mon 14:00 Berlin (2026-11-23) · charged 10 · $balance left",
    )
    assert [(row.state, row.outcome) for row in charged.rows("outbox")] == [("done", "written")]


def test_there_is_nothing_to_send_where_nothing_is_owed(house: House) -> None:
    assert not send_next(house.bridge)


def test_a_held_ticket_is_set_to_wait_until_its_end(held: House) -> None:
    (update,) = held.send()
    assert (update.status, update.pending_until) == (Status.PENDING, NOW + 14 * DAY)
    assert update.note
    assert update.note.public


def test_fields_show_what_is_true_when_they_are_written(charged: House) -> None:
    charged.buy(50)
    (update,) = charged.send()
    assert update.fields.balance == 140


def test_a_ticket_s_writes_go_out_in_order(held: House) -> None:
    held.buy(10)
    assert [update.note and update.note.public for update in held.send()] == [None, True]


class TestWhatShowsFieldsAlone:
    """ "one write per thing that happened, none to refresh a balance" """

    def test_is_shown_by_the_write_before_it(self, charged: House) -> None:
        charged.answer()
        charged.settle("5")
        charged.desk.set_status("5", Status.CLOSED)
        charged.settle("5")
        (update,) = charged.send()
        assert (update.fields.sla, update.note is None) == (SlaState.MET, False)
        assert [row.outcome for row in charged.rows("outbox")] == ["written"] * 3

    def test_is_left_to_a_write_behind_it_that_tells_somebody(self, charged: House) -> None:
        charged.send()
        charged.desk.set_status("5", Status.CLOSED)
        charged.settle("5")
        charged.later(days=1)
        charged.desk.set_status("5", Status.OPEN)
        charged.settle("5")
        (update,) = charged.send()
        assert update.note
        assert update.note.text.startswith("Points: free re-open")
        outcomes = [row.outcome for row in charged.rows("outbox")]
        assert outcomes == ["written", "left to the write behind it", "written"]

    def test_is_not_owed_where_the_ticket_shows_it(self, charged: House) -> None:
        reopened_and_answered(charged)
        charged.desk.set_status("5", Status.CLOSED)
        assert charged.run("5") == "closed"
        assert len(charged.desk.updates) == 5

    def test_is_owed_where_somebody_typed_over_it(self, charged: House) -> None:
        reopened_and_answered(charged)
        charged.desk.set_status("5", Status.CLOSED)
        shown = charged.desk.fields["5"]
        charged.desk.fields["5"] = replace(shown, state=PointsState.DECLINED)
        assert charged.run("5") == "closed"
        assert charged.desk.fields["5"].state is PointsState.FREE_REOPEN

    def test_is_owed_while_another_write_may_change_it(self, charged: House) -> None:
        reopened_and_answered(charged, sent=False)
        charged.desk.set_status("5", Status.CLOSED)
        charged.settle("5")
        assert charged.rows("outbox")[-1].state == rows.QUEUED


def reopened_and_answered(house: House, *, sent: bool = True) -> None:
    """A charged ticket that was answered, closed, re-opened and answered again: five writes."""
    house.send()
    house.later(minutes=1)
    house.answer()
    house.run("5")
    house.desk.set_status("5", Status.CLOSED)
    house.run("5")
    house.later(days=1)
    house.desk.set_status("5", Status.OPEN)
    house.run("5")
    house.later(minutes=1)
    house.answer()
    house.settle("5")
    if sent:
        house.send()
    house.later(minutes=1)


class TestWhatHasBecomeWrong:
    def test_a_reply_to_a_ticket_that_was_released_meanwhile_does_not_go_out(
        self, held: House
    ) -> None:
        held.buy(10)
        first, second = held.send()
        assert (first.status, first.pending_until, first.note) == (None, None, None)
        assert first.fields.state is PointsState.CHARGED
        assert (second.status, second.note and second.note.public) == (Status.OPEN, True)

    def test_nor_that_work_begins_on_what_was_answered_meanwhile(self, held: House) -> None:
        held.send()
        held.later(hours=1)
        held.buy(10)
        held.later(minutes=1)
        held.answer()
        assert held.settle("5") == "responded"
        written = held.send()
        assert [update.note for update in written] == [None] * len(written)
        assert held.desk.tickets["5"].status is Status.OPEN

    def test_a_receipt_goes_out_all_the_same(self, charged: House) -> None:
        charged.change(status=Status.OPEN)
        stored = charged.incident()
        charged.desk.set_status("5", Status.CLOSED)
        charged.settle("5")
        charged.later(days=1)
        charged.desk.set_status("5", Status.OPEN)
        charged.settle("5")
        assert charged.incident().incident.state is not stored.incident.state
        first = charged.send()[0]
        assert first.note
        assert first.note.text.startswith("Points: 10 charged to Acme GmbH")

    def test_what_an_earlier_incident_was_to_say_shows_the_newest_one(self, charged: House) -> None:
        charged.desk.set_status("5", Status.CLOSED)
        charged.settle("5")
        charged.later(days=91)
        charged.desk.set_status("5", Status.OPEN)
        charged.settle("5")
        first = charged.send()[0]
        assert first.fields.free_reopen_until is None
        assert first.fields.balance == 80

    def test_the_status_of_an_earlier_incident_is_not_set(self, charged: House) -> None:
        charged.send()
        first = charged.incident()
        charged.desk.set_status("5", Status.CLOSED)
        charged.settle("5")
        charged.later(days=91)
        charged.desk.set_status("5", Status.OPEN)
        charged.settle("5")
        charged.send()
        note = Note("m", "s", "t", public=True)
        payload = TicketWrite(first.id, "charged", Status.CLOSED, NOW, note)
        owe(charged, payload)
        (update,) = charged.send()
        assert (update.status, update.pending_until, update.note) == (None, None, None)

    def test_a_status_that_would_open_what_was_closed_since_is_not_set(self, held: House) -> None:
        held.send()
        held.buy(10)
        held.desk.set_status("5", Status.CLOSED)
        assert held.settle("5") == "closed"
        assert [update.status for update in held.send()] == [None]
        assert held.desk.tickets["5"].status is Status.CLOSED

    @pytest.mark.parametrize("heard", [True, False])
    def test_a_late_write_opens_nothing_that_was_closed_seconds_before(
        self, held: House, heard: bool
    ) -> None:
        """Ten points and a second hold came of it."""
        held.desk.failing["write"] = HelpdeskUnavailable("no answer")
        held.send()
        held.desk.failing.clear()
        held.later(seconds=10)
        held.desk.set_status("5", Status.CLOSED)
        if heard:
            held.tell("5")
        assert held.send() == []
        assert held.desk.tickets["5"].status is Status.CLOSED
        held.run("5")
        held.buy(10)
        held.run()
        assert held.kinds() == ["held", "declined"]
        assert held.on_hand() == 10

    def test_what_an_account_is_told_does_not_go_to_whom_its_ticket_was_moved(
        self, held: House
    ) -> None:
        """The hold goes on, so the ticket is set to wait all the same."""
        line = OrganizationChange(9, held.now, Actor.AGENT, "5", "2", "3")
        held.desk.changes["5"].append(line)
        held.change(customer=BETA)
        assert held.settle("5") == "moved"
        first, second = held.send()
        assert (first.status, first.pending_until) == (Status.PENDING, NOW + 14 * DAY)
        assert first.note is None
        assert second.note
        assert not second.note.public

    def test_what_an_account_is_told_goes_to_another_record_of_its_own(self, held: House) -> None:
        """Nobody looked for a minute, so the ticket is read before anybody is told anything."""
        change_account(
            held.bridge,
            ACME.name,
            AccountChange(link="support:organization:3", new=True, take=True),
        )
        held.change(customer=BETA)
        held.later(minutes=2)
        first = held.send()[0]
        assert first.note
        assert first.note.public

    def test_what_was_owed_before_its_account_was_noted_goes_out(self, held: House) -> None:
        held.send()
        note = Note("m", "s", "t", public=True)
        owe(held, TicketWrite(held.incident().id, "awaiting_points", note=note))
        (update,) = held.send()
        assert update.note == note


def owe(house: House, payload: TicketWrite | FieldRepair) -> None:
    house.db.write(
        lambda conn: outbox.owe(
            conn,
            helpdesk="support",
            ticket_id="5",
            key=f"test:{house.now}",
            payload=payload,
            now=house.now,
        )
    )


class TestFailing:
    def test_a_note_that_may_have_arrived_is_looked_for(self, charged: House) -> None:
        charged.desk.failing["write"] = HelpdeskUnavailable("no answer")
        charged.send()
        charged.desk.failing.clear()
        charged.later(hours=1)
        (update,) = charged.send()
        assert update.repeat

    def test_a_repair_that_may_have_arrived_is_marked_so_too(self, charged: House) -> None:
        charged.send()
        owe(charged, FieldRepair(charged.incident().id))
        charged.desk.failing["write"] = HelpdeskUnavailable("no answer")
        charged.send()
        charged.desk.failing.clear()
        charged.later(hours=1)
        (update,) = charged.send()
        assert update.repeat

    def test_the_wait_that_the_helpdesk_asks_for_is_kept(self, charged: House) -> None:
        charged.desk.failing["write"] = HelpdeskUnavailable("slow down", retry_after=3600)
        with structlog.testing.capture_logs() as logs:
            charged.send()
        (row,) = charged.rows("outbox")
        assert (row.state, row.outcome, row.next_at) == ("queued", "slow down", NOW + HOUR)
        assert logs == [
            {
                "event": "postponed",
                "log_level": "warning",
                "queue": "outbox",
                "ids": [1],
                "error": "slow down",
            }
        ]

    @pytest.mark.parametrize(("random", "factor"), [(0.0, 0.8), (0.75, 1.1)])
    def test_the_waits_are_spread(
        self, charged: House, monkeypatch: pytest.MonkeyPatch, random: float, factor: float
    ) -> None:
        monkeypatch.setattr("random.random", lambda: random)
        charged.desk.failing["write"] = HelpdeskUnavailable("no answer")
        charged.send()
        assert charged.rows("outbox")[0].next_at == NOW + WAITS[0] * factor

    def test_a_refusal_is_a_dead_letter(self, charged: House) -> None:
        charged.desk.failing["write"] = HelpdeskRefused("no such field")
        with structlog.testing.capture_logs() as logs:
            charged.send()
        (row,) = charged.rows("outbox")
        assert (row.state, row.outcome) == ("dead", "no such field")
        assert logs == [
            {
                "event": "dead letter",
                "log_level": "warning",
                "queue": "outbox",
                "ids": [1],
                "error": "no such field",
            }
        ]

    def test_a_fault_of_ours_is_tried_again_and_shows_no_secret(self, charged: House) -> None:
        charged.desk.failing["write"] = ZeroDivisionError("token=1234")
        with structlog.testing.capture_logs() as logs:
            charged.send()
        (row,) = charged.rows("outbox")
        assert (row.state, row.outcome) == (
            "queued",
            "unexpected ZeroDivisionError; see the log",
        )
        assert NOW + WAITS[0] * 0.8 <= row.next_at <= NOW + WAITS[0] * 1.2
        (entry,) = logs
        assert (entry["event"], entry["queue"], entry["ids"]) == ("attempt failed", "outbox", [1])

    def test_a_helpdesk_that_is_configured_no_more_leaves_a_dead_letter(
        self, charged: House
    ) -> None:
        del charged.bridge.helpdesks["support"]  # type: ignore[attr-defined]
        charged.send()
        (row,) = charged.rows("outbox")
        assert (row.state, row.outcome) == (
            "dead",
            "no helpdesk 'support' is configured; known: sales",
        )

    def test_nobody_else_is_held_up(self, charged: House) -> None:
        charged.desk.failing["write"] = HelpdeskUnavailable("no answer")
        assert send_next(charged.bridge)
        charged.open("6")
        charged.settle()
        charged.desk.failing.clear()
        assert [update.ticket_id for update in charged.send()] == ["6"]


def test_two_helpdesks_have_their_own_outbox(charged: House) -> None:
    stored = charged.incident()
    assert charged.db.read(lambda conn: incidents.newest(conn, "sales", "5")) is None
    assert stored.helpdesk == "support"
    charged.send()
    assert charged.sales.calls == []
