"""The audit, on ledgers that were spoiled with the guards and CHECKs out of the way."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.ledger.attacks import entry, tx
from tests.ledger.conftest import audit_of, in_memory


@pytest.fixture
def shell(world: Path) -> Iterator[sqlite3.Connection]:
    with closing(in_memory(world)) as connection:
        yield connection


@pytest.fixture
def unguarded(shell: sqlite3.Connection) -> sqlite3.Connection:
    triggers = shell.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (trigger,) in triggers:
        shell.execute(f"DROP TRIGGER {trigger}")
    shell.execute("DROP INDEX uq_txs_charge")
    shell.execute("PRAGMA ignore_check_constraints = ON")
    return shell


def _moved(points: int, lot: int, account: int = 1) -> str:
    """What the guard would have done."""
    return f"""UPDATE lots SET remaining = remaining + {points} WHERE id = {lot};
    UPDATE accounts SET balance = balance + {points} WHERE id = {account}"""


@pytest.mark.parametrize(
    ("harm", "finding"),
    [
        (
            "UPDATE lots SET remaining = 39 WHERE id = 1",
            "lot 1: 39 of 50 points remain, but its entries add up to 40",
        ),
        (
            "UPDATE accounts SET balance = 0 WHERE id = 1",
            "account 'acme': the balance is 0, but its lots hold 60",
        ),
        (
            "DELETE FROM entries WHERE id = 6",
            "transaction 6 (charge): 10 points, but its entries move 0",
        ),
        (
            "UPDATE txs SET points = 60 WHERE id = 1",
            "transaction 1 (purchase): 60 points, but its entries move 50",
        ),
        (
            "UPDATE txs SET points = 11 WHERE kind = 'credit'",
            "transaction 9 (credit): 11 points, but its entries move 10",
        ),
        (
            "DELETE FROM entries WHERE id = 6",
            (
                "account 'acme': 80 issued + 10 credited + 0 adjusted, but 20 consumed + 0 expired"
                " + 0 refunded + 60 remaining"
            ),
        ),
        (
            "DELETE FROM entries WHERE id = 6",
            (
                "in all: 100 issued + 10 credited + 0 adjusted, but 20 consumed + 0 expired"
                " + 0 refunded + 80 remaining"
            ),
        ),
    ],
)
def test_it_finds_sums_that_do_not_agree(
    unguarded: sqlite3.Connection, harm: str, finding: str
) -> None:
    unguarded.execute(harm)
    assert finding in audit_of(unguarded)


@pytest.mark.parametrize(
    ("harm", "finding"),
    [
        (
            "UPDATE entries SET lot_id = 4 WHERE id = 6;" + _moved(10, 1) + ";" + _moved(-10, 4, 2),
            "entry 6: its transaction, lot and account do not belong together",
        ),
        (
            "UPDATE txs SET valid_at = '2020-01-01T00:00:00.000000Z' WHERE id = 6",
            "entry 6 (charge): took from lot 1 at an instant when that cannot be",
        ),
        (
            f"{tx('expiry', 10)};{entry('expiry', 3, -10)};{_moved(-10, 3)}",
            "entry 10 (expiry): took from lot 3 at an instant when that cannot be",
        ),
        (
            f"{tx('charge', 10, incident_id=1)};{entry('charge', 1, -10)};{_moved(-10, 1)}",
            "incident 1: charged 2 times",
        ),
        (
            f"{tx('credit', 10, reverses_id=7)};{entry('credit', 1, 10)};{_moved(10, 1)}",
            "transaction 7: 20 of 10 points credited or refunded",
        ),
        (
            f"{tx('expiry', 20)};{entry('expiry', 2, -10)};{_moved(-10, 2)}",
            "transaction 10 (expiry): 20 points, but its entries move 10",
        ),
        (
            f"{tx('adjustment', 10)};{entry('adjustment', 1, -11)};{_moved(-11, 1)}",
            "transaction 10 (adjustment): 10 points, but its entries move 11",
        ),
    ],
)
def test_it_finds_bookings_whose_sums_agree_but_that_must_not_be(
    unguarded: sqlite3.Connection, harm: str, finding: str
) -> None:
    for statement in harm.replace("@", "").split(";"):
        unguarded.execute(statement)
    assert finding in audit_of(unguarded)


def test_it_finds_a_guard_that_is_out_of_force(shell: sqlite3.Connection) -> None:
    shell.execute("DROP TRIGGER apply_entry")
    assert audit_of(shell) == ["the guard apply_entry is not in force"]


def test_it_finds_nothing_in_a_sound_ledger(shell: sqlite3.Connection) -> None:
    assert audit_of(shell) == []


def test_refunds_are_in_the_sums(shell: sqlite3.Connection) -> None:
    for statement in (tx("refund", 10, reverses_id=6), entry("refund", 1, -10)):
        shell.execute(statement.replace("@", ""))
    assert audit_of(shell) == []
