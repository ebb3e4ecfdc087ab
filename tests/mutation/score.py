"""How many small faults, sown into the rules and the money, the unit suites find.

    python -m tests.mutation.score [--all] [--seed N] [--size N]

mutmut makes the mutants, and runs for each of them the tests that touch its function. Here they are
drawn by a seed, counted and shown. A survivor that no test can kill is explained in
`explained.toml`; it is counted as a survivor all the same. Fails under `LEAST` per cent.
"""

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files
from mutmut.utils.format_utils import get_mutant_name, orig_function_and_class_names_from_key

LEAST = 90
SIZE = 500
SEED = 8
EXPLAINED = Path(__file__).with_name("explained.toml")
_WORK = Path("mutants")
_LOG = Path("mutants.log")
#: A mutant that runs round in circles is found, too.
_FOUND = frozenset({"killed", "timeout"})

Change = tuple[str, str, str]
"""File, the lines that were, the lines that are: what a mutant is, wherever the lines stand."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test found."""

    name: str
    status: str
    line: int
    change: Change

    def shown(self, why: str | None) -> str:
        """Where it is, what it changes, and why nobody can tell the difference."""
        file, was, becomes = self.change
        lines = [f"{file}:{self.line}  ({self.name.rpartition('.')[2]}: {self.status})"]
        lines += [f"    - {line}" for line in was.splitlines()]
        lines += [f"    + {line}" for line in becomes.splitlines()]
        return "\n".join([*lines, f"    explained: {why}" if why else "    NOT EXPLAINED"])


def all_mutants() -> dict[str, Path]:
    """Every mutant's name, and its file."""
    return {
        get_mutant_name(path, name): path
        for path in sorted(walk_mutatable_files())
        for name in mutate_file_contents(str(path), path.read_text("utf-8")).mutant_names
    }


def draw(names: Iterable[str], size: int, seed: int) -> list[str]:
    """The same sample for the same names, size and seed."""
    known = sorted(names)
    return sorted(random.Random(seed).sample(known, min(size, len(known))))  # noqa: S311


def run(names: Sequence[str]) -> None:
    """Let mutmut try these mutants, or all where none is named.

    Raises:
        SystemExit: mutmut could not begin, as when a test fails without any fault.
    """
    shutil.rmtree(_WORK, ignore_errors=True)
    mutmut = Path(sys.executable).with_name("mutmut")
    with _LOG.open("w", encoding="utf-8") as log:
        ended = subprocess.run([mutmut, "run", *names], stdout=log, stderr=log, check=False)
    if ended.returncode:
        print(_LOG.read_text("utf-8")[-4000:], file=sys.stderr)
        raise SystemExit(f"mutmut failed; {_LOG} has all that it said")


def statuses(names: Mapping[str, Path]) -> dict[str, str]:
    """What became of each mutant, in mutmut's words."""
    codes: dict[str, int | None] = {}
    for path in set(names.values()):
        meta = json.loads((_WORK / f"{path}.meta").read_text("utf-8"))
        codes |= meta["exit_code_by_key"]
    return {name: status_by_exit_code[codes[name]] for name in names}


def survivor(name: str, path: Path, status: str) -> Survivor:
    """A mutant with its diff, and the line at which that begins."""
    lines = get_diff_for_mutant(name, path=path).splitlines()[2:]
    was, becomes = (
        "\n".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
    )
    source = path.read_text("utf-8")
    return Survivor(name, status, _line(source, name, was), (str(path), was, becomes))


def _line(source: str, name: str, was: str) -> int:
    function, owner = orig_function_and_class_names_from_key(name)
    begins = 0
    for opening in (f"^class {owner}", f"^ +def {function}") if owner else (f"^def {function}",):
        found = re.compile(rf"{opening}\b", re.MULTILINE).search(source, begins)
        begins = found.start() if found else begins
    first = re.compile(rf"^ *{re.escape(was.splitlines()[0])}$", re.MULTILINE)
    at = first.search(source, begins)
    return source.count("\n", 0, at.start() if at else begins) + 1


def explained(path: Path = EXPLAINED) -> dict[Change, str]:
    """Why some mutants change nothing that a test could see."""
    entries = tomllib.loads(path.read_text("utf-8")).get("explained", [])
    return {
        (entry["file"], entry["was"].strip(), entry["becomes"].strip()): entry["why"]
        for entry in entries
    }


def report(survivors: Sequence[Survivor], found: int) -> float:
    """Print every survivor, then the score, which is returned in per cent."""
    reasons = explained()
    for one in sorted(survivors, key=lambda one: (one.change[0], one.line, one.name)):
        print(one.shown(reasons.get(one.change)), end="\n\n")
    by_file = Counter(one.change[0] for one in survivors)
    for file, count in by_file.most_common():
        print(f"{count:5} in {file}")
    total = found + len(survivors)
    known = sum(one.change in reasons for one in survivors)
    score = 100 * found / total
    print(
        f"{found} of {total} mutants found: {score:.1f} %; {len(survivors)} survived,"
        f" {known} of them explained, {len(survivors) - known} not"
    )
    return score


def main() -> int:
    """Draw, run, report; 1 where too many survive."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--all", action="store_true", help="every mutant, which takes hours")
    options.add_argument("--seed", type=int, default=SEED)
    options.add_argument("--size", type=int, default=SIZE)
    given = options.parse_args()
    mutants = all_mutants()
    chosen = sorted(mutants) if given.all else draw(mutants, given.size, given.seed)
    drawn = "all" if given.all else f"drawn by seed {given.seed}"
    print(f"{len(chosen)} of {len(mutants)} mutants, {drawn}; how far: {_LOG}", flush=True)
    run([] if given.all else chosen)
    ended = statuses({name: mutants[name] for name in chosen})
    lost = [name for name in chosen if ended[name] not in _FOUND]
    survivors = [survivor(name, mutants[name], ended[name]) for name in lost]
    return int(report(survivors, len(chosen) - len(lost)) < LEAST)


if __name__ == "__main__":
    raise SystemExit(main())
