"""A helpdesk that only our own set-up has touched: what it hears of, and what set-up leaves alone.

All end-to-end tests play on such ones; these are about the set-up itself.
"""

from typing import Any

from bridge.adapters.provisioning import Plan, Provisioner
from bridge.bootstrap import provisioner, wanted
from bridge.demo.scene import run_setup
from bridge.setup.plan import apply, changes
from tests.e2e.desks import Desk, ZammadDesk, ZendeskDesk
from tests.e2e.helpers import CARLA, HOUR, bought, charges, dead, decided, on_hand, opened, sound


def setup_of(desk: Desk) -> Provisioner:
    return provisioner(desk.scene.settings, desk.name)


def plan_of(desk: Desk) -> Plan:
    return setup_of(desk).plan(wanted(desk.scene.settings, desk.name))


def records(desk: Desk) -> dict[str, Any]:
    """All that the helpdesk holds, as text."""
    return {name: str(rows) for name, rows in desk.box.model.store.tables.items()}


def test_every_event_of_a_tickets_life_is_heard_of(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 40)
    ticket = opened(desk)
    desk.answers(ticket, "Try this.")
    desk.settle()
    assert desk.shown(ticket, "sla_state") == "met"
    desk.wait(HOUR)
    desk.closes(ticket)
    desk.settle()
    desk.wait(HOUR)
    desk.replies(ticket, "It is back.")
    desk.settle()
    assert decided(desk, ticket)[-1] == "reopened"
    second = opened(desk, CARLA, "The same")
    desk.merges(second, ticket)
    desk.settle()
    assert decided(desk, second) == ["accepted", "merged"]
    assert (charges(desk, "Acme GmbH"), dead(desk), sound(desk)) == (2, [], True)


def test_a_second_run_of_setup_on_a_working_helpdesk_changes_nothing(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 20)
    opened(desk)
    before = records(desk)
    again = plan_of(desk)
    assert [step for step in again if step.changes] == []
    for step in again:
        step.apply()
    desk.settle()
    assert records(desk) == before


def test_after_the_removal_nothing_is_told_and_what_was_shown_stays(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 20)
    first = opened(desk)
    for done in apply(changes(setup_of(desk).removal())):
        assert done.failure == ""
    second = opened(desk, CARLA, "Unheard")
    assert desk.shown(first, "state") == "charged"
    assert desk.shown(second, "state") is None
    assert on_hand(desk, "Acme GmbH") == 10


def test_what_was_removed_can_be_made_again(zammad: ZammadDesk) -> None:
    bought(zammad, "Acme GmbH", 10)
    made_anew(zammad)
    assert [step for step in plan_of(zammad) if step.changes] == []
    assert zammad.shown(opened(zammad), "state") == "charged"


def test_made_again_zendesk_has_other_secrets_that_a_server_reads_when_it_starts(
    zendesk: ZendeskDesk,
) -> None:
    made_anew(zendesk)
    assert {step.kind for step in plan_of(zendesk) if step.changes} == {"signing secret"}
    zendesk.mails(CARLA, "Help", "Please.")
    zendesk.settle()
    (delivery,) = zendesk.box.webhooks.deliveries
    assert [attempt.status for attempt in delivery.attempts] == [401]


def made_anew(desk: Desk) -> None:
    for done in apply(changes(setup_of(desk).removal())):
        assert done.failure == ""
    run_setup(desk.scene.settings, desk.name, desk.clock().date())
