"""What happens as time goes by."""

from datetime import timedelta
from unittest.mock import MagicMock

import pytest

from bridge.ledger import points
from bridge.ledger.incidents import past_clocks
from bridge.service import watch
from bridge.service.settling import decline_held
from bridge.ticket import PointsState, SlaState, Status
from tests.service.conftest import BETA, DAY, HOUR, NOW, SECOND, House

#: An expiry is booked that long after it.
LOOK_BACK = 72 * HOUR


class TestExpiry:
    def test_is_booked_until_nothing_is_left_however_much_there_is(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(watch, "EXPIRY_BATCH", 2)
        for _ in range(5):
            house.buy(10)
        house.now += 366 * DAY + LOOK_BACK
        with_limits = MagicMock(wraps=points.expire_due)
        monkeypatch.setattr(points, "expire_due", with_limits)
        assert watch.expire_points(house.bridge) == 5
        assert [call.kwargs["limit"] for call in with_limits.call_args_list] == [2, 2, 2, 2]
        assert watch.expire_points(house.bridge) == 0

    def test_is_not_booked_before_its_time(self, house: House) -> None:
        house.buy(10)
        house.now += 365 * DAY
        assert watch.expire_points(house.bridge) == 0


class TestClocks:
    @pytest.fixture
    def running(self, house: House) -> House:
        house.buy(100)
        house.open()
        house.run()
        return house

    def state(self, house: House) -> SlaState | None:
        clock = house.incident().incident.clock
        assert clock
        return clock.result

    def test_run_until_their_last_hour(self, running: House) -> None:
        running.now = NOW + 3 * HOUR - SECOND
        assert watch.watch_clocks(running.bridge) == 0
        assert self.state(running) is SlaState.RUNNING

    def test_are_at_risk_and_then_breached_and_each_is_written_once(self, running: House) -> None:
        for at, state in (
            (NOW + 3 * HOUR, SlaState.AT_RISK),
            (NOW + 4 * HOUR + SECOND, SlaState.BREACHED),
        ):
            running.now = at
            assert watch.watch_clocks(running.bridge) == 1
            assert watch.watch_clocks(running.bridge) == 0
            assert self.state(running) is state
            (update,) = running.send()
            assert (update.fields.sla, update.note, update.status) == (state, None, None)

    def test_are_owed_under_keys_that_say_which_and_why(self, running: House) -> None:
        running.now = NOW + 5 * HOUR
        watch.watch_clocks(running.bridge)
        assert running.rows("outbox")[-1].what == "support:5:fields:1:clock-1-breached"

    def test_that_are_answered_change_no_more(self, running: House) -> None:
        running.answer()
        running.run("5")
        running.now += DAY
        assert watch.watch_clocks(running.bridge) == 0
        assert self.state(running) is SlaState.MET

    def test_that_ended_with_the_ticket_change_no_more(self, running: House) -> None:
        running.desk.set_status("5", Status.CLOSED)
        running.run("5")
        running.now += DAY
        assert watch.watch_clocks(running.bridge) == 0
        assert self.state(running) is SlaState.ENDED

    def test_keep_their_inputs_when_they_change(self, running: House) -> None:
        running.now = NOW + 5 * HOUR
        watch.watch_clocks(running.bridge)
        incident_id = running.incident().id
        (clock,) = running.db.read(lambda conn: past_clocks(conn, incident_id))
        assert clock.inputs["zone"] == "Europe/Berlin"

    def test_of_several_tickets_are_all_watched(self, running: House) -> None:
        running.open("6")
        running.run()
        running.now = NOW + 5 * HOUR
        round_before = running.bridge.wake.round()
        assert watch.watch_clocks(running.bridge) == 2
        assert running.bridge.wake.round() == round_before + 1
        assert watch.watch_clocks(running.bridge) == 0
        assert running.bridge.wake.round() == round_before + 1

    def test_that_are_answered_between_the_look_and_the_write_are_left_alone(
        self, running: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        running.now = NOW + 5 * HOUR
        stored = running.incident()
        running.answer()
        running.run("5")
        monkeypatch.setattr("bridge.ledger.incidents.waiting", lambda _conn, _now: [stored])
        assert watch.watch_clocks(running.bridge) == 0

    def test_of_held_tickets_there_are_none(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house.open()
        house.run()
        stored = house.incident()
        monkeypatch.setattr("bridge.ledger.incidents.waiting", lambda _conn, _now: [stored])
        assert watch.watch_clocks(house.bridge) == 0


class TestHolds:
    @pytest.fixture
    def held(self, house: House) -> House:
        house.open()
        house.run()
        return house

    def test_are_reminded_of_on_days_1_7_and_13_and_declined_on_day_14(self, held: House) -> None:
        subjects = []
        for day in range(1, 16):
            held.now = NOW + day * DAY
            watch.watch_holds(held.bridge)
            watch.watch_holds(held.bridge)
            subjects += [(day, update.note.subject) for update in held.send() if update.note]
        still = "Your request 31005 is still waiting for support points"
        assert subjects == [
            (1, still),
            (7, still),
            (13, still),
            (14, "Your request 31005 was declined"),
        ]

    def test_are_not_reminded_of_before_a_day_is_over(self, held: House) -> None:
        held.now += DAY - SECOND
        assert watch.watch_holds(held.bridge) == 0

    def test_are_reminded_of_once_after_an_outage(self, held: House) -> None:
        held.now += 8 * DAY
        assert (watch.watch_holds(held.bridge), watch.watch_holds(held.bridge)) == (1, 0)
        assert held.rows("outbox")[-1].what == "support:5:reminder:1:7"

    def test_that_end_close_the_ticket_and_cost_nothing(self, held: House) -> None:
        held.now += 14 * DAY
        assert watch.watch_holds(held.bridge) == 1
        (update,) = held.send()
        assert (update.status, update.fields.charged) == (Status.CLOSED, 0)
        assert held.incident().incident.state is PointsState.DECLINED
        assert held.kinds() == ["held", "declined"]
        assert watch.watch_holds(held.bridge) == 0

    def test_end_as_the_helpdesk_wants_it(self, held: House) -> None:
        held.configure(declined_status=None)
        held.now += 14 * DAY
        watch.watch_holds(held.bridge)
        (update,) = held.send()
        assert update.status is None

    def test_of_a_helpdesk_that_is_gone_end_too(self, held: House) -> None:
        stored = held.incident()
        del held.bridge.helpdesks["support"]  # type: ignore[attr-defined]
        declined = held.db.write(lambda conn: decline_held(conn, held.bridge, stored))
        assert declined == held.incident()
        assert declined.incident.state is PointsState.DECLINED

    def test_that_were_released_meanwhile_are_left_alone(
        self, held: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stored = held.incident()
        held.buy(10)
        monkeypatch.setattr(
            "bridge.ledger.incidents.held",
            lambda _conn, account_id=None: [] if account_id else [stored],
        )
        held.now += 14 * DAY
        assert watch.watch_holds(held.bridge) == 0
        assert held.incident().incident.state is PointsState.CHARGED

    def test_of_all_accounts_are_watched_and_the_senders_woken(self, held: House) -> None:
        held.open("6", BETA)
        held.run()
        held.now += timedelta(days=1)
        round_before = held.bridge.wake.round()
        assert watch.watch_holds(held.bridge) == 2
        assert held.bridge.wake.round() == round_before + 1
