"""Zammad's own badge: what its SLAs say of a ticket is what the bridge has promised."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.adapters.provisioning import Problem, Severity, Wanted
from bridge.bootstrap import provisioner, wanted
from bridge.demo.scene import HELPDESK, SECRETS, Scene, open_scene
from bridge.sandbox.zammad import Token
from bridge.settings import Settings, load_settings
from bridge.setup.doctor import examine
from tests.e2e.conftest import people_of
from tests.e2e.helpers import CARLA, DAY, HOUR, MIKE, bought, opened, shown

SETUP_SECRETS = SECRETS | {"POINTS_BRIDGE_SUPPORT_SETUP_TOKEN": Token.SETUP}
NOBODY = "nora@nowhere.example"
#: A Thursday, an hour before Berlin closes; the Friday is a holiday, then comes the weekend.
CHRISTMAS_EVE = datetime(2026, 12, 24, 15, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, scene: Scene) -> Settings:
    return load_settings(tmp_path / "points-bridge.toml", SETUP_SECRETS)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A helpdesk that only our own set-up has touched: twice, for its records came between."""
    with open_scene(
        tmp_path, secrets=SETUP_SECRETS, extra_settings="native_slas = true", set_up=False
    ) as scene:
        settings = load_settings(tmp_path / "points-bridge.toml", SETUP_SECRETS)
        set_up(scene, settings)
        people_of(scene)
        set_up(scene, settings)
        yield scene


def what_is_wanted(scene: Scene, settings: Settings) -> Wanted:
    base = scene.webhook_url.removesuffix(f"/webhooks/{HELPDESK}")
    return replace(wanted(settings, HELPDESK, base), today=scene.clock().date())


def set_up(scene: Scene, settings: Settings) -> None:
    for step in provisioner(settings, HELPDESK).plan(what_is_wanted(scene, settings)):
        if step.changes:
            step.apply()


def warned(scene: Scene, settings: Settings) -> list[Problem]:
    """What doctor says of first responses."""
    looked_at = {HELPDESK: (provisioner(settings, HELPDESK), what_is_wanted(scene, settings))}
    found = examine(settings, looked_at, scene.clock).problems
    return [one for one in found if one.where == f"{HELPDESK}: first response"]


def by_zammad(scene: Scene, ticket: int) -> Any:
    return scene.zammad.model.ticket(ticket)["first_response_escalation_at"]


@pytest.mark.parametrize(
    ("sender", "account", "due"),
    [
        (CARLA, "Acme GmbH", datetime(2026, 12, 28, 11, tzinfo=UTC)),
        (MIKE, "Maple Inc", datetime(2026, 12, 24, 19, tzinfo=UTC)),
        (NOBODY, NOBODY, datetime(2026, 12, 28, 11, tzinfo=UTC)),
    ],
)
def test_zammad_and_the_bridge_name_the_same_time(
    scene: Scene, settings: Settings, sender: str, account: str, due: datetime
) -> None:
    """Of a customer in Berlin, with Christmas in between, in Toronto, and of nobody's."""
    scene.wait(CHRISTMAS_EVE - scene.clock())
    bought(scene, account, 10)
    ticket = opened(scene, sender)
    assert by_zammad(scene, ticket) == shown(scene, ticket, "response_due") == due
    assert warned(scene, settings) == []


def test_they_agree_all_winter(scene: Scene, settings: Settings) -> None:
    """A step of a day and five hours comes by every hour and every kind of day."""
    for account in ("Acme GmbH", "Maple Inc"):
        bought(scene, account, 10_000, account)
    for _ in range(70):
        scene.clock.move(DAY + 5 * HOUR + timedelta(minutes=7, seconds=1))
        for sender in (CARLA, MIKE):
            ticket = opened(scene, sender)
            due = by_zammad(scene, ticket)
            assert due
            assert due.replace(second=0) == shown(scene, ticket, "response_due")
    assert warned(scene, settings) == []


def test_they_agree_on_the_hours_that_the_settings_say(scene: Scene, tmp_path: Path) -> None:
    """Long days, a day that is closed, and a holiday that is worked."""
    path = tmp_path / "points-bridge.toml"
    said = 'hours = "Mon-Fri 07:00-19:30"\nclosed = ["2026-12-23"]\nworked = ["2026-12-25"]'
    text = path.read_text(encoding="utf-8").replace("[defaults]", f"[defaults]\n{said}")
    path.write_text(text, encoding="utf-8")
    settings = load_settings(path, SETUP_SECRETS)
    set_up(scene, settings)
    bridge = replace(scene.bridge, hours=settings.defaults.service_hours())
    scene = replace(scene, bridge=bridge)
    bought(scene, "Acme GmbH", 10_000)
    scene.wait(datetime(2026, 12, 21, tzinfo=UTC) - scene.clock())
    for _ in range(40):
        scene.clock.move(5 * HOUR)
        ticket = opened(scene, CARLA)
        assert by_zammad(scene, ticket).replace(second=0) == shown(scene, ticket, "response_due")
    assert warned(scene, settings) == []


def test_a_ticket_that_was_held_and_released_is_reported(scene: Scene, settings: Settings) -> None:
    """Zammad counts from the creation, and the promise from the release."""
    ticket = opened(scene)
    assert (shown(scene, ticket, "state"), warned(scene, settings)) == ("awaiting_points", [])
    scene.wait(3 * HOUR)
    bought(scene, "Acme GmbH", 10)
    assert shown(scene, ticket, "response_due") > by_zammad(scene, ticket)
    (found,) = warned(scene, settings)
    number = scene.zammad.model.ticket(ticket)["number"]
    assert found.severity is Severity.WARNING
    assert found.what == (
        f"ticket {number}: due 2026-11-23 13:00Z by Zammad's SLA, 2026-11-24 08:00Z by the bridge:"
        " Zammad counts from its creation, the bridge from its release or re-opening"
        " 2026-11-23 12:00Z"
    )
    scene.zammad.model.agent_answers(ticket, "Try this.")
    scene.settle()
    assert (by_zammad(scene, ticket), warned(scene, settings)) == (None, [])


def test_only_the_twenty_newest_are_compared(scene: Scene, settings: Settings) -> None:
    tickets = [opened(scene, CARLA, f"No. {number}") for number in range(22)]
    scene.wait(3 * HOUR)
    bought(scene, "Acme GmbH", 220)
    found = [one.what.split(":")[0] for one in warned(scene, settings)]
    numbers = [scene.zammad.model.ticket(ticket)["number"] for ticket in tickets]
    assert sorted(found) == [f"ticket {number}" for number in sorted(numbers[2:])]
