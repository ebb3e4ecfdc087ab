"""Which lots are looked at, and in which order."""

from functools import partial

import pytest
from sqlalchemy import Connection

from bridge.errors import BadRequest
from bridge.ledger import holdings
from bridge.policy.points import Slice
from tests.ledger.conftest import DAY, Book


def test_of_more_lots_than_a_charge_has_points_the_soonest_expiring_are_looked_at(
    book: Book,
) -> None:
    acme = book.account()
    for _ in range(10):
        book.buy(acme, 10, purchased_on=(book.now - DAY).date())
    soonest = book.buy(acme, 10, expires_at=book.now + DAY).lot_id
    assert book.charge(book.incident(acme), acme) == (Slice(soonest, 10),)


def test_lots_are_listed_next_expiry_first(book: Book) -> None:
    acme = book.account()
    lots = [book.buy(acme, 10, expires_at=book.now + days * DAY).lot_id for days in (3, 1, 2, 1)]
    first, second, third, fourth = lots
    assert list(book.remaining(acme)) == [second, fourth, third, first]


def test_an_account_that_is_not_there_is_named(book: Book) -> None:
    with pytest.raises(BadRequest) as refused:
        book.buy(99, 10)
    assert str(refused.value) == "there is no account 99"


def test_a_lot_with_one_point_left_is_listed(book: Book) -> None:
    acme = book.account()
    book.buy(acme, 1)
    assert [lot.remaining for lot in book.db.read(partial(_usable, book, acme))] == [1]


def _usable(book: Book, account_id: int, conn: Connection) -> tuple[holdings.LotLine, ...]:
    return holdings.usable_lots(conn, account_id, book.now)
