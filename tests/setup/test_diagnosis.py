"""What is made of the facts that `doctor` gathers: the judgement, without I/O."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.adapters.provisioning import Problem, Severity
from bridge.policy.calendars import DataVersions
from bridge.settings.secrets import Exposed
from bridge.setup.doctor import problems_of, reach_problems
from bridge.setup.facts import Facts, LedgerFacts, Reach

HELPDESK = "support"

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


@pytest.mark.parametrize(
    ("group", "severity", "who"),
    [(None, Severity.WARNING, "everybody"), ("staff", Severity.NOTE, "the group staff")],
)
def test_a_secret_that_others_can_read_is_told(
    group: str | None, severity: Severity, who: str
) -> None:
    (found,) = problems_of(replace(FACTS, exposed=(Exposed(Path("/home/ann/token"), group),)))
    assert (found.severity, found.where) == (severity, "secrets")
    assert found.what.startswith(who)
    assert "chmod 600 /home/ann/token" in found.remedy


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


def test_dead_letters_that_cannot_be_read_are_to_be_discarded_and_not_replayed() -> None:
    backlog = {"inbox": {"dead": 1}, "outbox": {}}
    ledger = replace(LEDGER, backlog=backlog, unreadable=1)
    (found,) = problems_of(replace(FACTS, ledger=ledger))
    assert "name no ticket" in found.what
    assert "queues show inbox" in found.remedy
    assert "queues discard inbox" in found.remedy
    assert "replay" not in found.remedy
    other = replace(ledger, backlog={"inbox": {"dead": 3}, "outbox": {}})
    told = [one.what for one in problems_of(replace(FACTS, ledger=other))]
    assert told == ["dead letters wait for somebody: 2 in the inbox", found.what]


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
