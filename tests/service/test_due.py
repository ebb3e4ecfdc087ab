"""When an answer would be due, of a ticket that nobody has opened."""

from datetime import UTC, datetime, timedelta

import pytest

from bridge.errors import BadRequest, SettingsError
from bridge.policy.places import Address
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
