"""The samples of docs/commands.md are what the commands print."""

import pytest

from tests.samples import PAGE, SECTIONS, blocks, fits, played, steps


def test_show_what_is_printed() -> None:
    """`python -m tests.samples` writes them anew."""
    found = list(blocks(PAGE.read_text("utf-8")))
    assert len(found) >= len(SECTIONS) - 1
    with played() as run:
        wrong = {
            typed: printed
            for block in found
            for typed, shown in steps(block[1])
            if not fits(printed := run(typed), shown)
        }
    assert wrong == {}


@pytest.mark.parametrize(
    ("shown", "fit"),
    [
        (["a", "b", "c"], True),
        (["a", "...", "c"], True),
        (["..."], True),
        (["a", "c"], False),
        (["a", "b", "d"], False),
    ],
)
def test_may_be_shortened(shown: list[str], fit: bool) -> None:
    assert fits(["a", "b", "c"], shown) is fit
