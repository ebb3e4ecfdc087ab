"""A pytest plugin: a mutant meets first the tests that are most likely to find it, and quickly."""

import json
import os
from pathlib import Path

import pytest

#: Seconds. What takes longer comes last.
_SLOW = 0.3


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the mutant's own module come first, then those of its own room."""
    _, room, module, *_ = [*os.environ.get("MUTANT_UNDER_TEST", "").split("."), "", "", ""]
    durations = _durations(Path("mutmut-stats.json"))

    def likelihood(item: pytest.Item) -> tuple[bool, bool, bool]:
        return (
            durations.get(item.nodeid, 0) > _SLOW,
            item.path.stem != f"test_{module}",
            item.path.parent.name != room,
        )

    items.sort(key=likelihood)


def _durations(path: Path) -> dict[str, float]:
    """How long each test took without a mutant, once that is known."""
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    durations: dict[str, float] = known.get("duration_by_test", {})
    return durations
