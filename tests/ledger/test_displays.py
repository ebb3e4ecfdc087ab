"""Which customer records are to be written: by what is booked, by time, and when they may be."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Connection

from bridge.database.engine import Database
from bridge.ledger import accounts, displays, points
from bridge.ticket import Customer

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
SOON, LATER = timedelta(seconds=12), timedelta(days=9)


@pytest.fixture
def acme(db: Database) -> int:
    """Acme, an organisation of `support`, that somebody without an organisation does not touch."""

    def work(conn: Connection) -> int:
        accounts.resolve(conn, "support", Customer("person:8", "eve@evil.example"), NOW)
        return accounts.resolve(conn, "support", Customer("organization:2", "Acme"), NOW).id

    return db.write(work)


def buy(db: Database, account_id: int, reference: str = "INV-1") -> None:
    db.write(
        lambda conn: points.book_purchase(
            conn,
            account_id=account_id,
            points=10,
            purchased_on=NOW.date(),
            usable_from=NOW,
            expires_at=NOW + 365 * DAY,
            source="test",
            reference=reference,
            actor="test",
            now=NOW,
        )
    )


def stale(db: Database, at: datetime = NOW, limit: int = 9) -> list[displays.Stale]:
    return db.read(lambda conn: displays.stale(conn, "support", at, limit))


def show(db: Database, *, stale_at: datetime = NOW + LATER, next_at: datetime = NOW) -> None:
    (record,) = stale(db)
    db.write(lambda conn: displays.written(conn, record, stale_at=stale_at, next_at=next_at))


def test_an_organisation_that_was_never_shown_is_stale(db: Database, acme: int) -> None:
    assert stale(db) == [displays.Stale("support", "organization:2", acme, 0)]
    show(db)
    assert stale(db) == []


def test_every_booking_makes_it_stale_and_many_take_one_write(db: Database, acme: int) -> None:
    """ "balance writes coalesced" """
    show(db)
    for number in range(3):
        buy(db, acme, f"INV-{number}")
    assert len(stale(db)) == 1
    show(db)
    assert stale(db) == []


def test_a_booking_while_it_is_written_is_not_missed(db: Database, acme: int) -> None:
    buy(db, acme, "INV-1")
    (read,) = stale(db)
    buy(db, acme, "INV-2")
    db.write(lambda conn: displays.written(conn, read, stale_at=NOW + LATER, next_at=NOW))
    assert [record.tx_id for record in stale(db)] == [read.tx_id + 1]


def test_a_booking_of_another_account_does_not(db: Database, acme: int) -> None:
    show(db)
    other = db.write(lambda conn: accounts.find_or_create(conn, "Maple", NOW).id)
    buy(db, other)
    assert stale(db) == []


def test_time_alone_makes_it_stale(db: Database, acme: int) -> None:
    show(db, stale_at=NOW + DAY)
    assert stale(db, NOW + DAY - timedelta(microseconds=1)) == []
    assert len(stale(db, NOW + DAY)) == 1


def test_it_is_not_written_again_before_it_may_be(db: Database, acme: int) -> None:
    show(db, next_at=NOW + SOON)
    buy(db, acme)
    assert stale(db, NOW + SOON - timedelta(microseconds=1)) == []
    assert len(stale(db, NOW + SOON)) == 1


def test_a_record_that_is_linked_to_another_account_is_stale(db: Database, acme: int) -> None:
    show(db)
    maple = db.write(lambda conn: accounts.find_or_create(conn, "Maple", NOW).id)
    db.write(lambda conn: accounts.link_to(conn, maple, "support", "organization:2"))
    assert [record.account_id for record in stale(db)] == [maple]


def test_a_failure_is_told_until_it_is_made_good(db: Database, acme: int) -> None:
    (record,) = stale(db)
    db.write(lambda conn: displays.failed(conn, record, "forbidden", NOW + SOON))
    known = ["support", "cloud"]
    assert db.read(lambda conn: displays.problems(conn, known)) == {"support": ["forbidden"]}
    assert db.read(lambda conn: displays.problems(conn, ["cloud"])) == {}
    assert stale(db) == []
    (again,) = stale(db, NOW + SOON)
    db.write(lambda conn: displays.written(conn, again, stale_at=NOW + LATER, next_at=NOW))
    assert db.read(lambda conn: displays.problems(conn, known)) == {}


def test_those_that_were_never_shown_come_first_and_no_more_than_asked_for(
    db: Database, acme: int
) -> None:
    show(db, stale_at=NOW)
    for number in (5, 3, 4):
        customer = Customer(f"organization:{number}", f"Firm {number}")
        db.write(partial(accounts.resolve, helpdesk="support", customer=customer, now=NOW))
    assert [record.customer_ref for record in stale(db, limit=3)] == [
        "organization:3",
        "organization:4",
        "organization:5",
    ]
    assert stale(db)[-1].customer_ref == "organization:2"


def test_the_same_number_in_another_helpdesk_is_another_record(db: Database, acme: int) -> None:
    show(db)
    customer = Customer("organization:2", "Maple Inc")
    db.write(partial(accounts.resolve, helpdesk="sales", customer=customer, now=NOW))
    found = db.read(lambda conn: displays.stale(conn, "sales", NOW, 9))
    assert [record.customer_ref for record in found] == ["organization:2"]


def test_of_those_that_failed_the_one_that_waited_longest_comes_first(
    db: Database, acme: int
) -> None:
    beta = Customer("organization:3", "Beta Ltd")
    db.write(partial(accounts.resolve, helpdesk="support", customer=beta, now=NOW))
    for record, span in zip(stale(db), (LATER, SOON), strict=True):
        db.write(partial(displays.failed, record=record, problem="no", next_at=NOW + span))
    found = [record.customer_ref for record in stale(db, NOW + LATER)]
    assert found == ["organization:3", "organization:2"]
