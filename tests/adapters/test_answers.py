"""What all vendors' answers are read with."""

import pytest

from bridge.adapters.answers import IN_A_LINE, change_seq
from bridge.errors import HelpdeskRefused

LARGEST = 2**63 - 1


def test_changes_are_numbered_line_by_line_and_within_a_line() -> None:
    assert change_seq(7, 0) < change_seq(7, 1) < change_seq(7, IN_A_LINE - 1) < change_seq(8)
    assert LARGEST - 2 * IN_A_LINE < change_seq(LARGEST // IN_A_LINE - 1, 999) <= LARGEST


@pytest.mark.parametrize(
    ("line", "place"), [(-1, 0), (LARGEST // IN_A_LINE, 0), (7, -1), (7, IN_A_LINE)]
)
def test_what_cannot_be_stored_is_refused(line: int, place: int) -> None:
    with pytest.raises(HelpdeskRefused, match=f"line {line} "):
        change_seq(line, place)
