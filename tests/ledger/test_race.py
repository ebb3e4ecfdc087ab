"""Callers that race for the last points."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from bridge.policy.points import Slice
from tests.ledger.conftest import Book

CALLERS = 20


def _race(call: Callable[[int], tuple[Slice, ...] | None]) -> list[tuple[Slice, ...] | None]:
    start = Barrier(CALLERS)

    def run(caller: int) -> tuple[Slice, ...] | None:
        start.wait()
        return call(caller)

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(run, range(CALLERS)))


def test_exactly_one_of_twenty_callers_gets_the_last_ten_points(book: Book) -> None:
    """ "with N callers racing for the last 10 points exactly one wins and the others are held" """
    account = book.account()
    lot = book.buy(account, 10).lot_id
    incidents = [book.incident(account) for _ in range(CALLERS)]
    results = _race(lambda caller: book.charge(incidents[caller], account))
    assert [result for result in results if result] == [(Slice(lot, 10),)]
    assert results.count(None) == CALLERS - 1
    assert book.balance(account) == 0


def test_twenty_callers_with_the_same_incident_charge_it_once(book: Book) -> None:
    """ "a repeated, late or re-ordered webhook charges nothing" """
    account = book.account()
    lot = book.buy(account, 1000).lot_id
    incident = book.incident(account)
    results = _race(lambda _: book.charge(incident, account))
    assert results == [(Slice(lot, 10),)] * CALLERS
    assert book.balance(account) == 990


def test_as_many_callers_win_as_there_are_points_for_over_several_lots(book: Book) -> None:
    account = book.account()
    for amount in (7, 15, 13, 4):
        book.buy(account, amount)
    incidents = [book.incident(account) for _ in range(CALLERS)]
    results = _race(lambda caller: book.charge(incidents[caller], account))
    assert results.count(None) == CALLERS - 3
    assert book.balance(account) == 9
