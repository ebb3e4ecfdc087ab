"""Points bought: once per reference, from the day of purchase, and for who waits."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete, update

from bridge.database.schema import purchases
from bridge.errors import BadRequest, UnknownAccount
from bridge.ledger import points
from bridge.service.purchases import MOST_POINTS, Bought, cancel, listed
from bridge.service.reports import balance, balances, statement
from bridge.ticket import Customer, PointsState
from tests.service.conftest import ACME, DAY, HOUR, NOW, House

TODAY = date(2026, 11, 23)


def test_what_was_bought_is_told(house: House) -> None:
    assert house.buy(30, reference=" INV-1 ") == Bought(
        account="Acme GmbH",
        name="Acme GmbH",
        also_known_as=(),
        lot_id=1,
        reference="INV-1",
        points=30,
        purchased_on=TODAY,
        last_valid_day=date(2027, 11, 23),
        created=True,
        balance=30,
        new_account=True,
        released=(),
    )


def test_the_booking_says_where_it_came_from(house: House) -> None:
    house.buy(30, reference="INV-1", source="shop", actor="webshop")
    (line,) = statement(house.bridge, ACME.name).entries
    assert (line.source, line.reference, line.actor) == ("shop", "INV-1", "webshop")
    (lot,) = balance(house.bridge, ACME.name).lots
    assert lot.purchased_on == TODAY


def test_by_hand_it_comes_from_the_command_line(house: House) -> None:
    house.buy(30)
    (line,) = statement(house.bridge, ACME.name).entries
    assert (line.source, line.actor) == ("cli", "cli")


def test_by_an_old_name_it_says_what_the_account_is_called_now(house: House) -> None:
    """ "The same organisation under a new name stays the same account" """
    house.buy(30)
    for number, name in enumerate((ACME.name, "Acme Worldwide", "Zenith AG")):
        house.open(str(number), Customer(ACME.ref, name))
        house.run()
    bought = house.buy(10, "acme worldwide")
    assert (bought.account, bought.name) == ("Acme GmbH", "Zenith AG")
    assert (bought.also_known_as, bought.new_account) == (("Acme Worldwide",), False)


def test_the_same_purchase_again_books_nothing(house: House) -> None:
    house.buy(30, reference="INV-1")
    again = house.buy(30, reference="INV-1")
    assert (again.created, again.balance, again.new_account) == (False, 30, False)


def test_it_releases_who_waits_and_wakes_the_senders(house: House) -> None:
    house.open()
    house.run()
    round_before = house.bridge.wake.round()
    bought = house.buy(30)
    assert [stored.ticket_number for stored in bought.released] == ["31005"]
    assert bought.balance == 20
    assert house.bridge.wake.round() == round_before + 1


def test_a_purchase_that_was_booked_before_releases_nobody(house: House) -> None:
    house.buy(5, reference="INV-1")
    house.open()
    house.run()
    house.buy(5, reference="INV-2")
    assert house.buy(5, reference="INV-2").released == ()


def test_the_day_is_one_in_the_accounts_zone(house: House) -> None:
    house.now = NOW.replace(hour=23, minute=30)
    assert house.buy(30).purchased_on == date(2026, 11, 24)


def test_points_bought_earlier_count_from_the_start_of_that_day(house: House) -> None:
    bought = house.buy(10, on=date(2026, 11, 20))
    assert (bought.purchased_on, bought.last_valid_day) == (
        date(2026, 11, 20),
        date(2027, 11, 20),
    )
    house.open(created_at=NOW - 2 * DAY)
    house.settle()
    clock = house.incident().incident.clock
    assert clock
    assert clock.started_at == NOW - 2 * DAY


def test_points_bought_today_by_date_count_from_now_at_the_latest(house: House) -> None:
    house.buy(10, on=TODAY)
    assert house.on_hand() == 10


def test_points_bought_just_now_do_not_count_for_earlier(house: House) -> None:
    house.buy(10)
    house.open(created_at=NOW - HOUR)
    house.settle()
    clock = house.incident().incident.clock
    assert clock
    assert clock.started_at == NOW


@pytest.mark.parametrize(
    ("amount", "given", "why"),
    [
        (0, {}, "0 points cannot be bought at once; give 1 to 100000"),
        (
            MOST_POINTS + 1,
            {},
            "100001 points cannot be bought at once; give 1 to 100000",
        ),
        (
            1,
            {"reference": "  "},
            "the purchase's reference is empty",
        ),
        (
            1,
            {"on": date(2026, 11, 24)},
            "2026-11-24 is in the future in Europe/Berlin; points are on hand once bought",
        ),
        (
            1,
            {"on": date(2025, 11, 22)},
            "points bought on 2025-11-22 have expired already; check the date",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    house: House, amount: int, given: dict[str, Any], why: str
) -> None:
    with pytest.raises(BadRequest) as refused:
        house.buy(amount, **given)
    assert str(refused.value) == why
    with pytest.raises(BadRequest):
        balance(house.bridge, ACME.name)


@pytest.mark.parametrize("amount", [1, MOST_POINTS])
def test_the_least_and_the_most_can_be_bought(house: House, amount: int) -> None:
    assert house.buy(amount).balance == amount


def test_the_last_day_on_which_points_are_worth_something_will_do(house: House) -> None:
    assert house.buy(1, on=date(2025, 11, 23)).last_valid_day == TODAY


def test_points_that_expire_at_this_very_instant_are_refused(house: House) -> None:
    house.now = NOW.replace(hour=23)
    with pytest.raises(BadRequest):
        house.buy(1, on=date(2025, 11, 23))


class TestARepeatedPurchase:
    def test_is_told_as_it_was_booked(self, house: House) -> None:
        first = house.buy(30, reference="INV-1", on=date(2026, 1, 10))
        house.later(days=60)
        again = house.buy(30, reference="inv-1")
        assert (again.created, again.reference) == (False, "INV-1")
        assert (again.purchased_on, again.last_valid_day) == (
            first.purchased_on,
            first.last_valid_day,
        )

    def test_on_another_day_is_refused(self, house: House) -> None:
        house.buy(30, reference="INV-1", on=date(2026, 1, 10))
        with pytest.raises(BadRequest, match=r"on 2026-01-10; this asks .* on 2026-01-11"):
            house.buy(30, reference="INV-1", on=date(2026, 1, 11))

    def test_is_booked_before_also_when_it_has_expired(self, house: House) -> None:
        house.buy(30, reference="INV-1", on=date(2026, 1, 10))
        house.later(days=400)
        again = house.buy(30, reference="INV-1", on=date(2026, 1, 10))
        assert (again.created, again.balance) == (False, 0)

    @pytest.mark.parametrize("reference", ["inv-1", " INV-1", "\uff29NV-1", "INV\u200b-1"])
    def test_is_one_in_any_spelling(self, house: House, reference: str) -> None:
        house.buy(30, reference="INV-1")
        if "\u200b" in reference:
            with pytest.raises(BadRequest, match=r"nobody sees \(U\+200B\)"):
                house.buy(30, reference=reference)
        else:
            assert not house.buy(30, reference=reference).created
        assert house.on_hand() == 30


class TestANewName:
    def test_needs_to_be_meant(self, house: House) -> None:
        house.buy(10, "Beta Ltd")
        with pytest.raises(UnknownAccount, match="did you mean Beta Ltd"):
            house.buy(10, "Beta Ldt", new=False)
        assert [one.account.ref for one in balances(house.bridge)] == ["Beta Ltd"]

    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("x" * 201, "has 201 characters; 200 are the most"),
            ("Acme\x07", r"nobody sees \(U\+0007\)"),
            ("Acme\u202egmbh", r"nobody sees \(U\+202E\)"),
        ],
    )
    def test_must_be_legible(self, house: House, name: str, why: str) -> None:
        with pytest.raises(BadRequest, match=why):
            house.buy(10, name)

    @pytest.mark.parametrize("name", ["\u3164", "INV-1\ufe0f", "INV\u034f-1", "\u2800"])
    def test_holds_no_letter_or_mark_that_nobody_sees(self, house: House, name: str) -> None:
        """Unicode counts these among letters, marks and signs."""
        with pytest.raises(BadRequest, match=r"nobody sees \(U\+"):
            house.buy(10, name)
        with pytest.raises(BadRequest, match=r"nobody sees \(U\+"):
            house.buy(10, reference=name)

    def test_is_looked_for_as_it_would_be_written(self, house: House) -> None:
        house.buy(10, "ACME GMBH")
        assert house.buy(10, "acme\rgmbh").account == "ACME GMBH"
        assert len(balances(house.bridge)) == 1

    def test_is_offered_what_looks_alike_in_other_letters(self, house: House) -> None:
        house.buy(10, "Beta Ltd")
        for slip in ("BETA LDT", "ta lt"):
            with pytest.raises(UnknownAccount, match="did you mean Beta Ltd"):
                house.buy(10, slip, new=False)

    @pytest.mark.parametrize("name", ["STRASSE 5", "straße  5", "Strasse 5", "Straße\u200b 5"])
    def test_is_known_in_any_spelling(self, house: House, name: str) -> None:
        house.buy(10, "Straße 5")
        assert house.buy(10, name, new=False).account == "Straße 5"


class TestCancelling:
    def test_takes_back_what_is_unspent(self, house: House) -> None:
        house.buy(30, reference="INV-1")
        house.open()
        house.run()
        done = cancel(house.bridge, "inv-1", "wrong customer", actor="ana")
        assert (done.reference, done.bought, done.points, done.created) == ("INV-1", 30, 20, True)
        assert (done.balance, house.on_hand()) == (0, 0)
        line = statement(house.bridge, ACME.name).entries[-1]
        assert (line.kind, line.points, line.actor) == ("adjustment", -20, "ana")
        assert line.reason == "cancelled: wrong customer"

    def test_a_second_time_takes_nothing_and_says_when_it_was(self, house: House) -> None:
        house.buy(30, reference="INV-1")
        cancel(house.bridge, "INV-1", "a mistake")
        house.later(days=1)
        again = cancel(house.bridge, "INV-1", "a mistake")
        assert (again.created, again.points, again.at) == (False, 0, NOW)

    def test_takes_what_was_credited_since(self, house: House) -> None:
        house.buy(10, reference="INV-1")
        house.open()
        house.run()
        with pytest.raises(BadRequest, match="nothing is left"):
            cancel(house.bridge, "INV-1", "a mistake")
        incident = house.incident().id
        house.db.write(
            lambda conn: points.credit(
                conn,
                incident_id=incident,
                now=house.now,
                zone="Europe/Berlin",
                credit_days=90,
                actor="x",
                reason="bug",
            )
        )
        assert cancel(house.bridge, "INV-1", "a mistake").points == 10
        assert house.on_hand() == 0

    def test_leaves_the_reference_taken(self, house: House) -> None:
        house.buy(30, reference="INV-1")
        cancel(house.bridge, "INV-1", "a mistake")
        with pytest.raises(BadRequest, match="was cancelled on 2026-11-23; book another one"):
            house.buy(30, reference="INV-1")

    def test_of_what_nobody_booked_is_refused(self, house: House) -> None:
        house.buy(30, reference="INV-2026-17")
        with pytest.raises(BadRequest, match="'INV-2026-71'; did you mean INV-2026-17"):
            cancel(house.bridge, "INV-2026-71", "a mistake")

    def test_needs_a_reason(self, house: House) -> None:
        house.buy(30, reference="INV-1")
        with pytest.raises(BadRequest, match="the reason is empty"):
            cancel(house.bridge, "INV-1", " ")

    def test_holds_nobody_who_was_charged(self, house: House) -> None:
        house.buy(10, reference="INV-1")
        house.buy(10, reference="INV-2")
        house.open()
        house.run()
        cancel(house.bridge, "INV-2", "a mistake")
        assert house.incident().incident.state is PointsState.CHARGED

    def test_takes_nothing_of_a_purchase_whose_reference_begins_alike(self, house: House) -> None:
        house.buy(10, reference="INV-1")
        house.buy(20, "Beta Ltd", reference="INV-1#CREDIT:5")
        assert cancel(house.bridge, "INV-1", "a mistake").points == 10
        assert house.on_hand("Beta Ltd") == 20

    def test_of_one_of_two_old_purchases_needs_its_very_spelling(self, house: House) -> None:
        """Before references were folded, INV-1 and inv-1 could both be booked."""
        first = house.buy(10, reference="INV-1").lot_id
        house.db.write(lambda conn: conn.execute(delete(purchases)))
        house.buy(20, "Beta Ltd", reference="inv-1")
        house.db.write(lambda conn: conn.execute(update(purchases).values(lot_id=first)))
        with pytest.raises(BadRequest, match="several purchases; write 'INV-1', or 'inv-1'"):
            cancel(house.bridge, "Inv-1", "a mistake")
        assert cancel(house.bridge, "inv-1", "a mistake").points == 20
        assert cancel(house.bridge, "INV-1", "a mistake").points == 10

    def test_what_has_expired_is_not_left_in_the_list(self, house: House) -> None:
        house.buy(30, reference="INV-1", on=date(2025, 12, 1))
        house.later(days=10)
        assert [one.remaining for one in listed(house.bridge)] == [0]

    def test_is_seen_in_the_list(self, house: House) -> None:
        house.buy(30, reference="INV-1")
        house.buy(20, "Beta Ltd", reference="INV-2")
        cancel(house.bridge, "INV-1", "a mistake")
        assert [(one.reference, one.remaining) for one in listed(house.bridge)] == [
            ("INV-1", 0),
            ("INV-2", 20),
        ]
        assert [one.reference for one in listed(house.bridge, "beta ltd")] == ["INV-2"]
