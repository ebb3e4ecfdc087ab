"""What an admin says of an account."""

import pytest

from bridge.errors import BadRequest, SettingsError, UnknownHelpdesk
from bridge.policy.places import Address
from bridge.policy.service_hours import Hours
from bridge.service.accounts import HoursChange, change_account
from bridge.service.reports import balance
from bridge.ticket import PointsState
from tests.service.conftest import ACME, House

NOWHERE = Address()


def test_an_account_is_made_where_there_is_none(house: House) -> None:
    account = change_account(house.bridge, "Acme", NOWHERE, None)
    assert (account.ref, account.address) == ("Acme", NOWHERE)
    assert change_account(house.bridge, "Acme", NOWHERE, None).id == account.id


def test_its_address_is_kept_in_the_spelling_of_codes(house: House) -> None:
    address = Address("America/Toronto", "Canada", "Ontario")
    account = change_account(house.bridge, "Acme", address, None)
    assert account.address == Address("America/Toronto", "CA", "ON")
    assert balance(house.bridge, "Acme").located.calendar.zone == "America/Toronto"


def test_what_is_not_given_stays_as_it_is(house: House) -> None:
    change_account(house.bridge, "Acme", Address("America/Toronto", "CA", "ON"), None)
    account = change_account(house.bridge, "Acme", Address("America/Vancouver"), None)
    assert account.address == Address("America/Vancouver", "CA", "ON")


@pytest.mark.parametrize(
    ("address", "error", "why"),
    [
        (Address("Berlin"), SettingsError, "unknown time zone 'Berlin'"),
        (Address(country="Germania"), SettingsError, "unknown country 'Germania'"),
        (Address(country="DE", subdivision="Tyrol"), SettingsError, "unknown subdivision"),
        (
            Address(subdivision="BY"),
            BadRequest,
            "^a subdivision needs its country; give --country too$",
        ),
    ],
)
def test_an_address_that_cannot_be_read_changes_nothing(
    house: House, address: Address, error: type[Exception], why: str
) -> None:
    with pytest.raises(error, match=why):
        change_account(house.bridge, "Acme", address, None)
    with pytest.raises(BadRequest):
        balance(house.bridge, "Acme")


class TestLinking:
    def test_brings_held_tickets_along_and_releases_them(self, house: House) -> None:
        house.open()
        house.run()
        house.buy(10, "Holding AG")
        round_before = house.bridge.wake.round()
        change_account(house.bridge, "Holding AG", NOWHERE, f"support:{ACME.ref}")
        assert house.bridge.wake.round() == round_before + 1
        assert house.incident().incident.state is PointsState.CHARGED
        assert house.on_hand("Holding AG") == 0

    def test_lets_later_tickets_draw_on_it(self, house: House) -> None:
        house.buy(10, "Holding AG")
        change_account(house.bridge, "Holding AG", NOWHERE, f"support:{ACME.ref}")
        house.open()
        assert house.settle() == "accepted"
        assert house.on_hand("Holding AG") == 0

    @pytest.mark.parametrize("link", ["support", "support:2", "support:organization:", "x"])
    def test_of_what_names_no_record_is_refused(self, house: House, link: str) -> None:
        with pytest.raises(BadRequest) as refused:
            change_account(house.bridge, "Acme", NOWHERE, link)
        assert str(refused.value) == (
            f"link {link!r} is not HELPDESK:RECORD, like support:organization:2 or support:person:8"
        )

    def test_in_a_helpdesk_that_is_not_configured_is_refused(self, house: House) -> None:
        with pytest.raises(UnknownHelpdesk):
            change_account(house.bridge, "Acme", NOWHERE, "elsewhere:organization:2")


@pytest.mark.parametrize(
    "said",
    [
        {"hours": "Mon-Fri 09:00-17:00", "around_the_clock": True},
        {"closed": ["2026-12-24"], "worked": ["2026-12-24"]},
        {"closed": ["2026-12-24"], "open": ["2026-12-24 09:00-12:00"]},
    ],
)
def test_hours_that_contradict_themselves_are_refused(
    house: House, said: dict[str, object]
) -> None:
    with pytest.raises(BadRequest, match="give one of them"):
        change_account(house.bridge, "Acme", NOWHERE, None, HoursChange(say=Hours.from_dict(said)))
