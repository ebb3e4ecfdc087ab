"""What every run says at its end: how many tests of the contract each adapter has passed."""

import re
from collections import Counter

import pytest

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
