"""The part of `make mutants` that is ours."""

from pathlib import Path

import pytest

from tests.mutation import score
from tests.mutation.score import Survivor

ROOT = Path(__file__).parents[2]
SOURCE = """\
class One:
    def same(self):
        return 1

class Two:
    def same(self):
        return 1

def same():
    value = 1
    return 1
"""


def test_the_same_seed_draws_the_same_sample() -> None:
    names = [f"name-{number}" for number in range(50)]
    assert score.draw(names, 10, 8) == score.draw(reversed(names), 10, 8)
    assert score.draw(names, 10, 8) != score.draw(names, 10, 9)
    assert score.draw(names, 99, 8) == sorted(names)


@pytest.mark.parametrize(
    ("mutant", "line"),
    [
        ("bridge.x.xǁOneǁsame__mutmut_1", 3),
        ("bridge.x.xǁTwoǁsame__mutmut_1", 7),
        ("bridge.x.x_same__mutmut_1", 11),
    ],
)
def test_a_survivor_is_found_in_its_own_function(mutant: str, line: int) -> None:
    assert score._line(SOURCE, mutant, "return 1") == line


def test_the_score_counts_what_is_explained_as_survived(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known, unknown = ("a.py", "x = 1", "x = 2"), ("a.py", "y = 1", "y = 2")
    monkeypatch.setattr(score, "explained", lambda: {known: "nobody reads x"})
    lost = [Survivor("a.x_f__mutmut_1", "survived", 7, known)]
    lost.append(Survivor("a.x_f__mutmut_2", "survived", 3, unknown))
    assert score.report(lost, 18) == 90
    assert capsys.readouterr().out == (
        "a.py:3  (x_f__mutmut_2: survived)\n    - y = 1\n    + y = 2\n    NOT EXPLAINED\n\n"
        "a.py:7  (x_f__mutmut_1: survived)\n    - x = 1\n    + x = 2\n"
        "    explained: nobody reads x\n\n"
        "    2 in a.py\n"
        "18 of 20 mutants found: 90.0 %; 2 survived, 1 of them explained, 1 not\n"
    )


def test_what_is_explained_is_still_there() -> None:
    """An explanation of code that is gone is to be deleted."""
    gone = [
        (file, line)
        for file, was, _ in score.explained()
        for line in was.splitlines()
        if line not in {text.strip() for text in (ROOT / file).read_text("utf-8").splitlines()}
    ]
    assert gone == []
