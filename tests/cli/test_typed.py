"""Bytes that are no UTF-8, wherever they are typed: one sentence and exit code 2."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from bridge.cli.app import app
from tests.cli.conftest import Run

#: As Python hands on the byte FF, which UTF-8 never has.
BYTE = "\udcff"


def wrong_lines() -> Iterator[tuple[str, ...]]:
    """Every command, with the byte for one of its arguments, or as the value of an option."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for param in command.params:
            if param.param_type_name == "argument":
                yield (*path, BYTE)
            elif not param.is_flag:
                yield (*path, param.opts[0], BYTE)
                yield (*path, f"{param.opts[0]}={BYTE}")
        yield (*path, f"--{BYTE}")
        for name, child in getattr(command, "commands", {}).items():
            yield from walk(child, (*path, name))

    return walk(get_command(app), ())


@pytest.mark.parametrize("line", sorted(set(wrong_lines())), ids=ascii)
def test_an_argument_that_is_no_text_is_refused(
    run: Run, settings: Path, line: tuple[str, ...]
) -> None:
    code, out, err = run(*line)
    assert (code, out) == (2, "")
    assert r"\xff is not text in UTF-8" in err


@pytest.mark.parametrize("name", ["SETTINGS", "SUPPORT_TOKEN", "SUPPORT_TOKEN_FILE"])
def test_a_variable_that_is_no_text_is_refused_without_its_value(
    run: Run, settings: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"POINTS_BRIDGE_{name}", f"canary{BYTE}")
    code, out, err = run("accounts")
    assert (code, out) == (2, "")
    assert f"the variable POINTS_BRIDGE_{name} is not text in UTF-8" in err
    assert "canary" not in err


def test_a_variable_of_somebody_else_may_be_anything(
    run: Run, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PS1", BYTE)
    assert run("accounts")[0] == 0


def test_letters_of_every_script_are_text(run: Run, settings: Path) -> None:
    code, out, _ = run("purchase", "Ōsaka 🏢 GmbH", "5", "--reference", "Ü-1", "--new")
    assert (code, "Ōsaka 🏢 GmbH" in out) == (0, True)


def test_the_bytes_of_a_terminal_are_refused(settings: Path) -> None:
    program = [sys.executable, "-c", "from bridge.cli import main; main()"]
    typed = subprocess.run(
        [*program, "balance", b"Acme \xff"], capture_output=True, check=False, timeout=120
    )
    assert (typed.returncode, typed.stdout) == (2, b"")
    assert rb"the argument Acme \xff is not text in UTF-8" in typed.stderr
    assert b"Traceback" not in typed.stderr
