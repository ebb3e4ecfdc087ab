"""From credentials to a charged ticket, with the commands alone, as an admin types them."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bridge.sandbox.zammad import Fault, Token, ZammadSandbox
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

    opens: Callable[[], int]
    state: Callable[[], list[object]]
    provable: int
    box: ZammadSandbox | ZendeskSandbox
    notes: Callable[[int], object] = lambda _ticket: None

    def shown(self, ticket: Any) -> object:
        """What one of a Zammad's tickets shows of its points; None for nothing."""
        with self.box.model.store.lock:
            return self.box.model.ticket(ticket).get("points_state") or None

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

        opens = partial(model.customer_mails, CARLA, "Help", "Please.")
        yield FirstDay(*deployed, opens, state, 7, box)


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
            box,
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


class TestTheFirstDayOfAZammad:
    """As a real one behaves: records that are cached, connections that close, agents that are
    mailed, replies of its own, and a log of its deliveries."""

    @staticmethod
    def told(day: FirstDay) -> list[tuple[str, str]]:
        """The mails to customers, oldest first: to whom, and what they begin with."""
        rows = day.box.model.store.tables["TicketArticle"].values()
        mails = (row for row in rows if row["type_id"] == 1 and row["sender_id"] != 2)
        return [(row["to"], row["subject"]) for row in mails if not row["internal"]]

    @staticmethod
    def connections_close(day: FirstDay) -> None:
        """Every few calls, between two of them."""
        for number in range(4):
            day.box.model.faults.add(Fault("GET", "*"), times=7 + number)
            day.box.model.faults.add(Fault("GET", "/api/v1/[otwu]*", drop=True))

    def test_goes_from_credentials_to_a_charged_ticket_in_six_commands(
        self, zammad: FirstDay
    ) -> None:
        """ "No mail to any customer that the plan did not announce, then removal and again." """
        day = zammad
        old = day.opens()
        mailed = len(self.told(day))
        self.connections_close(day)
        code, planned = day.typed("setup", "support", "--dry-run")
        assert code == 0
        announced = [step for step in planned["plan"] if "answers every new ticket" in step["why"]]
        assert len(announced) == 1
        code, done = day.typed("setup", "support", "--yes")
        assert (code, done["failed"], done["left_out"]) == (0, None, [])
        with day.running("points-bridge", "serve"):
            day.ready()
            assert day.typed("setup", "support", "--yes", "--prove")[0] == 0
            assert day.typed("purchase", "Acme GmbH", "10", "--reference", "A-1", "--new")[0] == 0
            new = day.opens()
            until(lambda: day.shown(new) == "charged")
            day.box.model.agent_answers(old, "Please restart it.")
            assert day.box.webhooks.wait_until_idle(DEADLINE)
            code, found = day.typed("doctor")
            assert (code, found["ok"]) == (0, True)
            assert day.shown(old) is None
            customers = [to for to, _ in self.told(day)[mailed:]]
            # Zammad's own reply, which the plan has announced, and the agent's.
            assert customers == [CARLA, CARLA]
            code, removed = day.typed("setup", "support", "--remove", "--yes")
            assert (code, removed["failed"]) == (0, None)
            alone = day.opens()
            code, again = day.typed("setup", "support", "--yes")
            assert (code, again["failed"]) == (0, None)
            assert day.shown(alone) is None
            held = day.opens()
            until(lambda: day.shown(held) == "awaiting_points")
