"""A command as it is typed, and a settings file for it."""

import json
import logging
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from bridge.cli import main
from bridge.demo.scene import HELPDESK, ZAMMAD, Clock, Scene, open_scene
from bridge.jobs import run_once
from bridge.policy.calendars import data_versions
from bridge.sandbox.zammad import Token
from bridge.setup import facts as gathered
from tests.test_docs import CODE, TestCommands

Run = Callable[..., tuple[int, str, str]]

#: What the names of the helpdesk's secrets begin with.
ENV = "POINTS_BRIDGE_SUPPORT_"

WEBHOOK_SECRET = "canary-webhook-secret"
#: An admin has chosen the webhook's secret, and nothing can be set up without another token.
STAND = replace(ZAMMAD, secrets={"token": Token.BRIDGE, "webhook_secret": WEBHOOK_SECRET})


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command sends logs to its stderr, which is gone when the test is over."""
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Type a command; its exit code, what it printed, and what it complained of."""

    def typed(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["points-bridge", *arguments])
        monkeypatch.setenv("COLUMNS", "200")
        capsys.readouterr()  # what the test itself has logged
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return typed


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file whose helpdesk is never asked anything."""
    path = tmp_path / "points-bridge.toml"
    path.write_text(
        '[defaults]\nzone = "Europe/Berlin"\n[helpdesks.support]\nvendor = "zammad"\n'
        'url = "http://127.0.0.1:9"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("POINTS_BRIDGE_SETTINGS", str(path))
    for name, value in STAND.environ.items():
        monkeypatch.setenv(name, value)
    return path


def present() -> Clock:
    """The machine's own time: the commands know no other one."""
    clock = Clock(datetime.now(UTC))
    clock.release()
    return clock


@pytest.fixture
def scene(tmp_path: Path, settings: Path) -> Iterator[Scene]:
    """A running scene that the settings name: the commands work beside its server."""
    can_set_up = replace(STAND, secrets={**STAND.secrets, **ZAMMAD.secrets})
    with open_scene(tmp_path, can_set_up, clock=present()) as scene:
        assert settings.read_text(encoding="utf-8").count(scene.urls[HELPDESK]) == 1
        yield scene


def of(run: Run, *arguments: str) -> Any:
    """What a command prints as JSON, of which its page names every part."""
    code, out, err = run(*arguments, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    for one in found if isinstance(found, list) else [found]:
        unnamed = one.keys() - named_on_the_page(*arguments)
        assert not unnamed, f"docs/commands.md does not name {unnamed}"
    return found


#: Whose JSON is that of another command, as the page says.
AS_ANOTHER = {"account": "balance", "accounts": "balance"}


def named_on_the_page(*arguments: str) -> set[str]:
    """What docs/commands.md names of the JSON that a command prints."""
    pages = TestCommands.documented()
    first, both = arguments[0], " ".join(arguments[:2])
    section = pages[AS_ANOTHER.get(first) or (both if both in pages else first)][1]
    told = re.findall(r"^JSON: .*(?:\n.+)*", section, re.MULTILINE)
    return set(CODE.findall("".join(told)))


@pytest.fixture
def bare(tmp_path: Path, settings: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A scene in which nobody has set the helpdesk up, at the present time, with its webhooks sent.

    The setup token is that of an admin, who is not the bridge's own user.
    """
    monkeypatch.setenv("POINTS_BRIDGE_SUPPORT_SETUP_TOKEN", Token.ADMIN)
    with open_scene(tmp_path, STAND, clock=present(), set_up=False) as scene:
        for group in scene.zammad.model.store.tables["Group"].values():
            group["email_address_id"] = 1
        scene.zammad.model.store.tables["Trigger"][1]["active"] = False
        scene.zammad.webhooks.start()
        yield scene
        scene.zammad.webhooks.stop()


class Patient:
    """A deployment that is well, and what can be done to it."""

    def __init__(
        self, run: Run, scene: Scene, settings: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.run, self.scene, self.settings, self.monkeypatch = run, scene, settings, monkeypatch

    @property
    def database(self) -> Path:
        return self.settings.with_name("points-bridge.db")

    def row(self, table: str, name: str) -> dict[str, Any]:
        rows = self.scene.zammad.model.store.tables[table].values()
        (found,) = [row for row in rows if row["name"] == name]
        return found

    def rewrite(self, old: str, new: str) -> None:
        text = self.settings.read_text(encoding="utf-8")
        assert old in text
        self.settings.write_text(text.replace(old, new), encoding="utf-8")

    def sql(self, *statements: str) -> None:
        """By hand, past everything that guards the ledger."""
        with sqlite3.connect(self.database) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()


@pytest.fixture
def well(run: Run, bare: Scene, settings: Path, monkeypatch: pytest.MonkeyPatch) -> Patient:
    """Set up by the command, with a ticket, a purchase and nothing to do."""
    model = bare.zammad.model
    model.add_organization("Acme GmbH")
    model.add_customer("Carla", "carla@acme.example", "Acme GmbH")
    assert of(run, "setup", HELPDESK, "--yes")["failed"] is None
    of(run, "purchase", "Acme GmbH", "10", "--reference", "INV-1", "--new")
    model.customer_mails("carla@acme.example", "Help", "Please.")
    assert bare.zammad.webhooks.wait_until_idle(30)
    bare.settle()
    run_once(bare.bridge)
    # The package that is locked grows old, and that is for another test to tell.
    fresh = replace(data_versions(), tzdata=f"{datetime.now(UTC).year}.1")
    monkeypatch.setattr(gathered, "data_versions", lambda: fresh)
    return Patient(run, bare, settings, monkeypatch)
