"""The demo that stays: every command works on it, and it leaves nothing behind."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.demo import story

PROGRAM = [sys.executable, "-c", "from bridge.cli import main; main()"]
DEADLINE = 100


@contextmanager
def staying(directory: Path) -> Iterator["tuple[subprocess.Popen[str], str]"]:
    """`demo --serve` with its files below `directory`, and what it said until it was up."""
    process = subprocess.Popen(
        [*PROGRAM, "demo", "--serve"],
        env=os.environ | {"TMPDIR": str(directory), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C ends it." in line:
                break
        yield process, "".join(said)
    finally:
        process.kill()
        process.communicate()


def typed(settings: str, *arguments: str) -> Any:
    done = subprocess.run(
        [*PROGRAM, "--settings", settings, *arguments, "--json"],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_every_command_works_on_a_demo_that_stays(tmp_path: Path) -> None:
    with staying(tmp_path) as (demo, said):
        [settings] = re.findall("POINTS_BRIDGE_SETTINGS=(.+)", said)
        assert Path(re.findall("The database: (.+)", said)[0]).is_file()
        assert "sandbox-admin" in said
        accounts = {one["account"]: one for one in typed(settings, "accounts")}
        assert accounts["Acme GmbH"]["on_hand"] == 10
        for helpdesk in ("support", "cloud"):
            assert typed(settings, "setup", helpdesk, "--dry-run")["changes"] == 0
        proved = typed(settings, "setup", "support", "--prove", "--yes")["proved"]
        assert sum(one["arrived"] is True for one in proved) >= 7
        found = typed(settings, "doctor")["problems"]
        assert [one for one in found if one["severity"] == "problem"] == []
        demo.send_signal(signal.SIGTERM)
        rest, _ = demo.communicate(timeout=DEADLINE)
        assert (demo.returncode, rest.strip()) == (0, "Ended.")
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_is_ended_in_the_middle_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(story, "_show", lambda _scene: signal.raise_signal(signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        story.run(stay=False)
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_demo_that_stays_begins_on_a_working_monday_and_has_ended() -> None:
    for day in range(0, 400, 3):
        now = datetime(2026, 11, 27, 13, tzinfo=UTC) + timedelta(days=day)
        start = story.first_day(now)
        assert (start.weekday(), start.hour) == (0, 9)
        assert timedelta(days=103) < now - start < timedelta(days=125)
    # 24 May 2027 is Victoria Day in Canada, and 17 May Whit Monday in Germany.
    assert story.first_day(datetime(2027, 9, 8, tzinfo=UTC)).date().isoformat() == "2027-05-10"
