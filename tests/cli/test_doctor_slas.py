"""`points-bridge doctor`, where Zammad has SLAs of its own: what is wrong is a warning."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bridge.demo.scene import HELPDESK
from tests.cli.conftest import ENV, Patient, of
from tests.cli.planted import problems

EVERYBODY = "zz-points-bridge 4: everybody else"
HOME = "zz-points-bridge Europe/Berlin, DE"


@pytest.fixture
def native(well: Patient) -> Patient:
    """A deployment that is well and has native SLAs, with one promise that runs."""
    well.rewrite("[helpdesks.support]", "[helpdesks.support]\nnative_slas = true")
    made = of(well.run, "setup", HELPDESK, "--yes")
    assert (made["failed"], made["left_out"]) == (None, [])
    save(well)
    assert ticket_of(well)["first_response_escalation_at"] is not None
    return well


def ticket_of(patient: Patient) -> dict[str, Any]:
    (ticket,) = patient.scene.zammad.model.store.tables["Ticket"].values()
    return ticket


def save(patient: Patient) -> None:
    """Zammad counts anew when a ticket is saved."""
    patient.scene.zammad.model.agent_notes(ticket_of(patient)["id"], "Saved once more.")


def test_a_healthy_deployment_with_native_slas_has_no_warnings(native: Patient) -> None:
    found = of(native.run, "doctor")
    assert problems(found, "problem") == problems(found, "warning") == []


def no_more_slas(native: Patient) -> None:
    del native.scene.zammad.model.store.tables["Sla"][native.row("Sla", EVERYBODY)["id"]]


def an_sla_of_an_admin(native: Patient) -> None:
    spec = {"name": "Gold", "calendar_id": native.row("Calendar", HOME)["id"]}
    spec |= {"condition": {"ticket.state_id": {"operator": "is", "value": ["1", "2"]}}}
    model = native.scene.zammad.model
    model.triggers.create("Sla", spec | {"first_response_time": 60 * 100}, 3)
    save(native)


def a_calendar_that_has_ended(native: Patient) -> None:
    native.row("Calendar", HOME)["public_holidays"] = {}


def an_organisation_that_nobody_can_read(native: Patient) -> None:
    native.row("Organization", "Acme GmbH")["support_timezone"] = "Berlin"


def a_release_long_after_the_creation(native: Patient) -> None:
    """The bridge's clock began now, and the ticket is older: ten days have open time in them."""
    ticket_of(native)["created_at"] -= timedelta(days=10)
    save(native)


def an_account_with_a_zone_of_its_own(native: Patient) -> None:
    """As the ledger has it: a promise that was made by another calendar."""
    native.sql("UPDATE clocks SET due_at = '2040-01-02T12:00:00.000000Z'")


def a_token_that_may_not(native: Patient) -> None:
    access = native.scene.zammad.model.access
    kinds = ("object", "webhook", "trigger", "overview", "core_workflow", "group")
    permissions = ("ticket.agent", *(f"admin.{kind}" for kind in kinds))
    access.add_token("canary-least", "admin@example.com", *permissions)
    native.monkeypatch.setenv(f"{ENV}SETUP_TOKEN", "canary-least")


def a_setting_that_is_off_again(native: Patient) -> None:
    native.rewrite("native_slas = true", "native_slas = false")


NATIVE: list[tuple[Callable[[Patient], None], str, str]] = [
    (no_more_slas, f"SLA {EVERYBODY} is missing", "points-bridge setup support"),
    (an_sla_of_an_admin, "SLA Gold counts in place of ours for", "narrow its condition"),
    (an_sla_of_an_admin, "by the bridge: the SLA Gold counts", "narrow that SLA's condition"),
    (a_calendar_that_has_ended, "is not as it must be (holidays:", "points-bridge setup support"),
    (an_organisation_that_nobody_can_read, "unknown time zone 'Berlin'", "correct it"),
    (a_release_long_after_the_creation, "counts from its creation", "points_response_due"),
    (an_account_with_a_zone_of_its_own, "in other hours or holidays", "of its own"),
    (a_token_that_may_not, "needs the permissions admin.calendar and", "native_slas = false"),
    (a_setting_that_is_off_again, f"calendar {HOME} is one too many", "points-bridge setup"),
]


@pytest.mark.parametrize(
    ("plant", "what", "remedy"), NATIVE, ids=[f"{one[0].__name__}: {one[1]}" for one in NATIVE]
)
def test_what_is_wrong_with_native_slas_is_a_warning_with_its_remedy(
    native: Patient, plant: Callable[[Patient], None], what: str, remedy: str
) -> None:
    plant(native)
    found = of(native.run, "doctor")
    about = [one for one in problems(found, "warning") if what in one["what"]]
    assert len(about) == 1, found["problems"]
    assert remedy in about[0]["remedy"]
    assert found["ok"] is True
    assert "canary" not in json.dumps(found)
