"""`points-bridge doctor` finds what is wrong in a helpdesk: credentials, rights, set-up, clock."""

from datetime import UTC, datetime, timedelta

import pytest

from bridge.adapters.zammad.setup.layout import TRIGGER_PREFIX
from bridge.cli import doctor as command
from bridge.demo.scene import HELPDESK
from bridge.sandbox.zammad import Fault, Token
from tests.cli.conftest import ENV, Patient
from tests.cli.planted import Planted, found_with_its_remedy, name_of


def wrong_token(well: Patient) -> None:
    well.monkeypatch.setenv(f"{ENV}TOKEN", "canary-token")


def setup_token_without_rights(well: Patient) -> None:
    well.monkeypatch.setenv(f"{ENV}SETUP_TOKEN", Token.AGENT)


def no_setup_token(well: Patient) -> None:
    well.monkeypatch.delenv(f"{ENV}SETUP_TOKEN")


def token_with_too_many_rights(well: Patient) -> None:
    well.monkeypatch.setenv(f"{ENV}TOKEN", Token.SETUP)


def user_without_groups(well: Patient) -> None:
    well.scene.zammad.model.access.actor("bridge@example.com").user["group_ids"] = {}


def helpdesk_down(well: Patient) -> None:
    well.rewrite(well.scene.urls[HELPDESK], "http://127.0.0.1:9")


def helpdesk_that_fails(well: Patient) -> None:
    well.scene.zammad.model.faults.add(Fault("*", "*", status=503), times=99)


def missing_field(well: Patient) -> None:
    well.scene.zammad.model.attributes.drop("Ticket", "points_balance")


def missing_option(well: Patient) -> None:
    del well.row("Attribute", "points_state")["data_option"]["options"]["credited"]


def pending_migration_of_others(well: Patient) -> None:
    missing_field(well)
    spec = {"object": "User", "name": "cost_centre", "data_type": "input", "data_option": {}}
    well.scene.zammad.model.attributes.create(spec, 3)


def missing_trigger(well: Patient) -> None:
    gone = well.row("Trigger", f"{TRIGGER_PREFIX}state changed")
    del well.scene.zammad.model.store.tables["Trigger"][gone["id"]]


def trigger_without_loop_guard(well: Patient) -> None:
    well.row("Trigger", f"{TRIGGER_PREFIX}agent article")["condition"]["conditions"].pop()


def webhook_to_another_place(well: Patient) -> None:
    well.row("Webhook", "points-bridge")["endpoint"] = "https://old.example/webhooks/support"


def rotated_secret(well: Patient) -> None:
    well.monkeypatch.setenv(f"{ENV}WEBHOOK_SECRET", "canary-rotated-0123")


def group_without_an_address(well: Patient) -> None:
    well.row("Group", "Users")["email_address_id"] = None


def group_that_takes_no_follow_ups(well: Patient) -> None:
    well.row("Group", "Users")["follow_up_possible"] = "new_ticket"


def group_whose_days_are_blank(well: Patient) -> None:
    limited = {"follow_up_possible": "new_ticket_after_certain_time", "reopen_time_in_days": None}
    well.row("Group", "Users").update(limited)


def user_who_is_told_of_its_own_writes(well: Patient) -> None:
    users = well.scene.zammad.model.access
    told = users.actor("agent@example.com").user["preferences"]
    users.actor("bridge@example.com").user["preferences"] = told


def wrong_clock(well: Patient) -> None:
    well.monkeypatch.setattr(command, "utc_now", lambda: datetime.now(UTC) - timedelta(minutes=10))


PLANTED: list[Planted] = [
    (wrong_token, "problem", "does not know the access token", "token in the settings"),
    (setup_token_without_rights, "problem", "permission admin.object", "setup token needs"),
    (no_setup_token, "warning", "there is no setup token", "set the secret setup_token"),
    (token_with_too_many_rights, "warning", "may also administer", "ticket.agent alone"),
    (user_without_groups, "problem", "full access to no group", "make it an agent"),
    (helpdesk_down, "problem", "no complete answer", "whether it runs"),
    (helpdesk_that_fails, "problem", "answers 503", "whether it runs"),
    (missing_field, "problem", "points_balance is missing", "points-bridge setup support"),
    (missing_option, "problem", "option credited", "points-bridge setup support"),
    (pending_migration_of_others, "problem", "User cost_centre", "discard the pending changes"),
    (missing_trigger, "problem", "state changed is missing", "points-bridge setup support"),
    (trigger_without_loop_guard, "problem", "agent article is not", "points-bridge setup support"),
    (webhook_to_another_place, "problem", "(endpoint: ", "points-bridge setup support"),
    (rotated_secret, "problem", "(secret)", "points-bridge setup support"),
    (rotated_secret, "problem", "answers 401", "start the receiver anew with the webhook secret"),
    (group_without_an_address, "warning", "no e-mail address", "an address to send from"),
    (group_that_takes_no_follow_ups, "warning", "charged as one", "90 days"),
    (group_whose_days_are_blank, "warning", "every answer to a closed one", "90 days"),
    (user_who_is_told_of_its_own_writes, "warning", "notices of", "points-bridge setup support"),
    (wrong_clock, "problem", "clock is", "NTP"),
]


@pytest.mark.parametrize("planted", PLANTED, ids=name_of)
def test_a_planted_fault_is_found_with_its_remedy(well: Patient, planted: Planted) -> None:
    found_with_its_remedy(well, planted)
