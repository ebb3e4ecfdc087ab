"""The samples of docs/commands.md are what the commands print: `python -m tests.samples` runs them.

Those of the sections named here, in the order of the page, on one ledger and at one instant. A line
`...` stands for lines that are left out.
"""

import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import UTC, datetime
from pathlib import Path

import time_machine

from bridge.cli import main
from bridge.database.engine import Database
from bridge.ticket import Customer
from tests.service.conftest import House

PAGE = Path(__file__).parents[1] / "docs/commands.md"
AT = datetime(2026, 11, 22, 21, 33, tzinfo=UTC)
#: Sections whose samples need the ledger alone, or nothing.
SECTIONS = (
    "`purchase ACCOUNT POINTS`",
    "`purchases list [ACCOUNT]`",
    "`purchases cancel REFERENCE`",
    "`accounts`",
    "`account REF`",
    "`balance ACCOUNT`",
    "`statement ACCOUNT`",
    "`due`",
)
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
_SETTINGS = """database = "sqlite:///points.db"
[defaults]
zone = "Europe/Berlin"
country = "DE"
subdivision = "BE"
[helpdesks.support]
vendor = "zammad"
url = "http://127.0.0.1:9"
"""
_MAPLE = Customer("organization:2", "Maple Inc", "America/Toronto", "CA")


def blocks(page: str) -> Iterator[re.Match[str]]:
    """The samples that are run, in the order of the page."""
    titles = list(_HEADING.finditer(page))
    for block in _BLOCK.finditer(page):
        above = [one[1] for one in titles if one.start() < block.start()]
        if above and above[-1] in SECTIONS:
            yield block


def steps(block: str) -> Iterator[tuple[str, list[str]]]:
    """What is typed in a sample, and the lines that are printed then."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        typed, *printed = part.rstrip("\n").split("\n")
        yield typed, printed


def fits(printed: list[str], shown: list[str]) -> bool:
    """Whether a page shows what was printed, `...` standing for any lines."""
    wanted = r"\n".join("(?:.*\n)*?.*" if one == "..." else re.escape(one) for one in shown)
    return re.fullmatch(wanted, "\n".join(printed)) is not None


@contextmanager
def played() -> Iterator[Callable[[str], list[str]]]:
    """A deployment in which Maple Inc waits for points; runs what is typed, and gives its lines."""
    with tempfile.TemporaryDirectory() as directory, time_machine.travel(AT, tick=False):
        settings = Path(directory, "points-bridge.toml")
        settings.write_text(_SETTINGS, encoding="utf-8")
        with Database.open(f"sqlite:///{directory}/points.db") as db:
            db.migrate()
            house = House(db, now=AT)
            house.open("5", _MAPLE, number="55005")
            house.settle()
        before, typed = dict(os.environ), sys.argv
        os.environ["POINTS_BRIDGE_SETTINGS"] = str(settings)
        try:
            yield _run
        finally:
            os.environ.clear()
            os.environ.update(before)
            sys.argv = typed


def _run(typed: str) -> list[str]:
    sys.argv = shlex.split(typed)
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said), suppress(SystemExit):
        main()
    return said.getvalue().rstrip("\n").split("\n")


def _rewritten(page: str) -> str:
    """The page with what the commands print now; samples that are shortened stay as they are."""
    with played() as run:
        for block in list(blocks(page)):
            text = "".join(
                "\n".join([f"$ {typed}", *(shown if "..." in shown else printed)]) + "\n"
                for typed, shown in steps(block[1])
                for printed in [run(typed)]
            )
            page = page.replace(block[0], f"```console\n{text}```")
    return page


if __name__ == "__main__":
    PAGE.write_text(_rewritten(PAGE.read_text("utf-8")), encoding="utf-8")
