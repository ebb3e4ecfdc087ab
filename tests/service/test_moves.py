"""A ticket that moves to another account, in one transaction."""

import pytest

from bridge.ledger.displays import stale
from bridge.policy.points import expires_at
from bridge.service.reports import balance, explain, statement
from bridge.ticket import Actor, Change, CustomerChange, OrganizationChange, PointsState, Status
from tests.service.conftest import ACME, BETA, HOUR, NOW, House


def move(house: House, actor: Actor = Actor.AGENT, ticket_id: str = "5") -> None:
    """Somebody gives the ticket from Acme to Beta now."""
    seq = len(house.desk.changes[ticket_id]) + 1
    house.desk.changes[ticket_id].append(OrganizationChange(seq, house.now, actor, "5", "2", "3"))
    house.change(ticket_id, customer=BETA)


def charged(house: House) -> None:
    house.buy(100)
    house.open()
    house.run()
    house.later(hours=1)


def test_a_charge_goes_back_and_the_new_account_pays(house: House) -> None:
    house.buy(100, BETA.name)
    charged(house)
    move(house)
    assert house.run("5") == "moved, accepted"
    assert (house.on_hand(), house.on_hand(BETA.name)) == (100, 90)
    old, new = explain(house.bridge, "support", "5").incidents
    assert (old.incident.state, new.incident.state) == (
        PointsState.CREDITED,
        PointsState.CHARGED,
    )
    assert (old.incident.number, new.incident.number) == (1, 2)
    assert old.account_id != new.account_id
    line = statement(house.bridge, ACME.name).entries[-1]
    assert (line.kind, line.actor, line.reason) == ("credit", "bridge", "moved to another account")


def test_the_clock_goes_on_under_the_account_that_pays(house: House) -> None:
    house.buy(100, BETA.name)
    charged(house)
    move(house)
    house.run("5")
    clock = house.incident().incident.clock
    assert clock
    assert (clock.started_at, clock.due_at) == (NOW, NOW + 4 * HOUR)


def test_without_points_there_it_is_held_for_the_new_account(house: House) -> None:
    charged(house)
    move(house)
    assert house.run("5") == "moved, held"
    assert house.on_hand() == 100
    assert house.buy(10, BETA.name).released
    assert house.on_hand(BETA.name) == 0


def test_both_decisions_are_one_write(house: House) -> None:
    house.buy(100, BETA.name)
    charged(house)
    move(house)
    house.settle("5")
    (update,) = house.send()
    assert (update.fields.state, update.fields.charged, update.fields.balance) == (
        PointsState.CHARGED,
        10,
        90,
    )
    assert update.note
    assert update.note.text == (
        "Points: moved here from Acme GmbH, which got its points back. 10 charged to Beta Ltd."
        " The clock goes on: first response due 2026-11-23 14:00 Europe/Berlin time,"
        " in business hours there."
    )


def test_credited_points_live_as_long_as_the_terms_say(house: House) -> None:
    house.buy(10, on=(NOW - 300 * 24 * HOUR).date())
    house.open()
    house.run()
    move(house)
    house.run("5")
    after_90_days = (NOW + 90 * 24 * HOUR).date()
    (lot,) = balance(house.bridge, ACME.name).lots
    assert lot.expires_at == expires_at(
        after_90_days.replace(year=after_90_days.year - 1), "Europe/Berlin"
    )


def test_a_hold_moves_and_only_the_new_accounts_points_release_it(house: House) -> None:
    house.open()
    house.run()
    move(house)
    assert house.run("5") == "moved"
    assert house.buy(100).released == ()
    (released,) = house.buy(10, BETA.name).released
    assert released.incident.number == 1
    assert (house.on_hand(), house.on_hand(BETA.name)) == (100, 0)


def test_a_hold_that_moves_to_points_is_released_by_them(house: House) -> None:
    house.buy(10, BETA.name)
    house.open()
    house.run()
    move(house)
    assert house.run("5") == "moved, released"
    assert house.on_hand(BETA.name) == 0
    (incident,) = explain(house.bridge, "support", "5").incidents
    assert explain(house.bridge, "support", "5").account.name == BETA.name
    assert incident.incident.customer_ref == BETA.ref


def test_a_closed_ticket_is_flagged_and_nothing_moves(house: House) -> None:
    charged(house)
    house.desk.set_status("5", Status.CLOSED)
    house.run("5")
    move(house)
    assert house.run("5") == "flagged"
    assert house.incident().incident.state is PointsState.REVIEW
    assert house.on_hand() == 90
    assert house.notes()[-1].text == (
        "Points: review. This ticket was moved to Beta Ltd after it was closed; its 10 points stay"
        " with Acme GmbH until somebody decides."
    )


def test_a_person_who_moves_leaves_the_charge_where_it_is(house: House) -> None:
    charged(house)
    move(house, Actor.SYSTEM)
    assert house.run("5") == "noted"
    assert house.on_hand() == 90
    assert house.notes()[-1].text == (
        "Points: the requester belongs to Beta Ltd now. The 10 points of this incident stay with"
        " Acme GmbH, who paid them."
    )


def test_an_agent_who_changes_the_requester_moves_the_ticket(house: House) -> None:
    house.buy(10, BETA.name)
    charged(house)
    house.desk.changes["5"].append(CustomerChange(1, house.now, Actor.AGENT, "5", "7", "9"))
    house.desk.changes["5"].append(OrganizationChange(2, house.now, Actor.SYSTEM, "", "2", "3"))
    house.change(customer=BETA)
    assert house.run("5") == "moved, accepted"


def test_the_record_of_the_old_account_is_to_be_shown_anew(house: House) -> None:
    charged(house)
    move(house)
    house.run("5")
    waiting = house.db.read(lambda conn: stale(conn, "support", house.now, 9))
    assert {record.customer_ref for record in waiting} == {ACME.ref, BETA.ref}


def test_a_move_between_the_two_reads_of_a_look_is_the_agent_s(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ticket is read, an agent moves it, and the history is read."""
    house.buy(100, BETA.name)
    charged(house)
    house.desk.set_status("5", Status.CLOSED)
    house.run("5")
    house.later(hours=1)
    house.desk.set_status("5", Status.OPEN)
    house.later(hours=1)
    history = house.desk.history

    def move_first(ticket_id: str) -> tuple[Change, ...]:
        move(house)
        return history(ticket_id)

    with monkeypatch.context() as patched:
        patched.setattr(house.desk, "history", move_first)
        assert house.run("5") == "reopened"
    assert house.run("5") == "moved, accepted"
    assert (house.on_hand(), house.on_hand(BETA.name)) == (100, 90)


class TestAFollowUp:
    @pytest.fixture
    def follow_up(self, house: House) -> House:
        """Acme has paid for ticket 5; ticket 6 continues it for free."""
        house.buy(30)
        house.buy(30, BETA.name)
        house.open()
        house.desk.set_status("5", Status.CLOSED)
        house.run("5")
        house.open("6", follow_up_of="5")
        house.run()
        house.later(hours=1)
        return house

    def back(self, house: House) -> None:
        seq = len(house.desk.changes["6"]) + 1
        line = OrganizationChange(seq, house.now, Actor.AGENT, "5", "3", "2")
        house.desk.changes["6"].append(line)
        house.change("6", customer=ACME)

    def test_that_moves_away_and_back_costs_its_account_nothing_more(
        self, follow_up: House
    ) -> None:
        move(follow_up, ticket_id="6")
        assert follow_up.run("6") == "moved, accepted"
        assert (follow_up.on_hand(), follow_up.on_hand(BETA.name)) == (20, 20)
        assert follow_up.notes("6")[-1].text.startswith("Points: 10 charged to Beta Ltd")
        follow_up.later(hours=1)
        self.back(follow_up)
        assert follow_up.run("6") == "moved, reopened"
        assert (follow_up.on_hand(), follow_up.on_hand(BETA.name)) == (20, 30)
        assert follow_up.incident("6").incident.state is PointsState.FREE_REOPEN
        assert follow_up.notes("6")[-1].text == (
            "Points: moved here from Beta Ltd, nothing charged: this continues an incident that"
            " Acme GmbH has paid for. The clock goes on: first response due 2026-11-23 14:00"
            " Europe/Berlin time, in business hours there."
        )

    def test_that_waited_elsewhere_is_free_again_when_it_is_back(self, follow_up: House) -> None:
        for number in range(3):
            follow_up.open(f"1{number}", BETA)
        follow_up.run()
        move(follow_up, ticket_id="6")
        assert follow_up.run("6") == "moved, held"
        self.back(follow_up)
        assert follow_up.run("6") == "moved, reopened"
        assert follow_up.on_hand() == 20
