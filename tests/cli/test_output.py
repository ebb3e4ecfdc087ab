"""What was done is told, also on narrow terminals, to scripts, and where nobody can be told."""

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from bridge.terminal import output
from tests.cli.conftest import Run, of

PROGRAM = [sys.executable, "-c", "from bridge.cli import main; main()"]
BUYS = ("purchase", "Ärzte GmbH", "5", "--reference", "INV-1", "--new")


def typed(*arguments: str, to: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, with stdout to a file or a pipe that is read."""
    with Path(to or os.devnull).open("w") as file:
        return subprocess.run(
            [*PROGRAM, *arguments],
            env={**os.environ, **environ},
            stdout=file if to else subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )


class TestABookingStaysOne:
    def test_on_a_full_disk(self, run: Run, settings: Path) -> None:
        done = typed(*BUYS, to="/dev/full")
        assert done.returncode == 0
        assert "it is done, but could not be told: No space left on device" in done.stderr
        assert "Traceback" not in done.stderr
        assert of(run, "balance", "Ärzte GmbH")["on_hand"] == 5

    def test_into_a_pipe_that_nobody_reads(self, run: Run, settings: Path) -> None:
        reads, writes = os.pipe()
        os.close(reads)
        with os.fdopen(writes, "w") as pipe:
            done = subprocess.run(
                [*PROGRAM, *BUYS], stdout=pipe, stderr=subprocess.PIPE, check=False, timeout=120
            )
        assert (done.returncode, done.stderr) == (0, b"")
        assert of(run, "balance", "Ärzte GmbH")["on_hand"] == 5

    def test_on_a_terminal_that_lacks_its_letters(self, settings: Path) -> None:
        done = typed(*BUYS, PYTHONIOENCODING="ascii")
        assert (done.returncode, done.stderr) == (0, "")
        assert "Booked 5 points for ?rzte GmbH" in done.stdout


def test_what_could_only_be_shown_has_failed_where_it_cannot_be(run: Run, settings: Path) -> None:
    run(*BUYS)
    done = typed("balance", "Ärzte GmbH", to="/dev/full")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "the output cannot be written: No space left on device" in done.stderr


class TestAFailureForScripts:
    @pytest.mark.parametrize(
        ("arguments", "code", "kind", "message"),
        [
            (("balance", "Nobody"), 1, "UnknownAccount", "no account is called 'Nobody'"),
            (("explain", "nowhere", "5"), 1, "UnknownHelpdesk", "no helpdesk 'nowhere'"),
            (("balance",), 2, "WrongUse", "Missing argument"),
            (("purchase", "A", "1.000", "--reference", "x"), 2, "WrongUse", "from 1 to 100000"),
            (("balance", "A", "--nonsense"), 2, "WrongUse", "No such option"),
            (("queues", "nonsense"), 2, "WrongUse", "No such command"),
            (("balance", "\udcff"), 2, "WrongUse", "is not text in UTF-8"),
        ],
        ids=lambda value: " ".join(map(ascii, value)) if isinstance(value, tuple) else "",
    )
    def test_is_json(
        self,
        run: Run,
        settings: Path,
        arguments: tuple[str, ...],
        code: int,
        kind: str,
        message: str,
    ) -> None:
        got, out, err = run(*arguments, "--json")
        error = json.loads(out)["error"]
        assert (got, err, error["kind"]) == (code, "", kind)
        assert message in error["message"]

    def test_of_the_settings_is_json(self, run: Run, settings: Path) -> None:
        settings.write_text("[defaults]\n", encoding="utf-8")
        for command in (("settings", "check"), ("accounts",)):
            code, out, _ = run(*command, "--json")
            found = json.loads(out)
            assert (code, found["ok"], found["error"]["kind"]) == (1, False, "SettingsError")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", [200, 120, 80, 60, 40, 20])
def test_no_terminal_is_too_narrow_for_a_date(
    run: Run, settings: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    reference = "PO:100:7-" + "x" * 60
    run("purchase", "Acme", "5", "--reference", reference, "--on", the_day(), "--new")
    shown = Terminal()
    console = Console(file=shown, width=width, highlight=False, emoji=False)
    monkeypatch.setattr(output, "console", console)
    for command in (("statement", "Acme"), ("balance", "Acme"), ("purchases", "list")):
        run(*command)
    text = shown.getvalue()
    assert the_day() in text
    assert "…" not in text
    assert ":100:" in text.replace("\n", "")
    whole = "".join(one for one in text if one not in " │\n")
    assert whole.count("x" * 5) >= 3


def the_day() -> str:
    """Two days ago."""
    return f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}"
