"""What the commands about accounts say of one that was renamed, and of the hours that hold."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bridge.bootstrap import opened
from bridge.ledger.accounts import resolve
from bridge.settings import Purpose, load_settings
from bridge.ticket import Customer
from tests.cli.conftest import Run, of

ACME = "Acme GmbH"
NAMES = {"account": ACME, "name": "Zenith AG", "also_known_as": ["Acme Worldwide"]}
SHOWN = "Acme GmbH (now called Zenith AG)"
BY_ITS_OLD_NAME = [
    ("purchase", ACME, "10", "--reference", "INV-2"),
    ("purchase", "Acme Worldwide", "10", "--reference", "INV-2"),
    ("balance", ACME),
    ("statement", ACME),
    ("account", "Acme Worldwide"),
]


@pytest.fixture
def renamed(run: Run, settings: Path) -> None:
    """An account that its organisation's record has been calling otherwise since, twice."""
    of(run, "purchase", ACME, "50", "--reference", "INV-1")
    with opened(load_settings(settings, os.environ, Purpose.LEDGER)) as bridge:
        for name in (ACME, "Acme Worldwide", "Zenith AG"):
            record = Customer("organization:2", name)
            meet = partial(resolve, helpdesk="support", customer=record, now=bridge.now())
            bridge.db.write(meet)


@pytest.mark.parametrize("typed", BY_ITS_OLD_NAME, ids=" ".join)
@pytest.mark.usefixtures("renamed")
def test_an_old_name_is_answered_with_the_present_one(run: Run, typed: tuple[str, ...]) -> None:
    code, out, _ = run(*typed)
    assert (code, SHOWN in out) == (0, True), out


@pytest.mark.parametrize("typed", BY_ITS_OLD_NAME, ids=" ".join)
@pytest.mark.usefixtures("renamed")
def test_scripts_are_told_every_name(run: Run, typed: tuple[str, ...]) -> None:
    found = of(run, *typed)
    assert {key: found[key] for key in NAMES} == NAMES


@pytest.mark.usefixtures("renamed")
def test_the_list_tells_it_too(run: Run) -> None:
    assert SHOWN in run("accounts")[1]
    (found,) = of(run, "accounts")
    assert {key: found[key] for key in NAMES} == NAMES


def test_who_was_never_renamed_has_one_name(run: Run, settings: Path) -> None:
    run("purchase", ACME, "50", "--reference", "INV-1")
    assert "now called" not in run("balance", ACME)[1]
    found = of(run, "balance", ACME)
    assert (found["name"], found["also_known_as"]) == (ACME, [])


def effective(run: Run, *said: str) -> Any:
    found = of(run, "account", ACME, *said)
    assert found["effective_hours"] == of(run, "balance", ACME)["effective_hours"]
    return found["effective_hours"]


USUAL = {
    "hours": "Mon-Fri 09:00-17:00",
    "around_the_clock": False,
    "response_hours": 4,
    "closed": [],
    "worked": [],
    "open": [],
}


def test_the_hours_that_hold_are_the_defaults_at_first(run: Run, settings: Path) -> None:
    assert effective(run) == USUAL


def test_the_hours_that_hold_are_those_of_both(run: Run, settings: Path) -> None:
    text = settings.read_text(encoding="utf-8")
    said = 'hours = "Mon-Fri 08:00-16:00"\nclosed = ["2026-12-24"]'
    terms = "[terms]\nresponse_hours = 8\n"
    text = terms + text.replace("[defaults]", f"[defaults]\n{said}")
    settings.write_text(text, encoding="utf-8")
    assert effective(run, "--worked", "2026-12-26", "--open", "2026-12-31 09:00-12:00") == {
        "hours": "Mon-Fri 08:00-16:00",
        "around_the_clock": False,
        "response_hours": 8,
        "closed": ["2026-12-24"],
        "worked": ["2026-12-26"],
        "open": ["2026-12-31 09:00-12:00"],
    }
    assert effective(run, "--response-hours", "2")["response_hours"] == 2


def test_around_the_clock_no_date_is_otherwise(run: Run, settings: Path) -> None:
    """So none is told: what was said of single dates rests."""
    held = effective(run, "--around-the-clock", "--closed", "2026-12-24")
    assert held == USUAL | {"hours": "Mon-Sun 00:00-24:00", "around_the_clock": True}
    _, out, _ = run("balance", ACME)
    assert "around the clock; an answer within 4 of them" in out
