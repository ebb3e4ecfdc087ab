"""Databases for all suites, and how many tests of the contract each adapter has passed."""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.database.engine import Database

_CONTRACT = re.compile(r"tests/adapters/test_([a-z]+)\.py::TestContract")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Also where the tests ran in other processes."""
    passed = terminalreporter.stats.get("passed", [])
    adapters = Counter(
        found[1]
        for report in passed
        if report.when == "call" and (found := _CONTRACT.match(report.nodeid))
    )
    if adapters:
        counts = ", ".join(f"{name} {count}" for name, count in sorted(adapters.items()))
        terminalreporter.write_line(f"adapter contract: {counts}")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "empty.db"
    with Database.open(f"sqlite:///{path}") as db:
        db.migrate()
    return path


@pytest.fixture
def path(migrated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(migrated, tmp_path / "points.db"))


@pytest.fixture
def db(path: Path) -> Iterator[Database]:
    with Database.open(f"sqlite:///{path}") as database:
        yield database
