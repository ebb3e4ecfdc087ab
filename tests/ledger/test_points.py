"""The product's rules about points, one sentence each."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bridge.errors import BadRequest
from bridge.ledger import holdings
from bridge.policy import points as policy
from bridge.policy.points import Slice
from tests.ledger.conftest import DAY, HOUR, NOW, Book

LOOK_BACK = timedelta(hours=72)
TICK = timedelta(microseconds=1)


def test_a_charge_is_booked_once_per_incident(book: Book) -> None:
    """ "The debit is keyed to the incident (unique), never to an event: a repeated, late or
    re-ordered webhook charges nothing."
    """
    account = book.account()
    lot = book.buy(account, 30).lot_id
    incident = book.incident(account)
    first = book.charge(incident, account)
    book.now += 5 * DAY
    again = book.charge(incident, account, actor="another", reason="repeated", points=20)
    assert first == again == (Slice(lot, 10),)
    assert book.balance(account) == 20


def test_a_charge_that_is_repeated_after_its_credit_books_nothing(book: Book) -> None:
    account = book.account()
    book.buy(account, 10)
    incident = book.incident(account)
    first = book.charge(incident, account)
    book.credit(incident)
    assert book.charge(incident, account) == first
    assert book.balance(account) == 10


def test_too_few_points_are_a_value_and_nothing_is_booked(book: Book) -> None:
    """ "A support incident must be pre-purchased and on hand before a support ticket can be
    opened."
    """
    account = book.account()
    book.buy(account, 9)
    assert book.charge(book.incident(account), account) is None
    assert book.balance(account) == 9


def test_the_soonest_expiring_lot_bears_the_charge_first(book: Book) -> None:
    """ "Soonest-expiring lot first" """
    account = book.account()
    book.buy(account, 10, expires_at=NOW + 20 * DAY)
    soonest = book.buy(account, 10, expires_at=NOW + 10 * DAY).lot_id
    assert book.charge(book.incident(account), account) == (Slice(soonest, 10),)


def test_of_lots_that_expire_together_the_oldest_purchase_is_first(book: Book) -> None:
    """ "then oldest purchase" """
    account = book.account()
    expiry = NOW + 20 * DAY
    book.buy(account, 10, expires_at=expiry, purchased_on=date(2026, 5, 2))
    oldest = book.buy(account, 10, expires_at=expiry, purchased_on=date(2026, 5, 1)).lot_id
    assert book.charge(book.incident(account), account) == (Slice(oldest, 10),)


def test_of_lots_bought_on_one_day_the_lowest_id_is_first(book: Book) -> None:
    """ "then lowest id" """
    account = book.account()
    first = book.buy(account, 10).lot_id
    book.buy(account, 10)
    assert book.charge(book.incident(account), account) == (Slice(first, 10),)


def test_one_incident_may_draw_on_several_lots(book: Book) -> None:
    """ "one incident may draw on several lots" """
    account = book.account()
    lots = [book.buy(account, amount).lot_id for amount in (3, 3, 3, 3)]
    slices = book.charge(book.incident(account), account)
    assert slices == tuple(map(Slice, lots, (3, 3, 3, 1)))
    assert book.remaining(account) == {lots[3]: 2}


def test_a_charge_draws_on_as_many_lots_as_it_has_points(book: Book) -> None:
    account = book.account()
    for _ in range(11):
        book.buy(account, 1)
    slices = book.charge(book.incident(account), account)
    assert slices
    assert len(slices) == 10
    assert book.balance(account) == 1


def test_the_ledger_has_the_same_order_as_the_policy(book: Book) -> None:
    account = book.account()
    for amount, days, day in ((4, 30, 3), (2, 9, 2), (1, 9, 1), (7, 30, 1), (5, 60, 9)):
        book.buy(account, amount, expires_at=NOW + days * DAY, purchased_on=date(2026, 5, day))
    lots = book.db.read(lambda conn: holdings.live_lots(conn, account))
    assert book.charge(book.incident(account), account) == policy.pick(lots, 10, NOW)


def test_points_count_until_the_instant_of_their_expiry(book: Book) -> None:
    """ "`expires_at` = the next local midnight, stored in UTC, exclusive, frozen" """
    account = book.account()
    expiry = NOW + 10 * DAY
    book.buy(account, 10, expires_at=expiry)
    assert book.on_hand(account, expiry - TICK) == 10
    assert book.on_hand(account, expiry) == 0
    book.now = expiry
    assert book.charge(book.incident(account), account) is None


def test_lots_that_expire_at_that_very_instant_do_not_stand_in_the_way(book: Book) -> None:
    account = book.account()
    for _ in range(10):
        book.buy(account, 1, expires_at=NOW + DAY)
    lot = book.buy(account, 10).lot_id
    book.now += DAY
    assert book.charge(book.incident(account), account) == (Slice(lot, 10),)


def test_a_balance_does_not_wait_for_the_expiry_to_be_booked(book: Book) -> None:
    """ "Every balance query has `expires_at > now` in it; the scheduler's job only books the expiry
    entries."
    """
    account = book.account()
    book.buy(account, 10, expires_at=NOW + DAY)
    book.buy(account, 7)
    book.now += DAY
    assert (book.on_hand(account), book.balance(account)) == (7, 17)
    book.now += LOOK_BACK
    assert book.expire() == 1
    assert (book.on_hand(account), book.balance(account)) == (7, 7)


def test_points_count_from_the_instant_at_which_they_are_usable(book: Book) -> None:
    account = book.account()
    book.buy(account, 10, usable_from=NOW + DAY)
    assert book.on_hand(account, NOW + DAY - TICK) == 0
    assert book.charge(book.incident(account), account) is None
    assert book.on_hand(account, NOW + DAY) == 10


def test_a_late_first_decision_draws_on_points_that_expired_meanwhile(book: Book) -> None:
    """ "The first decision on a ticket tests validity at the ticket's own creation time (at most
    72 h back), so that our downtime costs nobody points"
    """
    account = book.account()
    lot = book.buy(account, 10, expires_at=NOW + TICK).lot_id
    incident = book.incident(account)
    book.now += LOOK_BACK
    assert book.expire() == 0
    assert book.charge(incident, account, valid_at=NOW) == (Slice(lot, 10),)


def test_no_decision_looks_back_further_than_72_hours(book: Book) -> None:
    """ "at most 72 h back" """
    account = book.account()
    book.buy(account, 10)
    incident = book.incident(account)
    book.now += LOOK_BACK + TICK
    with pytest.raises(IntegrityError, match="at most 72 hours back"):
        book.charge(incident, account, valid_at=NOW)
    assert book.balance(account) == 10


def test_an_expiry_is_booked_once_and_not_before_the_look_back_is_over(book: Book) -> None:
    account = book.account()
    book.buy(account, 10, expires_at=NOW + HOUR, reference="INV-7")
    book.now += HOUR + LOOK_BACK - TICK
    assert book.expire() == 0
    book.now += TICK
    assert [book.expire(), book.expire()] == [1, 0]
    booked = book.lines(account)[-1]
    assert (booked.kind, booked.points, booked.at) == ("expiry", -10, book.now)
    assert booked.reference == "INV-7"


def test_expiries_are_booked_in_batches_soonest_first(book: Book) -> None:
    acme, other = book.account(), book.account("other")
    for days in (4, 1, 3, 2):
        book.buy(acme, days, expires_at=NOW + days * DAY)
        book.buy(other, days, expires_at=NOW + days * DAY)
    book.now += 4 * DAY + LOOK_BACK
    assert book.expire(limit=4) == 4
    assert (book.balance(acme), book.balance(other)) == (7, 7)
    assert [book.expire(limit=3), book.expire(limit=3)] == [3, 1]


def test_points_already_spent_do_not_expire(book: Book) -> None:
    account = book.account()
    book.buy(account, 30, expires_at=NOW + DAY)
    book.charge(book.incident(account), account)
    book.now += DAY + LOOK_BACK
    assert book.expire() == 1
    assert book.lines(account)[-1].points == -20


def test_the_same_purchase_posted_twice_is_one_lot(book: Book) -> None:
    """ "A purchase has a reference (order, invoice, payment id), unique per source: the same
    purchase posted twice is one lot."
    """
    account = book.account()
    first = book.buy(account, 50, reference="INV-1")
    book.now += 3 * DAY
    again = book.buy(account, 50, reference="INV-1", actor="somebody else")
    elsewhere = book.buy(account, 50, reference="INV-1", source="another shop")
    assert (first.created, again.created, elsewhere.created) == (True, False, True)
    assert again.lot_id == first.lot_id != elsewhere.lot_id
    assert book.balance(account) == 100


@pytest.mark.parametrize(("account", "amount"), [("acme", 60), ("other", 50)])
def test_another_purchase_under_a_used_reference_is_refused(
    book: Book, account: str, amount: int
) -> None:
    accounts = {ref: book.account(ref) for ref in ("acme", "other")}
    book.buy(accounts["acme"], 50, reference="INV-1")
    with pytest.raises(BadRequest) as refused:
        book.buy(accounts[account], amount, reference="INV-1")
    assert str(refused.value) == (
        "the reference 'INV-1' is booked already, with 50 points for 'acme';"
        f" this asks for {amount} points for '{account}'"
    )
    assert book.balance(accounts["acme"]) == 50


@pytest.mark.parametrize(
    "values",
    [
        {"points": 0},
        {"points": -10},
        {"reference": ""},
        {"reference": "INV-1#credit:7"},
        {"expires_at": NOW},
        {"account_id": 77},
    ],
    ids=str,
)
def test_a_purchase_that_makes_no_sense_is_refused(book: Book, values: dict[str, Any]) -> None:
    given = {"account_id": book.account(), "points": 10} | values
    with pytest.raises(BadRequest, match=r"a purchase needs points above 0|no account 77"):
        book.buy(given.pop("account_id"), given.pop("points"), **given)


def test_credited_points_go_back_to_the_lot_that_they_came_from(book: Book) -> None:
    """ "Credit each slice to the lot that it came from" """
    account = book.account()
    first = book.buy(account, 4, expires_at=NOW + 200 * DAY).lot_id
    second = book.buy(account, 20, expires_at=NOW + 300 * DAY).lot_id
    incident = book.incident(account)
    book.charge(incident, account)
    assert book.remaining(account) == {second: 14}
    assert book.credit(incident) == 10
    assert book.remaining(account) == {first: 4, second: 20}


def test_credited_points_live_90_days_at_least_in_a_credit_lot(book: Book) -> None:
    """ "expiry = max(lot's expiry, day of credit + 90 days); where that differs from the lot's, a
    credit lot with the parent's payment reference"
    """
    account = book.account()
    bought = date(2025, 6, 3)
    parent = book.buy(
        account, 20, reference="INV-7", purchased_on=bought, expires_at=NOW + 3 * DAY
    ).lot_id
    incident = book.incident(account)
    book.charge(incident, account)
    assert book.credit(incident, zone="Europe/Berlin") == 10
    lots = book.db.read(lambda conn: holdings.live_lots(conn, account))
    kept, new = lots
    assert (kept.id, kept.remaining) == (parent, 10)
    # 1 June + 90 days is 30 August; its end in Berlin, in summer time.
    assert new.expires_at == datetime(2026, 8, 30, 22, 0, tzinfo=UTC)
    assert (new.remaining, new.purchased_on, new.usable_from) == (10, bought, NOW)
    assert book.lines(account)[-1].reference == f"INV-7#credit:{incident}"


@pytest.mark.parametrize(("short", "lots"), [(timedelta(0), 1), (TICK, 2)])
def test_a_lot_that_lives_90_days_takes_its_points_back(
    book: Book, short: timedelta, lots: int
) -> None:
    account = book.account()
    end_of_day_90 = datetime(2026, 8, 31, tzinfo=UTC)
    book.buy(account, 20, expires_at=end_of_day_90 - short)
    incident = book.incident(account)
    book.charge(incident, account)
    book.credit(incident)
    assert len(book.remaining(account)) == lots
    assert book.on_hand(account) == 20


def test_points_credited_after_their_lot_expired_live_90_days(book: Book) -> None:
    account = book.account()
    book.buy(account, 10, expires_at=NOW + DAY)
    incident = book.incident(account)
    book.charge(incident, account)
    book.now += 400 * DAY
    assert book.credit(incident) == 10
    assert book.on_hand(account) == 10
    assert book.on_hand(account, book.now + 90 * DAY) == 10
    assert book.on_hand(account, book.now + 91 * DAY) == 0


def test_points_of_a_credit_lot_can_be_credited_again(book: Book) -> None:
    account = book.account()
    book.buy(account, 10, reference="INV-7", expires_at=NOW + DAY)
    first = book.incident(account)
    book.charge(first, account)
    book.credit(first)
    book.now += 30 * DAY
    second = book.incident(account)
    book.charge(second, account)
    assert book.credit(second) == 10
    assert book.lines(account)[-1].reference == f"INV-7#credit:{first}#credit:{second}"
    assert book.on_hand(account) == 10


def test_one_charge_on_a_lot_and_on_its_credit_lot_goes_back_to_both(book: Book) -> None:
    account = book.account()
    parent = book.buy(account, 15, expires_at=NOW + 10 * DAY).lot_id
    first = book.incident(account)
    book.charge(first, account)
    book.credit(first)
    second = book.incident(account)
    slices = book.charge(second, account)
    assert slices
    assert [part.points for part in slices] == [5, 5]
    assert slices[0].lot_id == parent
    assert book.credit(second) == 10
    made_from_parent = {*book.remaining(account)} - {part.lot_id for part in slices}
    assert book.remaining(account) == {slices[1].lot_id: 10, made_from_parent.pop(): 5}


def test_an_incident_is_credited_once(book: Book) -> None:
    account = book.account()
    book.buy(account, 20)
    incident = book.incident(account)
    book.charge(incident, account)
    assert [book.credit(incident), book.credit(incident)] == [10, 10]
    assert book.balance(account) == 20


def test_there_is_nothing_to_credit_where_nothing_was_charged(book: Book) -> None:
    account = book.account()
    book.buy(account, 20)
    assert book.credit(book.incident(account)) == 0
    assert book.balance(account) == 20


def test_an_incident_costs_what_was_charged_and_not_credited(book: Book) -> None:
    account = book.account()
    book.buy(account, 20)
    incident = book.incident(account)
    costs = [book.db.read(lambda conn: holdings.charged_points(conn, incident))]
    for step in (book.charge, lambda incident, _: book.credit(incident)):
        step(incident, account)
        costs.append(book.db.read(lambda conn: holdings.charged_points(conn, incident)))
    assert costs == [0, 10, 0]


def test_the_next_expiry_names_the_points_that_expire_together(book: Book) -> None:
    account = book.account()
    book.buy(account, 5, expires_at=NOW + DAY)
    book.buy(account, 7, expires_at=NOW + 9 * DAY)
    book.buy(account, 8, expires_at=NOW + 9 * DAY)
    book.buy(account, 9, expires_at=NOW + 5 * DAY, usable_from=NOW + 4 * DAY)

    def expiry(at: datetime) -> tuple[datetime, int] | None:
        return book.db.read(lambda conn: holdings.next_expiry(conn, account, at))

    assert expiry(NOW) == (NOW + DAY, 5)
    assert expiry(NOW + DAY) == (NOW + 9 * DAY, 15)
    assert expiry(NOW + 4 * DAY) == (NOW + 5 * DAY, 9)
    assert expiry(NOW + 9 * DAY) is None


def test_a_statement_tells_an_account_s_whole_story(book: Book) -> None:
    acme, other = book.account(), book.account("other")
    book.buy(other, 99)
    book.buy(acme, 15, reference="INV-7", expires_at=NOW + 100 * DAY)
    book.numbers = 0
    incident = book.incident(acme)
    book.charge(incident, acme, reason="on hand")
    book.now += HOUR
    book.credit(incident)
    book.now += 103 * DAY
    book.expire()
    lines = book.lines(acme)
    assert [(line.kind, line.points, line.balance) for line in lines] == [
        ("purchase", 15, 15),
        ("charge", -10, 5),
        ("credit", 10, 15),
        ("expiry", -15, 0),
    ]
    assert [line.entry_id for line in lines] == [2, 3, 4, 5]
    assert {(line.source, line.reference) for line in lines} == {("shop", "INV-7")}
    tickets = [(line.helpdesk, line.ticket_number) for line in lines]
    assert tickets == [(None, None), ("support", "31001"), ("support", "31001"), (None, None)]
    assert [(line.actor, line.reason) for line in lines[1:3]] == [
        ("bridge", "on hand"),
        ("agent", "bug"),
    ]
    assert lines[2].at == NOW + HOUR


def test_a_balance_is_looked_up_not_added_up(book: Book) -> None:
    """Its cost does not grow with the account's history: no table or index is read through."""
    account = book.account()

    def plan(conn: Connection) -> list[str]:
        shell: Any = conn.connection.driver_connection
        queries: list[str] = []
        shell.set_trace_callback(queries.append)
        holdings.on_hand(conn, account, NOW)
        shell.set_trace_callback(None)
        return [row[3] for row in shell.execute(f"EXPLAIN QUERY PLAN {queries[-1]}")]

    steps = book.db.read(plan)
    assert [step for step in steps if step.startswith("SCAN")] == []
    lookups = [step for step in steps if step.startswith("SEARCH lots")]
    assert ["ix_lots_live" in lookups[0], "ix_lots_later" in lookups[1]] == [True, True]
