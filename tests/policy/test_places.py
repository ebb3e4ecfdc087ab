"""Several records say where an account is: which of them counts, and what cannot be read."""

from datetime import date

import pytest

from bridge.errors import SettingsError
from bridge.policy.places import Address, settle

NOTHING = Address()
HOME = Address("Europe/Berlin", "DE", "BE")
BERLINS_OWN = date(2026, 3, 8)


@pytest.mark.parametrize(
    ("own", "told", "zone", "country", "subdivision"),
    [
        (NOTHING, NOTHING, "Europe/Berlin", "DE", "BE"),
        (NOTHING, Address("Europe/Vienna"), "Europe/Vienna", "AT", None),
        (NOTHING, Address(country="Austria"), "Europe/Berlin", "AT", None),
        (NOTHING, Address("America/Toronto", "CA", "Ontario"), "America/Toronto", "CA", "ON"),
        (Address("Europe/Paris", "FR"), Address("Asia/Tokyo", "JP"), "Europe/Paris", "FR", None),
        (NOTHING, Address(subdivision="BY"), "Europe/Berlin", "DE", "BE"),
    ],
)
def test_the_best_record_counts(
    own: Address, told: Address, zone: str, country: str, subdivision: str | None
) -> None:
    found = settle(own, told, HOME)
    assert (found.calendar.zone, found.place.country, found.place.subdivision) == (
        zone,
        country,
        subdivision,
    )
    assert found.unread == ()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (Address("Berlin"), ["zone 'Berlin'"]),
        (Address("Europe/Berlin", "Germania"), ["country 'Germania'"]),
        (Address("Europe/Berlin", "DE", "Tyrol"), ["subdivision 'Tyrol'"]),
        (Address("Berlin", "Germania"), ["zone 'Berlin'", "country 'Germania'"]),
    ],
)
def test_what_a_helpdesk_says_illegibly_is_left_out_and_told(
    told: Address, said: list[str]
) -> None:
    found = settle(NOTHING, told, HOME)
    assert [word in unread for word, unread in zip(said, found.unread, strict=True)] == [
        True
    ] * len(said)
    assert set(found.unread) <= set(found.warnings)
    assert found.calendar.zone == "Europe/Berlin"


def test_the_home_has_holidays_of_its_own() -> None:
    assert BERLINS_OWN in settle(NOTHING, NOTHING, HOME).calendar.holidays_of(2026)
    elsewhere = settle(NOTHING, Address(country="DE", subdivision="BY"), HOME)
    assert BERLINS_OWN not in elsewhere.calendar.holidays_of(2026)


def test_a_setting_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(SettingsError, match="Germania"):
        settle(Address(country="Germania"), NOTHING, HOME)
