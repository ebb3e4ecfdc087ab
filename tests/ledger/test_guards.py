"""The guards against hand-typed SQL, through the bare sqlite3 module.

Each attack is made with every conflict clause, under the module's defaults (no foreign keys, no
recursive triggers), and once more with CHECKs switched off. Each must be refused by the guard that
is meant, and leave every row as it was.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.ledger import attacks
from tests.ledger.attacks import ATTACKS, Attack
from tests.ledger.conftest import audit_of, in_memory

CLAUSES = ("", "OR ABORT", "OR REPLACE", "OR IGNORE", "OR FAIL", "OR ROLLBACK")
TABLES = ("accounts", "lots", "incidents", "txs", "entries", "decisions")


@pytest.fixture(params=["ON", "OFF"], ids=["with checks", "without checks"])
def shell(world: Path, request: pytest.FixtureRequest) -> Iterator[sqlite3.Connection]:
    """A copy of the world in an SQL shell."""
    with closing(in_memory(world)) as connection:
        ignored = {"ON": "OFF", "OFF": "ON"}[request.param]
        connection.execute(f"PRAGMA ignore_check_constraints = {ignored}")
        yield connection


def _rows(shell: sqlite3.Connection) -> dict[str, list[object]]:
    return {table: shell.execute(f"SELECT rowid, * FROM {table}").fetchall() for table in TABLES}


def _run(shell: sqlite3.Connection, statements: str, clause: str = "") -> None:
    for statement in statements.replace("@", clause).split(";"):
        shell.execute(statement)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_no_hand_typed_sql_can(attack: Attack, shell: sqlite3.Connection) -> None:
    for clause in CLAUSES if "@" in attack.sql else ("",):
        shell.execute("BEGIN")
        _run(shell, attack.before)
        before = _rows(shell)
        with pytest.raises(sqlite3.IntegrityError, match=re.escape(attack.sentence)):
            _run(shell, attack.sql, clause)
        assert _rows(shell) == before, clause
        shell.execute("ROLLBACK")
    assert audit_of(shell) == []


def test_every_sentence_of_the_guards_is_provoked_by_an_attack(world: Path) -> None:
    with closing(sqlite3.connect(world)) as connection:
        query = "SELECT group_concat(sql) FROM sqlite_master WHERE type = 'trigger'"
        (triggers,) = connection.execute(query).fetchone()
    sentences = re.findall(r"RAISE\(ABORT, '((?:[^']|'')+)'\)", triggers)
    provoked = {attack.sentence for attack in ATTACKS}
    unprovoked = [
        sentence
        for sentence in sentences
        if not any(part in sentence.replace("''", "'") for part in provoked)
    ]
    assert len(sentences) > 1
    assert unprovoked == []


def test_hand_typed_sql_that_keeps_the_rules_moves_the_points(shell: sqlite3.Connection) -> None:
    """So it is the rules that refuse the attacks, not their wording."""
    _run(shell, attacks.tx("charge", 10))
    _run(shell, attacks.entry("charge", 1, -10))
    assert shell.execute("SELECT remaining FROM lots WHERE id = 1").fetchone() == (30,)
    assert shell.execute("SELECT balance FROM accounts WHERE id = 1").fetchone() == (50,)
    assert audit_of(shell) == []
