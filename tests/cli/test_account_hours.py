"""`points-bridge account` says when support is open for an account, and numbers are sentences."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run, of

ACME = "Acme GmbH"


def test_hours_are_set_shown_and_forgotten(run: Run, settings: Path) -> None:
    run(
        *("account", ACME, "--new", "--zone", "Europe/Berlin", "--country", "DE"),
        *("--hours", "Mon-Thu 08:00-18:00, Fri 08:00-15:00", "--response-hours", "8"),
        *("--closed", "2026-12-24", "--open", "2026-12-31 09:00-12:00"),
    )
    shown = of(run, "balance", ACME)
    assert shown["hours"] == {
        "hours": "Mon-Thu 08:00-18:00, Fri 08:00-15:00",
        "response_hours": 8,
        "closed": ["2026-12-24"],
        "open": ["2026-12-31 09:00-12:00"],
    }
    assert "Mon-Thu 08:00-18:00" in run("balance", ACME)[1]
    run("account", ACME, "--clear-hours")
    assert of(run, "balance", ACME)["hours"] == {}


def test_what_was_said_before_stays(run: Run, settings: Path) -> None:
    run("account", ACME, "--new", "--hours", "Mon-Fri 08:00-18:00")
    run("account", ACME, "--closed", "2026-12-24")
    assert set(of(run, "balance", ACME)["hours"]) == {"hours", "closed"}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("purchase", ACME, "-5", "--reference", "A-1"), "whole number from 1 to 100000"),
        (("purchase", ACME, "9" * 23, "--reference", "A-1"), "whole number from 1 to 100000"),
        (("queues", "show", "outbox", "9" * 23), "positive whole number"),
        (("purchase", ACME, "0", "--reference", "A-1"), "whole number"),
        (("purchase", ACME, "1.000", "--reference", "A-1"), "whole number"),
        (("purchase", ACME, "ten", "--reference", "A-1"), "whole number"),
        (("queues", "show", "outbox", "-1"), "positive whole number"),
        (("queues", "replay", "inbox", "-1"), "positive whole number"),
    ],
)
def test_a_number_that_is_none_is_refused_in_a_sentence(
    run: Run, settings: Path, typed: tuple[str, ...], said: str
) -> None:
    code, _, refusal = run(*typed)
    assert code == 2
    assert said in " ".join(refusal.replace("\u2502", " ").split())
    assert "No such option" not in refusal
