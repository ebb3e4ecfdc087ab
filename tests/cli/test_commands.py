"""The command as it is typed: what it prints, what it returns, how it fails."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from bridge.cli.app import app
from bridge.demo.scene import HELPDESK, Scene
from tests.cli.conftest import Run, named_on_the_page, of
from tests.test_docs import ROOT


def commands() -> list[tuple[str, ...]]:
    """Every command that can be typed."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, child in getattr(command, "commands", {}).items():
            yield (*path, name)
            yield from walk(child, (*path, name))

    return list(walk(get_command(app), ()))


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_has_help(run: Run, command: tuple[str, ...]) -> None:
    code, out, _ = run(*command, "--help")
    assert code == 0
    leaf = not any(other[: len(command)] == command != other for other in commands())
    assert ("Example: points-bridge" in " ".join(out.split())) is leaf


def test_a_purchase_is_booked_once_and_shows_in_the_balance(run: Run, settings: Path) -> None:
    first = of(run, "purchase", "Acme GmbH", "50", "--reference", "INV-1", "--new")
    again = of(run, "purchase", "Acme GmbH", "50", "--reference", "INV-1", "--new")
    assert (first["created"], again["created"]) == (True, False)
    assert (first["new_account"], again["new_account"]) == (True, False)
    balance = of(run, "balance", "acme gmbh")
    assert (balance["on_hand"], balance["zone"]) == (50, "Europe/Berlin")
    assert [lot["reference"] for lot in balance["lots"]] == ["INV-1"]
    assert [one["account"] for one in of(run, "accounts")] == ["Acme GmbH"]


def test_a_statement_has_every_booking_with_a_running_balance(run: Run, settings: Path) -> None:
    for number in (1, 2):
        run("purchase", "Acme GmbH", "10", "--reference", f"INV-{number}", "--new")
    entries = of(run, "statement", "Acme GmbH")["entries"]
    assert [(one["kind"], one["points"], one["balance"]) for one in entries] == [
        ("purchase", 10, 10),
        ("purchase", 10, 20),
    ]


def test_tables_say_the_same_to_people(run: Run, settings: Path) -> None:
    _, booked, _ = run("purchase", "Acme [GmbH]", "50", "--reference", "INV-1", "--new")
    assert "Booked 50 points for Acme [GmbH]" in booked
    for command in (("accounts",), ("balance", "Acme [GmbH]"), ("statement", "Acme [GmbH]")):
        code, out, _ = run(*command)
        assert code == 0
        assert "Acme [GmbH]" in out


@pytest.mark.parametrize("name", ["Acme [/]", "Acme [red]", "[bold]"])
def test_a_name_is_shown_as_it_is_written(run: Run, settings: Path, name: str) -> None:
    for command in (("purchase", name, "5", "--reference", name, "--new"), ("balance", name)):
        code, out, _ = run(*command)
        assert code == 0
        assert name in out


def test_an_account_is_moved_to_its_zone_before_it_buys(run: Run, settings: Path) -> None:
    place = ("--zone", "America/Toronto", "--country", "CA", "--subdivision", "ON")
    account = of(run, "account", "Maple Inc", "--new", *place)
    assert (account["zone"], account["country"], account["subdivision"]) == (
        "America/Toronto",
        "CA",
        "ON",
    )
    assert account["country_source"] == "account"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("balance", "Nobody"), "no account is called 'Nobody'"),
        (("purchase", "A", "5", "--reference", " ", "--new"), "the purchase's reference is empty"),
        (
            ("purchase", "A", "5", "--reference", "x", "--new", "--on", "2999-01-01"),
            "in the future",
        ),
        (
            ("purchase", "A", "5", "--reference", "x", "--new", "--on", "2001-01-01"),
            "expired already",
        ),
        (("account", "A", "--new", "--zone", "Europe/Berlinn"), "did you mean Europe/Berlin"),
        (("account", "A", "--new", "--country", "Germoney"), "unknown country"),
        (("account", "A", "--new", "--subdivision", "BY"), "needs its country"),
        (("account", "A", "--new", "--link", "support"), "HELPDESK:RECORD"),
        (("account", "A", "--new", "--link", "support:organisation:2"), "HELPDESK:RECORD"),
        (("serve", "--host", "no.such.host.invalid"), "cannot listen on no.such.host.invalid"),
        (
            ("due", "--opened-at", "9999-12-30", "--timezone", "UTC", "--hours", "9999"),
            "beyond the years",
        ),
        (("due", "--opened-at", "0001-01-01", "--timezone", "Asia/Tokyo"), "beyond the years"),
        (("account", "A", "--new", "--link", "nowhere:organization:1"), "no helpdesk 'nowhere'"),
        (("explain", "support", "77"), "no delivery about support ticket 77"),
        (("explain", "nowhere", "77"), "no helpdesk 'nowhere'"),
        (("queues", "show", "inbox", "9"), "there is no inbox 9"),
        (("queues", "replay", "outbox", "9"), "there is no outbox 9"),
        (("due", "--opened-at", "soon", "--timezone", "UTC"), "is no ISO 8601 time"),
        (("due", "--opened-at", "2026-11-20", "--timezone", "Mars/Base"), "unknown time zone"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_one_clear_sentence(
    run: Run, settings: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    code, _, err = run(*arguments)
    assert code == 1
    assert complaint in " ".join(err.split())
    assert "Traceback" not in err


def test_a_reference_cannot_be_used_for_another_purchase(run: Run, settings: Path) -> None:
    run("purchase", "Acme GmbH", "50", "--reference", "INV-1", "--new")
    code, _, err = run("purchase", "Acme GmbH", "60", "--reference", "INV-1", "--new")
    assert code == 1
    assert "INV-1" in err
    assert of(run, "balance", "Acme GmbH")["on_hand"] == 50


@pytest.mark.parametrize("arguments", [("purchase", "A"), ("purchase", "A", "-5"), ("nonsense",)])
def test_a_command_that_is_typed_wrong_is_explained(
    run: Run, settings: Path, arguments: tuple[str, ...]
) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert "Usage" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("purchase", "A", "5", "--reference", "x", "--on", "2026-99-01"),
        ("queues", "list", "--state", "gone"),
        ("queues", "show", "letterbox", "1"),
    ],
    ids=" ".join,
)
def test_what_is_said_of_a_wrong_option_begins_with_no_word_of_a_library(
    run: Run, settings: Path, arguments: tuple[str, ...]
) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert "Invalid value for" in err
    assert "Value error" not in err


def test_due_needs_no_settings(run: Run) -> None:
    """Friday 15:30 in Berlin, four business hours: Monday 11:30."""
    due = of(run, "due", "--opened-at", "2026-11-20T15:30", "--timezone", "Europe/Berlin")
    assert due["due_at"] == "2026-11-23T10:30:00+00:00"
    assert (due["country"], due["country_source"]) == ("DE", "inferred")


def test_due_says_which_day_was_closed(run: Run) -> None:
    _, out, _ = run(
        "due", "--opened-at", "2026-12-24T15:00", "--timezone", "Europe/Berlin", "--country", "DE"
    )
    assert "2026-12-25" in out


def test_due_says_that_no_country_is_known(run: Run) -> None:
    _, out, _ = run("due", "--opened-at", "2026-11-20T15:30", "--timezone", "UTC")
    assert "No country, so no public holidays" in out
    assert "None" not in out


def test_due_shows_no_time_that_clocks_never_show(run: Run) -> None:
    arguments = ("due", "--opened-at", "2026-03-29T02:30", "--timezone", "Europe/Berlin")
    _, out, _ = run(*arguments)
    assert "Sun 2026-03-29 03:30:00 CEST" in out
    assert "02:30:00" not in out
    assert "never show 02:30" in out
    assert "never show 02:30" in of(run, *arguments)["warnings"][0]


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [((), "Nothing is queued or stuck."), (("--state", "done"), "Nothing is done.")],
    ids=["all", "done"],
)
def test_an_empty_queue_answers_what_was_asked(
    run: Run, settings: Path, arguments: tuple[str, ...], answer: str
) -> None:
    assert run("queues", "list", *arguments)[1].strip() == answer


def test_settings_check_says_that_all_is_well(run: Run, settings: Path) -> None:
    assert of(run, "settings", "check")["helpdesks"] == {"support": "zammad"}


def test_settings_example_prints_the_repositorys_without_any_settings(run: Run) -> None:
    code, out, err = run("settings", "example")
    assert (code, err) == (0, "")
    assert out == (ROOT / "points-bridge.example.toml").read_text("utf-8")


def test_settings_check_names_every_problem(
    run: Run, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POINTS_BRIDGE_SUPPORT_TOKEN")
    settings.write_text(
        settings.read_text(encoding="utf-8").replace("Europe/Berlin", "Europe/Bern"),
        encoding="utf-8",
    )
    code, _, err = run("settings", "check")
    assert code == 1
    assert "POINTS_BRIDGE_SUPPORT_TOKEN" in err
    assert "Europe/Bern" in err


def test_wrong_settings_are_problems_of_doctor_s(
    run: Run, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POINTS_BRIDGE_SUPPORT_TOKEN")
    monkeypatch.setenv("POINTS_BRIDGE_SUPPORT_WEBHOOK_SECRET", "abc")
    code, out, err = run("doctor", "--json")
    found = json.loads(out)
    assert (code, err, found["ok"], len(found["problems"])) == (1, "", False, 2)
    assert "support.token: is not set" in str(found["problems"][0])
    assert not found.keys() - named_on_the_page("doctor")


def test_explain_tells_every_rule_in_order(run: Run, scene: Scene) -> None:
    scene.zammad.model.add_organization("Acme GmbH")
    scene.zammad.model.add_customer("Carla", "carla@acme.example", "Acme GmbH")
    run("purchase", "Acme GmbH", "10", "--reference", "INV-1", "--new")
    ticket = scene.zammad.model.customer_mails("carla@acme.example", "Help", "Please.")
    scene.settle()
    _, out, _ = run("explain", HELPDESK, str(ticket))
    assert '"All support incidents are charged at a rate of 10 points per incident."' in out
    explained = of(run, "explain", HELPDESK, str(ticket))
    (decision,) = explained["decisions"]
    assert decision["kind"] == "accepted"
    assert explained["clocks"][0]["inputs"]["iana_version"]
    assert [row["queue"] for row in explained["rows"]] == ["inbox", "outbox"]


def test_dead_letters_are_listed_shown_replayed_and_discarded(run: Run, scene: Scene) -> None:
    """The bridge's token is wrong for a while."""
    from bridge.sandbox.zammad import Fault

    refused = Fault("GET", "/api/v1/tickets/*", status=401, body=b'{"error": "no"}')
    scene.zammad.model.faults.add(refused, times=2)
    for _ in range(2):
        scene.zammad.model.customer_mails("eve@evil.example", "Help", "Please.")
    scene.settle()
    first, second = of(run, "queues", "list", "--state", "dead")
    assert first["queue"] == "inbox"
    shown = of(run, "queues", "show", "inbox", str(first["id"]))
    assert shown["row"]["outcome"] == first["outcome"]
    told = [
        line.split("  ")[0]
        for line in run("queues", "show", "inbox", str(first["id"]))[1].splitlines()
    ]
    assert len(set(told)) == len(told)
    assert "carries headers x-zammad-trigger" in told
    assert run("queues", "replay", "inbox", str(first["id"]))[0] == 0
    scene.settle()
    assert [one["id"] for one in of(run, "queues", "list")] == [second["id"]]
    assert run("queues", "discard", "inbox", str(second["id"]), "--reason", "a test")[0] == 0
    assert of(run, "queues", "list", "--state", "dead") == []
    code, _, err = run("queues", "discard", "inbox", str(second["id"]), "--reason", "x")
    assert code == 1
    assert "not dead" in err


def test_the_demo_ends_by_itself(run: Run) -> None:
    code, out, _ = run("demo")
    assert code == 0
    for word in ("free re-open", "answered 401", "declined", "Statement of Acme GmbH"):
        assert word in out
    # What the records show is what the statement ends with.
    for record in (r"Zammad +Acme GmbH", r"Zendesk +Acme worldwide"):
        assert re.search(rf"^{record} +10 ", out, re.MULTILINE)


def test_main_is_what_the_package_installs() -> None:
    assert isinstance(app, typer.Typer)
