"""When an answer would be due, of a ticket that nobody has opened."""

from datetime import UTC, datetime, timedelta

import pytest

from bridge.errors import BadRequest, SettingsError
from bridge.policy.places import Address
from bridge.policy.zones import load_zone
from bridge.service.due import first_response

FOUR_HOURS = 4 * 3600
BERLIN = Address("Europe/Berlin")


def test_local_time_counts_where_no_offset_is_given() -> None:
    """A Friday, 15:30 in Berlin: an hour and a half is left, the rest is Monday's."""
    found = first_response("2026-11-20T15:30", BERLIN, FOUR_HOURS)
    assert found.opened_at == datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
    assert found.due.at == datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
    assert first_response("2026-11-20T14:30Z", BERLIN, FOUR_HOURS).due == found.due


def test_what_it_was_computed_from_is_told() -> None:
    """1 May is a holiday, a Friday in 2026."""
    found = first_response("2026-04-30T16:00", BERLIN, FOUR_HOURS)
    assert found.inputs["closed_dates"] == ["2026-05-01"]
    assert (found.inputs["country"], found.inputs["country_source"]) == ("DE", "inferred")
    assert found.zone == found.inputs["zone"] == "Europe/Berlin"


def test_the_country_that_is_named_closes() -> None:
    austria = Address("Europe/Berlin", "AT")
    found = first_response("2026-12-07T16:00", austria, FOUR_HOURS)
    assert found.inputs["closed_dates"] == ["2026-12-08"]
    plain = first_response("2026-12-07T16:00", BERLIN, FOUR_HOURS)
    assert found.due.at - plain.due.at == timedelta(days=1)


def test_a_zone_without_a_country_is_warned_of() -> None:
    found = first_response("2026-12-24T15:00", Address(), FOUR_HOURS)
    assert (found.zone, found.inputs["country"]) == ("UTC", None)
    assert found.warnings


@pytest.mark.parametrize(
    ("opened_at", "address", "complaint"),
    [
        ("soon", BERLIN, "is no ISO 8601 time"),
        ("2026-11-20", Address("Europe/Berlin", None, "BY"), "needs its country"),
        ("9999-12-31T16:00", BERLIN, "beyond the years"),
    ],
)
def test_what_makes_no_sense_is_refused(opened_at: str, address: Address, complaint: str) -> None:
    with pytest.raises(BadRequest, match=complaint):
        first_response(opened_at, address, FOUR_HOURS)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(SettingsError, match="unknown time zone"):
        first_response("2026-11-20", Address("Mars/Base"), FOUR_HOURS)


AT_HOME = Address("Europe/Berlin", "DE", "BE")


@pytest.mark.parametrize(
    ("opened_at", "taken", "said"),
    [
        ("2026-03-29T02:30", "2026-03-29T01:30:00Z", "never show 02:30 on 2026-03-29"),
        ("2026-10-25T02:30", "2026-10-25T00:30:00Z", "show 02:30 twice on 2026-10-25"),
    ],
    ids=["skipped", "repeated"],
)
def test_of_a_local_time_that_is_none_or_two_it_is_said_what_was_taken(
    opened_at: str, taken: str, said: str
) -> None:
    found = first_response(opened_at, AT_HOME, FOUR_HOURS)
    assert found.opened_at == datetime.fromisoformat(taken)
    (warning,) = found.warnings
    assert said in warning
    assert found.opened_at.astimezone(load_zone("Europe/Berlin")).isoformat() in warning


@pytest.mark.parametrize("opened_at", ["2026-03-29T02:30+01:00", "2026-03-29T03:00"])
def test_of_a_plain_instant_nothing_is_said(opened_at: str) -> None:
    assert first_response(opened_at, AT_HOME, FOUR_HOURS).warnings == ()
