"""What the commands about accounts say of one that was renamed, and of the hours that hold."""

import io
import json
import os
import sys
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
    ("purchase", ACME, "10", "--reference", "INV-2", "--new"),
    ("purchase", "Acme Worldwide", "10", "--reference", "INV-2", "--new"),
    ("balance", ACME),
    ("statement", ACME),
    ("account", "Acme Worldwide"),
]


@pytest.fixture
def renamed(run: Run, settings: Path) -> None:
    """An account that its organisation's record has been calling otherwise since, twice."""
    of(run, "purchase", ACME, "50", "--reference", "INV-1", "--new")
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
    run("purchase", ACME, "50", "--reference", "INV-1", "--new")
    assert "now called" not in run("balance", ACME)[1]
    found = of(run, "balance", ACME)
    assert (found["name"], found["also_known_as"]) == (ACME, [])


def effective(run: Run, *said: str) -> Any:
    found = of(run, "account", ACME, "--new", *said)
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


def test_a_new_name_needs_to_be_meant(run: Run, settings: Path) -> None:
    run("purchase", ACME, "10", "--reference", "INV-1", "--new")
    code, out, err = run("purchase", "Acme Gmhb", "10", "--reference", "INV-2")
    said = " ".join(err.split())
    assert (code, out) == (1, "")
    assert "no account is called 'Acme Gmhb'; did you mean Acme GmbH?; add --new" in said


@pytest.mark.parametrize(("answer", "code", "booked"), [("y\n", 0, True), ("n\n", 1, False)])
def test_at_a_terminal_it_is_asked(
    run: Run,
    settings: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
    booked: bool,
) -> None:
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    got, out, err = run("purchase", "Beta Ltd", "10", "--reference", "INV-2")
    assert (got, "Booked 10 points" in out) == (code, booked)
    assert "Make a new account?" in err
    assert "Make a new account?" not in out


def test_the_question_is_no_part_of_the_json(
    run: Run, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO("y\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    _, out, _ = run("purchase", "Beta Ltd", "10", "--reference", "INV-2", "--json")
    assert json.loads(out)["account"] == "Beta Ltd"


def test_a_user_without_a_name_can_cancel(
    run: Run, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that runs under some number."""
    run("purchase", ACME, "10", "--reference", "INV-1", "--new")

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert of(run, "purchases", "cancel", "INV-1", "--reason", "a mistake")["points"] == 10
    assert of(run, "statement", ACME)["entries"][-1]["actor"] == f"uid {os.getuid()}"


def test_a_purchase_is_listed_and_cancelled(run: Run, settings: Path) -> None:
    run("purchase", ACME, "10", "--reference", "INV-1", "--new")
    (line,) = of(run, "purchases", "list")
    assert (line["reference"], line["account"], line["remaining"]) == ("INV-1", ACME, 10)
    done = of(run, "purchases", "cancel", "INV-1", "--reason", "a mistake")
    assert (done["points"], done["balance"], done["created"]) == (10, 0, True)
    _, out, _ = run("purchases", "cancel", "INV-1", "--reason", "a mistake")
    assert "Cancelled before" in out
    _, out, _ = run("purchases", "list", ACME)
    assert "INV-1" in out


def test_a_change_says_what_was_so_before(run: Run, settings: Path) -> None:
    _, made, _ = run("account", ACME, "--new", "--country", "DE", "--subdivision", "BY")
    assert f"Made the account {ACME}" in made
    assert "holidays: DE-BY (account)" in made
    _, out, _ = run("account", ACME, "--country", "JP")
    assert "country: DE → JP" in out
    assert "subdivision: BY → nothing" in out
    found = of(run, "account", ACME, "--clear", "country")
    assert (found["was"], found["now"]) == ({"country": "JP"}, {"country": None})


def test_a_link_that_cannot_be_checked_is_told(run: Run, settings: Path) -> None:
    link = ("account", ACME, "--new", "--link", "support:organization:2")
    for name in ("TOKEN", "WEBHOOK_SECRET"):
        os.environ.pop(f"POINTS_BRIDGE_SUPPORT_{name}")
    assert of(run, *link)["unchecked"] is True
    _, out, _ = run(*link)
    assert "it was not checked whether the helpdesk has that record" in " ".join(out.split())
    assert "Customer records: support:organization:2." in out
