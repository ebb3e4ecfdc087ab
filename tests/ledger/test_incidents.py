"""Incidents as they are stored: what comes back, in which order, and what becomes of old clocks."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge.database.engine import Database
from bridge.ledger import accounts, incidents
from bridge.ledger.incidents import Stored
from bridge.policy.clock import Clock, end_clock
from bridge.policy.decisions import Decision, Incident, Kind
from bridge.policy.rules import Finding, Rule
from bridge.ticket import PointsState, SlaState
from tests.ledger.conftest import DAY, HOUR, NOW

SECOND = timedelta(seconds=1)


@pytest.fixture
def account(db: Database) -> int:
    return db.write(lambda conn: accounts.find_or_create(conn, "acme", NOW).id)


def clock(cycle: int = 1, start: Any = NOW, **given: Any) -> Clock:
    return Clock(
        cycle=cycle,
        started_at=start,
        target=4 * 3600,
        at_risk_at=start + 3 * HOUR,
        due_at=start + 4 * HOUR,
        by_close=start + 4 * HOUR,
        **given,
    )


def keep(
    db: Database,
    account_id: int,
    ticket_id: str = "5",
    *,
    helpdesk: str = "support",
    state: PointsState = PointsState.CHARGED,
    **given: Any,
) -> Stored:
    """A new incident, with its clock if there is one."""
    incident = Incident(state, **{"opened_at": NOW} | given)
    new = Stored(0, helpdesk, ticket_id, f"3100{ticket_id}", account_id, incident)

    def work(conn: Any) -> Stored:
        stored = incidents.add(conn, new)
        incidents.save(conn, stored, {"zone": "UTC"})
        return stored

    return db.write(work)


def save(db: Database, stored: Stored, **given: Any) -> Stored:
    changed = replace(stored, incident=replace(stored.incident, **given))
    db.write(lambda conn: incidents.save(conn, changed))
    return changed


def clocks(db: Database, stored: Stored) -> list[tuple[int, str]]:
    rows = db.read(lambda conn: incidents.past_clocks(conn, stored.id))
    return [(row.cycle, row.result) for row in rows]


def ids(found: list[Stored]) -> list[str]:
    return [stored.ticket_id for stored in found]


def test_an_incident_comes_back_as_it_was_stored(db: Database, account: int) -> None:
    stored = keep(
        db,
        account,
        number=2,
        customer_ref="organization:2",
        held_at=NOW - HOUR,
        closed=True,
        first_closed_at=NOW - DAY,
        seen=7,
        close_hint=NOW - SECOND,
        clock=clock(3, result=SlaState.MET, responded_at=NOW + HOUR, elapsed=3600),
    )
    assert stored.id
    assert db.read(lambda conn: incidents.by_id(conn, stored.id)) == stored
    assert db.read(lambda conn: incidents.newest(conn, "support", "5")) == stored


@pytest.mark.parametrize(
    "given",
    [
        clock(),
        clock(result=None),
        clock(result=SlaState.AT_RISK),
        end_clock(clock(), NOW + HOUR),
        end_clock(clock(), NOW + DAY),
    ],
    ids=["running", "void", "at risk", "ended", "ended late"],
)
def test_a_clock_comes_back_as_it_was_stored(db: Database, account: int, given: Clock) -> None:
    keep(db, account, clock=given)
    stored = db.read(lambda conn: incidents.newest(conn, "support", "5"))
    assert stored
    assert stored.incident.clock == given


def test_what_is_saved_again_has_changed(db: Database, account: int) -> None:
    other = db.write(lambda conn: accounts.find_or_create(conn, "beta", NOW).id)
    stored = replace(keep(db, account, clock=clock()), account_id=other)
    changed = save(db, stored, state=PointsState.REVIEW, closed=True, clock=end_clock(clock(), NOW))
    assert db.read(lambda conn: incidents.by_id(conn, stored.id)) == changed


def test_saving_one_incident_leaves_the_others(db: Database, account: int) -> None:
    other = keep(db, account, "6", clock=clock())
    save(db, keep(db, account, clock=clock()), state=PointsState.REVIEW, clock=clock(result=None))
    assert db.read(lambda conn: incidents.by_id(conn, other.id)) == other


def test_the_inputs_of_a_clock_are_kept_from_its_beginning(db: Database, account: int) -> None:
    stored = keep(db, account, clock=clock())
    save(db, stored, clock=clock(result=SlaState.AT_RISK))
    (row,) = db.read(lambda conn: incidents.past_clocks(conn, stored.id))
    assert (row.inputs, row.result) == ({"zone": "UTC"}, "at_risk")


class TestAClockBeforeTheNextOne:
    """A clock that nobody answered ends when the next one starts: late, or without a result."""

    @pytest.mark.parametrize(
        ("next_start", "result"),
        [
            (NOW + 4 * HOUR, "void"),
            (NOW + 4 * HOUR + SECOND, "breached"),
        ],
    )
    def test_ends(self, db: Database, account: int, next_start: Any, result: str) -> None:
        stored = keep(db, account, clock=clock())
        save(db, stored, clock=clock(2, next_start))
        assert clocks(db, stored) == [(1, result), (2, "running")]

    def test_keeps_its_result(self, db: Database, account: int) -> None:
        met = clock(result=SlaState.MET, responded_at=NOW, elapsed=0)
        stored = keep(db, account, clock=met)
        save(db, stored, clock=clock(2, NOW + DAY))
        assert clocks(db, stored) == [(1, "met"), (2, "running")]

    def test_ends_at_risk_too(self, db: Database, account: int) -> None:
        stored = keep(db, account, clock=clock(result=SlaState.AT_RISK))
        save(db, stored, clock=clock(2, NOW + DAY))
        assert clocks(db, stored)[0] == (1, "breached")

    def test_of_another_incident_runs_on(self, db: Database, account: int) -> None:
        other = keep(db, account, "6", clock=clock())
        save(db, keep(db, account, clock=clock()), clock=clock(2, NOW + DAY))
        assert clocks(db, other) == [(1, "running")]


def test_the_last_clock_is_the_incident_s(db: Database, account: int) -> None:
    stored = keep(db, account, clock=clock())
    save(db, stored, clock=clock(2, NOW + DAY))
    found = db.read(lambda conn: incidents.by_id(conn, stored.id))
    assert found.incident.clock == clock(2, NOW + DAY)


class TestOnATicket:
    def test_the_last_incident_is_the_newest(self, db: Database, account: int) -> None:
        second = keep(db, account, number=2)
        first = keep(db, account, number=1)
        keep(db, account, "6", number=3)
        keep(db, account, helpdesk="sales", number=4)
        assert db.read(lambda conn: incidents.newest(conn, "support", "5")) == second
        found = db.read(lambda conn: incidents.on_ticket(conn, "support", "5"))
        assert found == [first, second]

    def test_there_may_be_none(self, db: Database) -> None:
        assert db.read(lambda conn: incidents.newest(conn, "support", "5")) is None
        assert db.read(lambda conn: incidents.on_ticket(conn, "support", "5")) == []


class TestHeld:
    @pytest.fixture
    def waiting(self, db: Database, account: int) -> int:
        """Four that wait, of two accounts, and one that does not; the other account's id."""
        other = db.write(lambda conn: accounts.find_or_create(conn, "beta", NOW).id)
        hold: dict[str, Any] = {"state": PointsState.AWAITING_POINTS, "held_at": NOW}
        keep(db, account, "1", opened_at=NOW, **hold)
        keep(db, account, "2", opened_at=NOW - HOUR, **hold)
        keep(db, other, "3", opened_at=NOW - DAY, **hold)
        keep(db, account, "4", opened_at=NOW, **hold)
        keep(db, account, "5")
        return other

    def test_the_oldest_ticket_comes_first(self, db: Database, account: int, waiting: int) -> None:
        assert ids(db.read(lambda conn: incidents.held(conn, account))) == ["2", "1", "4"]
        assert ids(db.read(lambda conn: incidents.held(conn, waiting))) == ["3"]

    def test_those_of_all_accounts(self, db: Database, waiting: int) -> None:
        assert waiting
        assert ids(db.read(incidents.held)) == ["3", "2", "1", "4"]


class TestRunning:
    @pytest.fixture(autouse=True)
    def several(self, db: Database, account: int) -> None:
        keep(db, account, "1", clock=clock(start=NOW + SECOND))
        keep(db, account, "2", clock=clock(result=SlaState.AT_RISK))
        keep(db, account, "3", clock=clock(result=SlaState.MET, responded_at=NOW, elapsed=0))
        keep(db, account, "4", clock=end_clock(clock(), NOW))
        keep(db, account, "5", clock=clock(result=SlaState.BREACHED))
        keep(db, account, "6", clock=clock(result=None))
        keep(db, account, "7")
        keep(db, account, "8", clock=clock(), closed=True)
        keep(db, account, "9", clock=clock(), helpdesk="sales")

    def watched(self, db: Database, at: Any) -> list[str]:
        return ids(db.read(lambda conn: incidents.waiting(conn, at)))

    def test_those_that_have_reached_their_warning_are_watched(self, db: Database) -> None:
        assert self.watched(db, NOW + 3 * HOUR - SECOND) == []
        assert self.watched(db, NOW + 3 * HOUR) == ["2", "8", "9"]

    def test_those_due_first_come_first(self, db: Database) -> None:
        assert self.watched(db, NOW + DAY) == ["2", "8", "9", "1"]

    def test_of_a_helpdesk_the_newest_promises_come_first(self, db: Database) -> None:
        def promised(helpdesk: str, limit: int) -> list[str]:
            return ids(db.read(lambda conn: incidents.promised(conn, helpdesk, limit)))

        assert promised("support", 9) == ["2", "1"]
        assert promised("support", 1) == ["2"]
        assert promised("sales", 9) == ["9"]


def test_the_day_of_the_last_reminder_is_kept(db: Database, account: int) -> None:
    one, other = keep(db, account), keep(db, account, "6")
    assert db.read(lambda conn: incidents.reminded_day(conn, one.id)) == 0
    db.write(lambda conn: incidents.set_reminded(conn, one.id, 7))
    assert db.read(lambda conn: incidents.reminded_day(conn, one.id)) == 7
    assert db.read(lambda conn: incidents.reminded_day(conn, other.id)) == 0


def test_decisions_are_recorded_in_the_order_in_which_they_were_made(
    db: Database, account: int
) -> None:
    second, first = keep(db, account, number=2), keep(db, account, number=1)
    other = keep(db, account, "6")
    finding = Finding(Rule.PRICE, "costs 10 points", {"price": 10})
    made = Decision(Kind.ACCEPTED, NOW - HOUR, first.incident, (finding,))

    def work(conn: Any) -> list[int]:
        return [
            incidents.record(conn, one.id, made, NOW, delivery)
            for one, delivery in ((first, "d1"), (second, None), (other, "d2"))
        ]

    numbers = db.write(work)
    found = db.read(lambda conn: incidents.past_decisions(conn, [second.id, first.id]))
    assert [(one.id, one.number, one.delivery) for one in found] == [
        (numbers[0], 1, "d1"),
        (numbers[1], 2, None),
    ]
    assert (found[0].kind, found[0].at, found[0].decided_at) == ("accepted", NOW - HOUR, NOW)
    assert found[0].findings == [
        {"rule": finding.rule.value, "outcome": "costs 10 points", "inputs": {"price": 10}}
    ]
