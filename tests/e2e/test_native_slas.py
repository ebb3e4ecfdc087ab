"""Zammad's own badge: what its SLAs say of a ticket is what the bridge has promised."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.adapters.provisioning import Problem, Severity, Wanted
from bridge.bootstrap import provisioner, wanted
from bridge.demo.scene import HELPDESK, ZAMMAD, run_setup
from bridge.setup.doctor import examine
from tests.e2e.conftest import Opens, inhabited
from tests.e2e.desks import ZammadDesk
from tests.e2e.helpers import CARLA, DAY, HOUR, MIKE, bought, opened

NOBODY = "nora@nowhere.example"
#: A Thursday, an hour before Berlin closes; the Friday is a holiday, then comes the weekend.
CHRISTMAS_EVE = datetime(2026, 12, 24, 15, tzinfo=UTC)


@pytest.fixture
def zammad(opens: Opens) -> Iterator[ZammadDesk]:
    """Set up twice, for its customers came between: each of their zones has an SLA."""
    stand = replace(ZAMMAD, table=f"{ZAMMAD.table}native_slas = true\n")
    with opens(stand) as scene:
        desk = inhabited(ZammadDesk(scene))
        run_setup(scene.settings, HELPDESK, scene.clock().date())
        yield desk


def what_is_wanted(zammad: ZammadDesk) -> Wanted:
    return replace(wanted(zammad.scene.settings, HELPDESK), today=zammad.clock().date())


def warned(zammad: ZammadDesk) -> list[Problem]:
    """What doctor says of first responses."""
    settings = zammad.scene.settings
    looked_at = {HELPDESK: (provisioner(settings, HELPDESK), what_is_wanted(zammad))}
    found = examine(settings, looked_at, zammad.clock).problems
    return [one for one in found if one.where == f"{HELPDESK}: first response"]


def by_zammad(zammad: ZammadDesk, ticket: int) -> Any:
    return zammad.model.ticket(ticket)["first_response_escalation_at"]


@pytest.mark.parametrize(
    ("sender", "account", "due"),
    [
        (CARLA, "Acme GmbH", datetime(2026, 12, 28, 11, tzinfo=UTC)),
        (MIKE, "Maple Inc", datetime(2026, 12, 24, 19, tzinfo=UTC)),
        (NOBODY, NOBODY, datetime(2026, 12, 28, 11, tzinfo=UTC)),
    ],
)
def test_zammad_and_the_bridge_name_the_same_time(
    zammad: ZammadDesk, sender: str, account: str, due: datetime
) -> None:
    """Of a customer in Berlin, with Christmas in between, in Toronto, and of nobody's."""
    zammad.wait(CHRISTMAS_EVE - zammad.clock())
    bought(zammad, account, 10)
    ticket = opened(zammad, sender)
    assert by_zammad(zammad, ticket) == zammad.shown(ticket, "response_due") == due
    assert warned(zammad) == []


def test_they_agree_all_winter(zammad: ZammadDesk) -> None:
    """A step of a day and five hours comes by every hour and every kind of day."""
    for account in ("Acme GmbH", "Maple Inc"):
        bought(zammad, account, 10_000, account)
    for _ in range(70):
        zammad.clock.move(DAY + 5 * HOUR + timedelta(minutes=7, seconds=1))
        for sender in (CARLA, MIKE):
            ticket = opened(zammad, sender)
            due = by_zammad(zammad, ticket)
            assert due
            assert due.replace(second=0) == zammad.shown(ticket, "response_due")
    assert warned(zammad) == []


def test_they_agree_on_the_hours_that_the_settings_say(opens: Opens) -> None:
    """Long days, a day that is closed, and a holiday that is worked."""
    said = {
        "hours": "Mon-Fri 07:00-19:30",
        "closed": ("2026-12-23",),
        "worked": ("2026-12-25",),
    }
    stand = replace(ZAMMAD, table=f"{ZAMMAD.table}native_slas = true\n")
    with opens(stand) as scene:
        defaults = scene.settings.defaults.model_copy(update=said)
        settings = replace(scene.settings, defaults=defaults)
        bridge = replace(scene.bridge, hours=defaults.service_hours())
        zammad = inhabited(ZammadDesk(replace(scene, settings=settings, bridge=bridge)))
        run_setup(settings, HELPDESK, scene.clock().date())
        bought(zammad, "Acme GmbH", 10_000)
        zammad.wait(datetime(2026, 12, 21, tzinfo=UTC) - zammad.clock())
        for _ in range(40):
            zammad.clock.move(5 * HOUR)
            ticket = opened(zammad)
            due = by_zammad(zammad, ticket)
            assert due.replace(second=0) == zammad.shown(ticket, "response_due")
        assert warned(zammad) == []


def test_a_ticket_that_was_held_and_released_is_reported(zammad: ZammadDesk) -> None:
    """Zammad counts from the creation, and the promise from the release."""
    ticket = opened(zammad)
    assert (zammad.shown(ticket, "state"), warned(zammad)) == ("awaiting_points", [])
    zammad.wait(3 * HOUR)
    bought(zammad, "Acme GmbH", 10)
    assert zammad.shown(ticket, "response_due") > by_zammad(zammad, ticket)
    (found,) = warned(zammad)
    number = zammad.model.ticket(ticket)["number"]
    assert found.severity is Severity.WARNING
    assert found.what == (
        f"ticket {number}: due 2026-11-23 13:00Z by Zammad's SLA, 2026-11-24 08:00Z by the bridge:"
        " Zammad counts from its creation, the bridge from its release or re-opening"
        " 2026-11-23 12:00Z"
    )
    zammad.answers(ticket, "Try this.")
    zammad.settle()
    assert (by_zammad(zammad, ticket), warned(zammad)) == (None, [])


def test_only_the_twenty_newest_are_compared(zammad: ZammadDesk) -> None:
    tickets = [opened(zammad, CARLA, f"No. {number}") for number in range(22)]
    zammad.wait(3 * HOUR)
    bought(zammad, "Acme GmbH", 220)
    found = [one.what.split(":")[0] for one in warned(zammad)]
    numbers = [zammad.model.ticket(ticket)["number"] for ticket in tickets]
    assert sorted(found) == [f"ticket {number}" for number in sorted(numbers[2:])]
