"""A purchase, and held tickets to which something happened that has not been looked at yet."""

import pytest

from bridge.errors import HelpdeskRefused, HelpdeskUnavailable
from bridge.service import watch
from bridge.service.intake import handle_next
from bridge.ticket import Actor, CustomerChange, OrganizationChange, PointsState, Status
from tests.service.conftest import ACME, BETA, DAY, House


def move(house: House, actor: Actor = Actor.AGENT, ticket_id: str = "5") -> None:
    """Somebody gives the ticket from Acme to Beta now, and nobody tells."""
    seq = len(house.desk.changes[ticket_id]) + 1
    house.desk.changes[ticket_id].append(OrganizationChange(seq, house.now, actor, "5", "2", "3"))
    house.change(ticket_id, customer=BETA)


def state(house: House, ticket_id: str = "5") -> PointsState:
    return house.incident(ticket_id).incident.state


class TestADeliveryWaits:
    """The helpdesk has told of something, and nobody has looked yet."""

    @pytest.mark.parametrize("status", [Status.CLOSED, Status.MERGED, Status.REMOVED])
    def test_a_ticket_that_is_closed_is_not_charged(self, held: House, status: Status) -> None:
        held.desk.set_status("5", status)
        held.tell()
        assert held.buy(10).released == ()
        assert held.run() == "declined"
        assert (held.on_hand(), held.kinds()) == (10, ["held", "declined"])
        assert held.desk.tickets["5"].status is status

    def test_a_ticket_that_has_moved_is_not_charged(self, held: House) -> None:
        move(held)
        held.tell()
        assert held.buy(10).released == ()
        assert held.run() == "moved"
        assert (held.on_hand(), state(held)) == (10, PointsState.AWAITING_POINTS)

    def test_a_ticket_that_still_waits_is_released_by_the_look(self, held: House) -> None:
        held.tell()
        assert held.buy(10).released == ()
        assert held.run() == "released"
        assert (held.on_hand(), state(held)) == (0, PointsState.CHARGED)
        assert held.desk.tickets["5"].status is Status.OPEN

    def test_what_comes_while_it_is_looked_at_is_looked_at_first(
        self, held: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The ticket is read, then closed, then points come; only then is the look settled."""
        fetch = held.desk.fetch

        def fetch_first(ticket_id: str) -> object:
            read = fetch(ticket_id)
            monkeypatch.setattr(held.desk, "fetch", fetch)
            held.desk.set_status("5", Status.CLOSED)
            held.tell()
            held.buy(10)
            return read

        monkeypatch.setattr(held.desk, "fetch", fetch_first)
        held.tell()
        assert handle_next(held.bridge)
        assert state(held) is PointsState.AWAITING_POINTS
        assert held.run() == "declined"
        assert held.on_hand() == 10

    def test_its_points_are_left_to_the_older_one(self, held: House) -> None:
        held.open("6")
        held.run()
        held.tell("5")
        assert held.buy(10).released == ()
        held.run()
        assert (state(held, "5"), state(held, "6")) == (
            PointsState.CHARGED,
            PointsState.AWAITING_POINTS,
        )

    def test_what_is_left_goes_to_the_younger_one_at_once(self, held: House) -> None:
        held.open("6")
        held.run()
        held.tell("5")
        assert [stored.ticket_id for stored in held.buy(20).released] == ["6"]
        held.run()
        assert (held.on_hand(), state(held, "5")) == (0, PointsState.CHARGED)

    def test_a_younger_one_that_is_looked_at_does_not_overtake(self, held: House) -> None:
        held.open("6")
        held.run()
        held.tell("6")
        held.tell("5")
        held.buy(10)
        handle_next(held.bridge)
        assert (state(held, "5"), state(held, "6")) == (PointsState.AWAITING_POINTS,) * 2
        held.run()
        assert state(held, "5") is PointsState.CHARGED

    @pytest.mark.parametrize("moves", [False, True])
    def test_the_younger_one_gets_what_the_older_one_does_not_need(
        self, held: House, moves: bool
    ) -> None:
        held.open("6")
        held.run()
        if moves:
            move(held)
        else:
            held.desk.set_status("5", Status.CLOSED)
        held.tell("5")
        held.buy(10)
        held.run()
        assert (held.on_hand(), state(held, "6")) == (0, PointsState.CHARGED)

    def test_a_delivery_that_nobody_could_handle_does_not_hold_it_for_ever(
        self, held: House
    ) -> None:
        held.tell()
        held.buy(10)
        held.desk.failing["fetch"] = HelpdeskRefused("the token has no rights")
        held.settle()
        held.desk.failing.clear()
        assert state(held) is PointsState.AWAITING_POINTS
        watch.watch_holds(held.bridge)
        assert state(held) is PointsState.CHARGED

    def test_its_requester_is_not_reminded(self, held: House) -> None:
        held.desk.set_status("5", Status.CLOSED)
        held.tell()
        held.later(days=1)
        assert watch.watch_holds(held.bridge) == 0
        assert held.run() == "declined"
        assert [note.public for note in held.notes()] == [True, False]


class TestNothingWasHeard:
    """The webhook was lost: only a look tells."""

    @pytest.mark.parametrize("status", [Status.CLOSED, Status.MERGED, Status.REMOVED])
    def test_the_charge_of_a_ticket_that_was_closed_comes_back(
        self, held: House, status: Status
    ) -> None:
        held.desk.set_status("5", status)
        held.later(hours=1)
        assert held.buy(10).released
        assert held.run() == "declined"
        assert (held.on_hand(), state(held)) == (10, PointsState.DECLINED)
        assert held.desk.tickets["5"].status is status

    def test_and_releases_who_waits_still(self, held: House) -> None:
        held.open("6")
        held.run()
        held.desk.set_status("5", Status.CLOSED)
        held.later(hours=1)
        held.buy(10)
        held.run()
        assert (held.on_hand(), state(held, "6")) == (0, PointsState.CHARGED)

    def test_a_write_that_is_faster_than_the_look_does_not_reopen_it(self, held: House) -> None:
        held.desk.set_status("5", Status.CLOSED)
        held.later(hours=1)
        held.buy(10)
        held.send()
        assert held.desk.tickets["5"].status is Status.CLOSED
        assert held.run() == "declined"
        assert held.on_hand() == 10

    def test_a_ticket_that_had_moved_is_paid_by_whom_it_belongs_to(self, held: House) -> None:
        move(held)
        held.later(hours=1)
        held.buy(10, BETA.name)
        held.buy(10)
        assert held.run() == "moved, accepted"
        assert (held.on_hand(), held.on_hand(BETA.name)) == (10, 0)

    def test_and_so_is_one_whose_person_had_moved_while_it_was_held(self, held: House) -> None:
        """What is held follows its person."""
        move(held, Actor.SYSTEM)
        held.later(hours=1)
        held.buy(10)
        assert held.run() == "moved, held"
        assert held.on_hand() == 10

    def test_a_person_who_moves_after_the_release_leaves_the_charge(self, held: House) -> None:
        held.buy(10)
        held.run()
        held.later(hours=1)
        move(held, Actor.SYSTEM)
        assert held.run("5") == "noted"

    def test_a_reopening_after_it_is_a_new_incident(self, held: House) -> None:
        held.desk.set_status("5", Status.CLOSED)
        held.later(hours=1)
        held.buy(10)
        held.desk.set_status("5", Status.OPEN)
        assert held.run() == "declined, accepted"
        assert (held.on_hand(), held.incident().incident.number) == (0, 2)

    def test_a_look_that_finds_it_as_it_was_changes_nothing(self, held: House) -> None:
        held.buy(10)
        assert held.run() == "nothing"
        assert (held.on_hand(), held.kinds()) == (0, ["held", "released"])
        assert held.rows("inbox")[-1].what == "look"

    def test_the_requester_of_a_ticket_that_was_closed_is_not_reminded(self, held: House) -> None:
        held.desk.set_status("5", Status.CLOSED)
        held.later(days=1)
        watch.watch_holds(held.bridge)
        assert held.send() == []
        assert held.run() == "declined"
        assert [note.public for note in held.notes()] == [True, False]

    def test_a_message_does_not_go_to_another_account_s_requester(self, house: House) -> None:
        house.open()
        house.settle()
        move(house)
        house.later(minutes=2)
        assert house.send() == []
        assert house.run() == "moved"
        assert [note.public for note in house.notes()] == [False]

    def test_what_was_read_just_now_is_not_read_again(self, house: House) -> None:
        house.open()
        house.settle()
        assert house.send()
        assert house.desk.calls == ["fetch", "write"]

    def test_a_message_goes_to_another_requester_of_the_same_account(self, held: House) -> None:
        held.later(days=1)
        watch.watch_holds(held.bridge)
        line = CustomerChange(9, held.now, Actor.AGENT, "5", "7", "8")
        held.desk.changes["5"].append(line)
        (update,) = held.send()
        assert update.note
        assert update.note.public


class TestTheHelpdeskDoesNotShowIt:
    """It may be deleted, or a right may be missing: nothing is decided, and nothing charged."""

    @pytest.fixture
    def gone(self, held: House) -> House:
        self.ticket = held.desk.tickets.pop("5")
        held.run("5")
        assert held.rows("inbox")[-2].outcome == "no ticket '5' in memory"
        return held

    def test_it_is_not_released(self, gone: House) -> None:
        assert gone.buy(10).released == ()
        watch.watch_holds(gone.bridge)
        assert (gone.on_hand(), state(gone)) == (10, PointsState.AWAITING_POINTS)

    def test_nor_are_points_kept_back_for_it(self, gone: House) -> None:
        gone.open("6")
        gone.run()
        assert [stored.ticket_id for stored in gone.buy(10).released] == ["6"]

    def test_it_is_looked_for_every_day_and_released_when_it_is_back(self, gone: House) -> None:
        gone.buy(10)
        for _ in range(2):
            gone.later(hours=23)
            assert not handle_next(gone.bridge)
            gone.later(hours=1)
            assert handle_next(gone.bridge)
        gone.desk.tickets["5"] = self.ticket
        gone.later(days=1)
        assert gone.run() == "released"
        assert gone.on_hand() == 0

    def test_its_hold_ends_without_a_charge(self, gone: House) -> None:
        gone.buy(10)
        gone.later(days=14)
        watch.watch_holds(gone.bridge)
        assert (gone.on_hand(), state(gone)) == (10, PointsState.DECLINED)

    def test_what_nobody_holds_is_not_looked_for(self, house: House) -> None:
        house.buy(10)
        house.open()
        house.run()
        del house.desk.tickets["5"]
        house.run("5")
        assert {row.state for row in house.rows("inbox")} == {"done"}


def test_a_purchase_and_a_move_at_one_moment_charge_once(house: House) -> None:
    """Whichever is settled first, the account that the ticket belongs to pays, and once."""
    house.open()
    house.run()
    house.later(days=1)
    move(house)
    house.tell()
    house.buy(10)
    house.buy(10, BETA.name)
    house.run()
    assert (house.on_hand(ACME.name), house.on_hand(BETA.name)) == (10, 0)
    assert house.kinds() == ["held", "moved", "released"]
    house.now += DAY
    watch.watch_holds(house.bridge)
    assert house.on_hand(BETA.name) == 0


def test_points_that_came_in_time_are_not_declined_for_a_look_that_waits(house: House) -> None:
    house.open()
    house.run()
    house.later(days=13)
    house.desk.failing["fetch"] = HelpdeskUnavailable("no answer")
    house.tell("5")
    house.settle()
    house.buy(10)
    house.later(days=1, hours=1)
    assert watch.watch_holds(house.bridge) == 0
    house.desk.failing.clear()
    house.later(hours=4)
    house.run()
    assert house.kinds() == ["held", "released"]
