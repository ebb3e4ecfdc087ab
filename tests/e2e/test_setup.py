"""A helpdesk that only our own set-up has touched: from its installation to a charged ticket."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.adapters.provisioning import Plan, Provisioner, Wanted
from bridge.bootstrap import provisioner
from bridge.demo.scene import HELPDESK, SECRETS, Scene, open_scene
from bridge.sandbox.zammad import Token
from bridge.settings import load_settings
from tests.e2e.conftest import people_of
from tests.e2e.helpers import (
    CARLA,
    HOUR,
    bought,
    charges,
    dead,
    decided,
    notes,
    on_hand,
    opened,
    shown,
    sound,
    status,
)

SETUP_SECRETS = SECRETS | {"POINTS_BRIDGE_SUPPORT_SETUP_TOKEN": Token.SETUP}


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Scene]:
    """The helpdesk as after its installation, with two customers."""
    with open_scene(tmp_path, secrets=SETUP_SECRETS, set_up=False) as scene:
        yield scene


@pytest.fixture
def setup(bare: Scene, tmp_path: Path) -> Provisioner:
    settings = load_settings(tmp_path / "points-bridge.toml", SETUP_SECRETS)
    return provisioner(settings, HELPDESK)


def carry_out(plan: Plan) -> None:
    for step in plan:
        if step.changes:
            step.apply()


def test_a_ticket_is_charged_after_setup_alone(bare: Scene, setup: Provisioner) -> None:
    carry_out(setup.plan(Wanted(bare.webhook_url)))
    people_of(bare)
    bought(bare, "Acme GmbH", 20)
    ticket = opened(bare)
    assert (shown(bare, ticket, "state"), shown(bare, ticket, "charged")) == ("charged", 10)
    assert on_hand(bare, "Acme GmbH") == 10
    assert len(notes(bare, ticket)) == 1


def test_every_event_of_a_tickets_life_is_heard_of(bare: Scene, setup: Provisioner) -> None:
    carry_out(setup.plan(Wanted(bare.webhook_url)))
    people_of(bare)
    bought(bare, "Acme GmbH", 40)
    people = bare.zammad.model
    ticket = opened(bare)
    people.agent_answers(ticket, "Try this.")
    bare.settle()
    assert shown(bare, ticket, "sla_state") == "met"
    bare.wait(HOUR)
    people.agent_closes(ticket)
    bare.settle()
    bare.wait(HOUR)
    people.customer_replies_by_mail(ticket, "It is back.")
    bare.settle()
    assert decided(bare, ticket)[-1] == "reopened"
    second = opened(bare, CARLA, "The same")
    people.agent_merges(second, ticket)
    bare.settle()
    assert status(bare, second) == "merged"
    assert (charges(bare, "Acme GmbH"), dead(bare), sound(bare)) == (2, [], True)


def test_the_bridges_own_writes_cause_no_delivery(bare: Scene, setup: Provisioner) -> None:
    carry_out(setup.plan(Wanted(bare.webhook_url)))
    people_of(bare)
    bought(bare, "Acme GmbH", 10)
    opened(bare)
    heard = [one.trigger for one in bare.zammad.webhooks.deliveries]
    assert heard == ["zz-points-bridge: created"]


def test_a_second_run_of_setup_on_a_working_helpdesk_changes_nothing(
    bare: Scene, setup: Provisioner
) -> None:
    carry_out(setup.plan(Wanted(bare.webhook_url)))
    people_of(bare)
    bought(bare, "Acme GmbH", 20)
    ticket = opened(bare)
    before = dict(bare.zammad.model.ticket(ticket))
    again = setup.plan(Wanted(bare.webhook_url))
    assert [step for step in again if step.changes] == []
    for step in again:
        step.apply()
    bare.settle()
    assert bare.zammad.model.ticket(ticket) == before


def test_after_the_removal_nothing_is_told_and_what_was_shown_stays(
    bare: Scene, setup: Provisioner
) -> None:
    carry_out(setup.plan(Wanted(bare.webhook_url)))
    people_of(bare)
    bought(bare, "Acme GmbH", 20)
    first = opened(bare)
    carry_out(setup.removal())
    second = opened(bare, CARLA, "Unheard")
    assert shown(bare, first, "state") == "charged"
    assert shown(bare, second, "state") == ""
    assert on_hand(bare, "Acme GmbH") == 10
    carry_out(setup.plan(Wanted(bare.webhook_url)))
    third = opened(bare, CARLA, "Heard again")
    assert shown(bare, third, "state") == "charged"
