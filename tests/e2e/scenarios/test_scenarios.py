"""The rules as people read them: every scenario of the files in here, on each vendor that can."""

import re
from itertools import pairwise
from pathlib import Path

from pytest_bdd import scenarios

HERE = Path(__file__).parent

scenarios(".")


def test_each_names_a_rule() -> None:
    """`@rule-1.2` stands above it, for docs/rules.md and the terms to be found by."""
    for file in HERE.glob("*.feature"):
        lines = file.read_text("utf-8").splitlines()
        nameless = [
            line.strip()
            for before, line in pairwise(lines)
            if line.strip().startswith("Scenario") and not re.search(r"@rule-\d+\.\d+", before)
        ]
        assert nameless == [], file.name
