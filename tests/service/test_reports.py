"""What people ask."""

from dataclasses import replace
from datetime import date

import pytest

from bridge.errors import BadRequest, HelpdeskUnavailable, UnknownHelpdesk
from bridge.ledger.holdings import LotLine
from bridge.policy.points import expires_at
from bridge.service.intake import handle_next
from bridge.service.reports import balance, balances, explain, statement
from bridge.service.watch import expire_points, watch_clocks
from bridge.ticket import PointsState, SlaState, Status
from tests.service.conftest import ACME, BETA, DAY, HOUR, NOW, House


def test_a_balance_names_the_lots_next_expiry_first(house: House) -> None:
    house.buy(30, reference="INV-1")
    house.buy(20, reference="INV-2", on=date(2026, 1, 1))
    found = balance(house.bridge, "acme gmbh")
    assert (found.account.name, found.on_hand, found.held) == ("Acme GmbH", 50, 0)
    assert found.located.calendar.zone == "Europe/Berlin"
    first, second = date(2026, 1, 1), date(2026, 11, 23)
    assert found.lots == (
        LotLine("INV-2", "purchase", 20, 20, first, expires_at(first, "Europe/Berlin")),
        LotLine("INV-1", "purchase", 30, 30, second, expires_at(second, "Europe/Berlin")),
    )


def test_a_balance_counts_who_waits(house: House) -> None:
    house.open("5")
    house.open("6")
    house.open("7", BETA)
    house.run()
    assert [(one.account.name, one.held) for one in balances(house.bridge)] == [
        ("Acme GmbH", 2),
        ("Beta Ltd", 1),
    ]


def test_an_unknown_account_is_named(house: House) -> None:
    for ask in (balance, statement):
        with pytest.raises(BadRequest, match="Nobody"):
            ask(house.bridge, "Nobody")


def test_a_statement_is_of_one_account(house: House) -> None:
    house.buy(30)
    house.buy(20, BETA.name)
    house.open()
    house.run()
    found = statement(house.bridge, ACME.name)
    assert found.account.name == ACME.name
    assert [(line.kind, line.points, line.balance) for line in found.entries] == [
        ("purchase", 30, 30),
        ("charge", -10, 20),
    ]


def test_a_statement_names_what_an_account_was_called_before(house: House) -> None:
    house.open("5", replace(ACME, name="Acme AG"))
    house.run()
    for name in ("Acme KG", "Acme SE"):
        house.change(customer=replace(ACME, name=name))
        house.run("5")
    found = statement(house.bridge, "Acme AG")
    assert (found.account.name, found.also_known_as) == ("Acme SE", ("Acme KG",))


def test_a_ticket_is_explained_whole(house: House) -> None:
    house.buy(100)
    house.open()
    house.run()
    house.desk.set_status("5", Status.CLOSED)
    house.run("5")
    house.later(days=91)
    house.desk.set_status("5", Status.OPEN)
    house.run("5")
    found = explain(house.bridge, "support", "5")
    assert (found.helpdesk, found.ticket_id, found.account.name) == ("support", "5", ACME.name)
    assert [stored.incident.number for stored in found.incidents] == [1, 2]
    assert [one.kind for one in found.decisions] == ["accepted", "closed", "accepted"]
    assert [one.number for one in found.decisions] == [1, 1, 2]
    assert (found.fields.state, found.fields.balance) == (PointsState.CHARGED, 80)
    assert [(clock["cycle"], clock["started_at"]) for clock in found.clocks] == [
        (1, NOW),
        (1, house.now),
    ]
    assert [row.queue for row in found.rows] == ["inbox"] * 3 + ["outbox"] * 3


def test_every_clock_of_an_incident_is_told(house: House) -> None:
    house.buy(100)
    house.open()
    house.desk.set_status("5", Status.CLOSED)
    house.later(days=1)
    house.desk.set_status("5", Status.OPEN)
    house.run()
    house.later(days=1)
    watch_clocks(house.bridge)
    clocks = explain(house.bridge, "support", "5").clocks
    assert [(clock["cycle"], clock["result"]) for clock in clocks] == [
        (1, SlaState.ENDED.value),
        (2, SlaState.BREACHED.value),
    ]


class TestNothingToExplain:
    def why(self, house: House) -> str:
        with pytest.raises(BadRequest) as refused:
            explain(house.bridge, "support", "5")
        return str(refused.value)

    def test_no_delivery_has_arrived(self, house: House) -> None:
        assert self.why(house) == (
            "no delivery about support ticket 5 has arrived; is it the ticket's id?"
        )

    def test_the_delivery_waits(self, house: House) -> None:
        house.open()
        assert self.why(house) == (
            "nothing was decided about support ticket 5; its last delivery is queued:"
            " not handled yet"
        )

    def test_the_last_delivery_says_why(self, house: House) -> None:
        house.open(created_at=NOW - 99 * DAY)
        house.run()
        house.later(hours=1)
        house.tell()
        house.desk.failing["fetch"] = HelpdeskUnavailable("down")
        handle_next(house.bridge)
        assert self.why(house) == (
            "nothing was decided about support ticket 5; its last delivery is queued: down"
        )

    def test_the_helpdesk_is_unknown(self, house: House) -> None:
        with pytest.raises(UnknownHelpdesk):
            explain(house.bridge, "elsewhere", "5")


def test_a_clock_shows_in_the_fields(house: House) -> None:
    house.buy(100)
    house.open()
    house.run()
    assert explain(house.bridge, "support", "5").fields.response_due == NOW + 4 * HOUR


def test_a_ticket_is_explained_by_its_number_too(house: House) -> None:
    house.open("5", number="55005")
    house.run()
    assert explain(house.bridge, "support", "55005") == explain(house.bridge, "support", "5")


def test_which_ticket_is_meant_is_asked_where_it_is_not_clear(house: House) -> None:
    house.open("5", number="6")
    house.open("6", number="55006")
    house.run()
    with pytest.raises(BadRequest, match="write id:6 or number:6"):
        explain(house.bridge, "support", "6")
    found = [explain(house.bridge, "support", f"{kind}:6") for kind in ("id", "number")]
    assert [one.ticket_id for one in found] == ["6", "5"]


@pytest.mark.parametrize("days", [0, 364, 365, 366, 367, 368, 369, 372, 400, 800])
@pytest.mark.parametrize("booked", [True, False])
def test_a_statement_ends_with_what_is_on_hand(house: House, days: int, booked: bool) -> None:
    house.buy(30, reference="INV-1")
    house.open()
    house.run()
    house.later(days=3)
    house.buy(20, reference="INV-2")
    house.later(days=days)
    if booked:
        expire_points(house.bridge)
    entries = statement(house.bridge, ACME.name).entries
    found = balance(house.bridge, ACME.name)
    assert entries[-1].balance == found.on_hand
    unbooked = sum(-line.points for line in entries if line.entry_id is None)
    assert unbooked == found.expired_unbooked


def test_a_number_is_not_taken_for_an_id(house: House) -> None:
    house.open("5")
    house.settle()
    with pytest.raises(BadRequest, match="nothing was decided about a support ticket of the num"):
        explain(house.bridge, "support", "number:5")
    with pytest.raises(BadRequest, match="'ticket:5' is no ticket"):
        explain(house.bridge, "support", "ticket:5")
