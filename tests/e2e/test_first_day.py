"""From credentials to a charged ticket, with the commands alone, as an admin types them."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.sandbox.zammad import Token, ZammadSandbox
from bridge.sandbox.zendesk import BRIDGE, Client, ZendeskSandbox
from tests.e2e.deployment import BIN, DEADLINE, Deployment, free_port, until

CARLA = "carla@acme.example"


@dataclass
class FirstDay(Deployment):
    """A helpdesk that nobody has touched, and an admin with its credentials and nothing else.

    `opens` lets a customer open a ticket, `state` is what the tickets show of their points,
    `provable` is how many events need no person, `notes` lets an agent write on a ticket in the
    helpdesk's own pages.
    """

    opens: Callable[[], object]
    state: Callable[[], list[object]]
    provable: int
    notes: Callable[[int], object] = lambda _ticket: None

    def typed(self, *arguments: str) -> tuple[int, Any]:
        """A command's exit code, and what it prints as JSON."""
        done = subprocess.run(
            [BIN / "points-bridge", *arguments, "--json"],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def configured(
    directory: Path, table: str, secrets: dict[str, str]
) -> tuple[Path, dict[str, str], int]:
    port, settings = free_port(), directory / "points-bridge.toml"
    settings.write_text(
        f'[listen]\nport = {port}\npublic_url = "http://127.0.0.1:{port}"\n'
        f'[defaults]\nzone = "Europe/Berlin"\n[helpdesks.support]\n{table}',
        encoding="utf-8",
    )
    named = {f"POINTS_BRIDGE_SUPPORT_{name}": secret for name, secret in secrets.items()}
    return settings, {**os.environ, **named, "POINTS_BRIDGE_SETTINGS": str(settings)}, port


@pytest.fixture
def zammad(tmp_path: Path) -> Iterator[FirstDay]:
    box = ZammadSandbox(lambda: datetime.now(UTC), retry_scale=0.01)
    model = box.model
    for group in model.store.tables["Group"].values():
        group["email_address_id"] = 1
    with box.running() as url:
        secrets = {"TOKEN": str(Token.BRIDGE), "SETUP_TOKEN": str(Token.ADMIN)}
        deployed = configured(tmp_path, f'vendor = "zammad"\nurl = "{url}"\n', secrets)
        model.add_organization("Acme GmbH")
        model.add_customer("Carla", CARLA, "Acme GmbH")

        def state() -> list[object]:
            with model.store.lock:
                return [row.get("points_state") for row in model.store.tables["Ticket"].values()]

        yield FirstDay(*deployed, lambda: model.customer_mails(CARLA, "Help", "Please."), state, 7)


@pytest.fixture
def zendesk(tmp_path: Path) -> Iterator[FirstDay]:
    box = ZendeskSandbox(lambda: datetime.now(UTC), retry_scale=0.01)
    model = box.model
    model.access.actor(BRIDGE).user["role"] = "agent"
    with box.running() as url:
        secrets = {
            "CLIENT_SECRET": Client.BRIDGE.secret,
            "SETUP_CLIENT_SECRET": Client.SETUP.secret,
        }
        table = (
            f'vendor = "zendesk"\nurl = "{url}"\nclient_id = "{Client.BRIDGE}"\n'
            f'setup_client_id = "{Client.SETUP}"\n'
        )
        deployed = configured(tmp_path, table, secrets)
        model.add_organization("Acme GmbH")
        model.add_customer("Carla", CARLA, "Acme GmbH")

        def state() -> list[object]:
            with model.store.lock:
                rows = model.store.tables["ticket_fields"].values()
                (key,) = [row["id"] for row in rows if row["title"] == "points_state"]
                tickets = model.store.tables["tickets"].values()
                return [
                    str(row.get(f"custom_fields_{key}")).removeprefix("points_state_")
                    for row in tickets
                ]

        yield FirstDay(
            *deployed,
            lambda: model.customer_mails(CARLA, "Help", "Please."),
            state,
            4,
            lambda ticket: model.agent_notes(ticket, "Here I am."),
        )


@pytest.fixture(params=["zammad", "zendesk"])
def day(request: pytest.FixtureRequest) -> FirstDay:
    found: FirstDay = request.getfixturevalue(request.param)
    return found


def test_one_command_makes_a_helpdesk_ready(day: FirstDay) -> None:
    """ "An admin of either helpdesk goes from credentials to a working bridge in one command" """
    code, complaint = day.typed("queues", "list")
    assert (code, "run `points-bridge setup support`" in str(complaint)) == (1, True)
    code, done = day.typed("setup", "support", "--yes")
    assert (code, done["failed"], done["left_out"]) == (0, None, [])
    with day.running("points-bridge", "serve"):
        day.ready()
        assert day.typed("purchase", "Acme GmbH", "10", "--reference", "INV-1", "--new")[0] == 0
        day.opens()
        until(lambda: day.state() == ["charged"])
        day.opens()
        until(lambda: day.state() == ["charged", "awaiting_points"])
        code, found = day.typed("doctor")
        severe = [one for one in found["problems"] if one["severity"] != "note"]
        assert (code, found["ok"], severe) == (0, True, [])
        code, again = day.typed("setup", "support", "--yes")
        assert (code, again["changes"]) == (0, 0)


def test_every_event_is_proved_but_those_that_need_a_person(day: FirstDay) -> None:
    assert day.typed("setup", "support", "--yes")[0] == 0
    with day.running("points-bridge", "serve"):
        day.ready()
        code, done = day.typed("setup", "support", "--yes", "--prove")
    outcomes = {one["event"]: one["arrived"] for one in done["proved"]}
    assert code == 0
    assert list(outcomes.values()).count(True) == day.provable
    assert False not in outcomes.values()


@pytest.mark.parametrize(("answer", "arrived"), [("y", 5), ("n", 4)])
def test_a_person_proves_the_guarded_trigger(zendesk: FirstDay, answer: str, arrived: int) -> None:
    """What is changed over the API fires no guarded trigger, so the command asks."""
    assert zendesk.typed("setup", "support", "--yes")[0] == 0
    with zendesk.running("points-bridge", "serve"):
        zendesk.ready()
        with subprocess.Popen(
            [BIN / "points-bridge", "setup", "support", "--prove"],
            env=zendesk.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as proof:
            until(lambda: len(zendesk.state()) == 1)
            zendesk.notes(1)
            said, _ = proof.communicate(f"{answer}\n", timeout=2 * DEADLINE)
    assert (proof.returncode, said.count("arrived ")) == (0, arrived)
    words = " ".join(said.split())
    assert "Please write an internal note on ticket 1 in Zendesk's own pages. Is it done?" in words
    assert ("not tried changed: it takes a person" in words) is (answer == "n")
