"""`points-bridge doctor`: it finds each planted fault and says what to do, and cries no wolf."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from bridge import bootstrap
from bridge.adapters.provisioning import Problem, Severity
from bridge.adapters.registry import VENDORS
from bridge.adapters.zammad.setup.layout import TRIGGER_PREFIX
from bridge.cli import doctor as command
from bridge.demo.scene import HELPDESK, Scene
from bridge.jobs import run_once
from bridge.policy.calendars import DataVersions, data_versions
from bridge.sandbox.zammad import Fault, Token
from bridge.setup import facts as gathered
from bridge.setup.doctor import problems_of, reach_problems
from bridge.setup.facts import Facts, LedgerFacts, Reach
from tests.cli.conftest import WEBHOOK_SECRET, Run, of

ENV = "POINTS_BRIDGE_SUPPORT_"


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
    of(run, "purchase", "Acme GmbH", "10", "--reference", "INV-1")
    model.customer_mails("carla@acme.example", "Help", "Please.")
    assert bare.zammad.webhooks.wait_until_idle(30)
    bare.settle()
    run_once(bare.bridge)
    # The package that is locked grows old, and that is for another test to tell.
    fresh = replace(data_versions(), tzdata=f"{datetime.now(UTC).year}.1")
    monkeypatch.setattr(gathered, "data_versions", lambda: fresh)
    return Patient(run, bare, settings, monkeypatch)


def problems(found: Mapping[str, Any], severity: str) -> list[dict[str, str]]:
    return [one for one in found["problems"] if one["severity"] == severity]


def test_a_healthy_deployment_has_no_problems_and_no_warnings(well: Patient) -> None:
    found = of(well.run, "doctor")
    assert found["ok"] is True
    assert problems(found, "problem") == problems(found, "warning") == []
    assert found["figures"]["queues"]["inbox"] == {"done": 1}
    assert found["figures"]["schema"]
    code, out, _ = well.run("doctor", HELPDESK)
    assert (code, "Nothing must be mended." in out) == (0, True)


def test_looking_changes_nothing(well: Patient) -> None:
    calls = len(well.scene.zammad.model.calls)
    before = of(well.run, "queues", "list", "--state", "done")
    of(well.run, "doctor")
    assert {call.method for call in well.scene.zammad.model.calls[calls:]} == {"GET"}
    assert of(well.run, "queues", "list", "--state", "done") == before


def test_looking_for_a_database_makes_none(well: Patient) -> None:
    no_database(well)
    well.run("doctor")
    assert not well.settings.with_name("absent.db").exists()


# --- planted faults --------------------------------------------------------------------------


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
    well.monkeypatch.setenv(f"{ENV}WEBHOOK_SECRET", "canary-rotated")


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


def receiver_down(well: Patient) -> None:
    well.rewrite(f'public_url = "{well.scene.receiver}"', 'public_url = "http://127.0.0.1:9"')


def something_else_at_the_address(well: Patient) -> None:
    well.rewrite(
        f'public_url = "{well.scene.receiver}"', f'public_url = "{well.scene.urls[HELPDESK]}"'
    )


def receiver_with_old_settings(well: Patient) -> None:
    well.rewrite("[helpdesks.support]", "[helpdesks.renamed]")
    for secret in ("TOKEN", "WEBHOOK_SECRET"):
        value = {"TOKEN": Token.BRIDGE, "WEBHOOK_SECRET": WEBHOOK_SECRET}[secret]
        well.monkeypatch.setenv(f"POINTS_BRIDGE_RENAMED_{secret}", value)


def no_public_url(well: Patient) -> None:
    well.rewrite(f'public_url = "{well.scene.receiver}"', "")


def dead_letter(well: Patient) -> None:
    well.sql("UPDATE inbox SET state = 'dead'")


def organisation_that_cannot_be_written(well: Patient) -> None:
    well.sql("UPDATE displays SET problem = 'PUT /organizations/2: forbidden'")


def stuck_work(well: Patient) -> None:
    well.sql("UPDATE inbox SET state = 'queued', received_at = '2026-01-01T00:00:00.000000Z'")


def damaged_ledger(well: Patient) -> None:
    well.sql("DROP TRIGGER guard_lot_update")


def unreadable_ledger(well: Patient) -> None:
    well.sql("UPDATE inbox SET state = 'queued', received_at = 'canary'")


def database_without_tables(well: Patient) -> None:
    well.rewrite("[defaults]", 'database = "sqlite:///empty.db"\n[defaults]')
    well.settings.with_name("empty.db").touch()


def no_database(well: Patient) -> None:
    well.rewrite("[defaults]", 'database = "sqlite:///absent.db"\n[defaults]')


def no_database_but_a_text(well: Patient) -> None:
    well.rewrite("[defaults]", 'database = "sqlite:///a.txt"\n[defaults]')
    well.settings.with_name("a.txt").write_text("not a database, whatever it is called" * 99)


PLANTED: list[tuple[Callable[[Patient], None], str, str, str]] = [
    # the fault, how bad it is, what is said of it, what to do about it
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
    (webhook_to_another_place, "problem", "(endpoint)", "points-bridge setup support"),
    (rotated_secret, "problem", "(secret)", "points-bridge setup support"),
    (rotated_secret, "problem", "answers 401", "start the receiver anew with the webhook secret"),
    (group_without_an_address, "warning", "no e-mail address", "an address to send from"),
    (group_that_takes_no_follow_ups, "warning", "charged as one", "90 days"),
    (group_whose_days_are_blank, "warning", "every answer to a closed one", "90 days"),
    (user_who_is_told_of_its_own_writes, "warning", "notices of", "points-bridge setup support"),
    (wrong_clock, "problem", "clock is", "NTP"),
    (receiver_down, "problem", "/health/ready", "is `points-bridge serve` running"),
    (something_else_at_the_address, "problem", "answers 404", "check public_url"),
    (receiver_with_old_settings, "problem", "no such helpdesk", "start the receiver anew"),
    (no_public_url, "warning", "not known how helpdesks reach", "set public_url in [listen]"),
    (dead_letter, "problem", "dead letters wait", "points-bridge queues list --state dead"),
    (organisation_that_cannot_be_written, "warning", "do not show their points", "show_balance"),
    (stuck_work, "problem", "has been queued for", "is `points-bridge serve`"),
    (damaged_ledger, "problem", "guard guard_lot_update", "restore the last sound"),
    (unreadable_ledger, "problem", "cannot be read (ValueError)", "or its backup"),
    (database_without_tables, "problem", "not there yet", "which brings it up to date"),
    (no_database, "problem", "not there yet", "which brings it up to date"),
    (no_database_but_a_text, "problem", "is not an SQLite database", "check `database`"),
]


@pytest.mark.parametrize(
    ("plant", "severity", "what", "remedy"),
    PLANTED,
    ids=[f"{one[0].__name__}: {one[2]}" for one in PLANTED],
)
def test_a_planted_fault_is_found_with_its_remedy(
    well: Patient,
    plant: Callable[[Patient], None],
    severity: str,
    what: str,
    remedy: str,
) -> None:
    plant(well)
    code, out, err = well.run("doctor", "--json")
    assert (code, "Traceback" in err) == (1 if severity == "problem" else 0, False)
    found = json.loads(out)
    about = [one for one in problems(found, severity) if what in one["what"]]
    assert about, found["problems"]
    assert any(remedy in one["remedy"] for one in about), about
    assert found["ok"] is (severity != "problem")
    assert not any(secret in out for secret in ("canary", WEBHOOK_SECRET))


# --- the same, where Zammad has SLAs of its own --------------------------------------------------

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
    (a_token_that_may_not, "may not admin.calendar and admin.sla", "native_slas = false"),
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


def test_a_fault_is_shown_to_people_as_well(well: Patient) -> None:
    missing_trigger(well)
    code, out, _ = well.run("doctor")
    assert code == 1
    assert "1 problem, 0 warnings" in out
    assert "run `points-bridge setup support`" in " ".join(out.split())


def test_a_helpdesk_that_is_set_up_by_hand_is_left_out(well: Patient) -> None:
    by_hand = {name: replace(vendor, provisioner=None) for name, vendor in VENDORS.items()}
    well.monkeypatch.setattr(bootstrap, "VENDORS", MappingProxyType(by_hand))
    found = of(well.run, "doctor")
    assert [one["where"] for one in problems(found, "note") if "by hand" in one["what"]] == [
        HELPDESK
    ]


def test_what_helpdesks_share_is_told_once(well: Patient) -> None:
    well.rewrite(
        "[listen]",
        f'[helpdesks.west]\nvendor = "zammad"\nurl = "{well.scene.urls[HELPDESK]}"\n[listen]',
    )
    for secret in ("TOKEN", "SETUP_TOKEN", "WEBHOOK_SECRET"):
        well.monkeypatch.setenv(f"POINTS_BRIDGE_WEST_{secret}", Token.SETUP)
    receiver_down(well)
    found = json.loads(well.run("doctor", "--json")[1])
    where = [one["where"] for one in problems(found, "problem")]
    assert (where.count("receiver"), where.count("west: signature")) == (1, 1)


def test_a_helpdesk_that_is_not_configured_is_named(run: Run, settings: Path) -> None:
    code, _, err = run("doctor", "nowhere")
    assert (code, "no helpdesk 'nowhere'" in err) == (1, True)


# --- the judgement, without I/O --------------------------------------------------------------

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LEDGER = LedgerFacts("0001", "0001")
FACTS = Facts(
    now=NOW,
    sqlite=(3, 51, 3),
    versions=DataVersions("0.109", "2026.6", "2026f", zoneinfo_pinned=True),
    country="DE",
    holidays_known=True,
    ledger=LEDGER,
)


def severities(found: list[Problem]) -> list[Severity]:
    return [one.severity for one in found]


def test_sound_facts_are_no_problem() -> None:
    assert problems_of(FACTS) == []
    assert reach_problems(Reach("https://points.example"), HELPDESK) == []


@pytest.mark.parametrize(
    ("version", "noted"), [((3, 40, 1), True), ((3, 51, 2), True), ((3, 51, 3), False)]
)
def test_an_sqlite_with_the_wal_reset_fault_is_noted(
    version: tuple[int, int, int], noted: bool
) -> None:
    found = problems_of(replace(FACTS, sqlite=version))
    assert severities(found) == ([Severity.NOTE] if noted else [])


@pytest.mark.parametrize(("tzdata", "warned"), [("2024.2", True), ("2025.1", False)])
def test_old_time_zones_are_a_warning(tzdata: str, warned: bool) -> None:
    versions = replace(FACTS.versions, tzdata=tzdata)
    found = problems_of(replace(FACTS, versions=versions))
    assert severities(found) == ([Severity.WARNING] if warned else [])


def test_holidays_that_end_are_a_warning() -> None:
    """The data for Sri Lanka end in 2026."""
    (found,) = problems_of(replace(FACTS, country="LK", holidays_known=False))
    assert (found.severity, found.where) == (Severity.WARNING, "holidays")


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(minutes=9), []),
        (timedelta(minutes=10), [Severity.WARNING]),
        (timedelta(hours=1), [Severity.PROBLEM]),
    ],
)
def test_work_that_waits_is_the_worse_the_longer(age: timedelta, expected: list[Severity]) -> None:
    ledger = replace(LEDGER, oldest=NOW - age)
    assert severities(problems_of(replace(FACTS, ledger=ledger))) == expected


def test_dead_letters_are_counted_in_both_queues() -> None:
    backlog = {"inbox": {"dead": 2, "done": 9}, "outbox": {"dead": 1}}
    (found,) = problems_of(replace(FACTS, ledger=replace(LEDGER, backlog=backlog)))
    assert "2 in the inbox, 1 in the outbox" in found.what


def test_an_old_schema_is_one_problem_and_hides_no_audit() -> None:
    ledger = replace(LEDGER, head="0002")
    (found,) = problems_of(replace(FACTS, ledger=ledger))
    assert "0001; this version needs 0002" in found.what


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://points.example", True),
        ("http://10.0.0.5:8080", True),
        ("http://127.0.0.1:8080", False),
        ("http://localhost", False),
    ],
)
def test_deliveries_that_travel_unencrypted_are_a_warning(url: str, warned: bool) -> None:
    found = reach_problems(Reach(url), HELPDESK)
    assert severities(found) == ([Severity.WARNING] if warned else [])
