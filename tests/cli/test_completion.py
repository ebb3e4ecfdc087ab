"""What a shell offers at Tab, asked as its script asks."""

import os
import shlex
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run

PROGRAM = [sys.executable, "-c", "from bridge.cli import main; main()"]
NAMES = ("Acme GmbH", "Acme & Sons", "Beta", "Bad$(touch x)", "Bad\\$(x)", "Bad'y", "-Bad")


def offered(line: str, shell: str = "bash", **environ: str) -> str:
    asked = {
        "_POINTS_BRIDGE_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    if shell == "bash":
        asked |= {"COMP_WORDS": line, "COMP_CWORD": str(len(words(line)) - 1)}
    # typer takes the name of the variable from that of the program.
    program = [PROGRAM[0], "-c", f"import sys; sys.argv[0] = 'points-bridge'; {PROGRAM[2]}"]
    done = subprocess.run(
        program,
        env={**os.environ, **asked, **environ},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.rstrip("\n")


def words(line: str) -> list[str]:
    """As bash has them, which takes a quote for closed at the end of the line."""
    closed = line + '"' * (line.count('"') % 2)
    return [*shlex.split(closed), *[""] * line.endswith(" ")]


@pytest.fixture
def booked(run: Run, settings: Path) -> Path:
    for number, name in enumerate(NAMES):
        code, _, err = run("purchase", "--reference", f"R-{number}", "--new", "--", name, "5")
        assert code == 0, err
    return settings


def test_accounts_are_offered_as_each_shell_must_have_them(booked: Path) -> None:
    quoted = {r"Acme\ GmbH", r"Acme\ \&\ Sons"}
    assert set(offered("points-bridge balance Ac").split("\n")) == quoted
    assert offered(r"points-bridge balance Acme\ G") == r"Acme\ GmbH"
    assert offered('points-bridge balance "Acme G') == "Acme GmbH"
    assert offered("points-bridge statement Be", "zsh") == """_arguments '*: :(("Beta"))'"""
    assert '"Acme GmbH"' in offered("points-bridge purchase Ac", "zsh")
    assert set(offered("points-bridge account Ac", "fish").split("\n")) == {
        "Acme GmbH",
        "Acme & Sons",
    }


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_names_that_a_shell_would_act_upon_are_not_offered(booked: Path, shell: str) -> None:
    assert "Bad" not in offered("points-bridge purchases list ", shell)
    assert "Beta" in offered("points-bridge purchases list ", shell)


@pytest.mark.parametrize("command", ["setup", "doctor", "explain"])
def test_helpdesks_are_offered(settings: Path, command: str) -> None:
    assert offered(f"points-bridge {command} ") == "support"


def test_settings_that_the_line_names_are_read(
    booked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POINTS_BRIDGE_SETTINGS")
    assert offered(f"points-bridge --settings {booked} balance Be") == "Beta"


def test_nothing_is_offered_and_no_database_is_made_where_there_is_none(settings: Path) -> None:
    assert offered("points-bridge balance A") == ""
    assert not (settings.parent / "points-bridge.db").exists()


def test_nothing_is_offered_where_settings_or_database_cannot_be_read(booked: Path) -> None:
    database = booked.parent / "points-bridge.db"
    assert database.is_file()
    database.write_bytes(b"something else")
    assert offered("points-bridge balance A") == ""
    booked.write_text("[broken", encoding="utf-8")
    assert offered("points-bridge balance A") == ""
    assert offered("points-bridge doctor ") == ""


def test_nothing_is_offered_from_a_database_of_something_else(booked: Path) -> None:
    database = booked.parent / "points-bridge.db"
    database.unlink()
    with sqlite3.connect(database) as other:
        other.execute("CREATE TABLE cats (name TEXT)")
    other.close()
    assert offered("points-bridge balance A") == ""
