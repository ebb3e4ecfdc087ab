"""What an admin says of an account."""

from typing import Any

import pytest

from bridge.errors import BadRequest, RecordTaken, SettingsError, UnknownAccount, UnknownHelpdesk
from bridge.ledger.accounts import Account
from bridge.policy.places import Address
from bridge.policy.service_hours import Hours
from bridge.service.accounts import AccountChange, Changed, HoursChange, change_account
from bridge.service.reports import balance
from bridge.ticket import PointsState
from tests.service.conftest import ACME, House

NOWHERE = Address()


def test_an_account_is_made_where_there_is_none(house: House) -> None:
    account = change_account(house.bridge, "Acme", AccountChange(new=True)).account
    assert (account.ref, account.address) == ("Acme", NOWHERE)
    assert change_account(house.bridge, "Acme", AccountChange(new=True)).account.id == account.id


def test_its_address_is_kept_in_the_spelling_of_codes(house: House) -> None:
    address = Address("America/Toronto", "Canada", "Ontario")
    account = change_account(house.bridge, "Acme", AccountChange(address, new=True)).account
    assert account.address == Address("America/Toronto", "CA", "ON")
    assert balance(house.bridge, "Acme").located.calendar.zone == "America/Toronto"


def test_what_is_not_given_stays_as_it_is(house: House) -> None:
    change_account(
        house.bridge, "Acme", AccountChange(Address("America/Toronto", "CA", "ON"), new=True)
    )
    account = change_account(
        house.bridge, "Acme", AccountChange(Address("America/Vancouver"), new=True)
    ).account
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
        change_account(house.bridge, "Acme", AccountChange(address, new=True))
    with pytest.raises(BadRequest):
        balance(house.bridge, "Acme")


class TestLinking:
    def test_brings_held_tickets_along_and_releases_them(self, house: House) -> None:
        house.open()
        house.run()
        house.buy(10, "Holding AG")
        round_before = house.bridge.wake.round()
        change_account(
            house.bridge,
            "Holding AG",
            AccountChange(link=f"support:{ACME.ref}", new=True, take=True),
        )
        assert house.bridge.wake.round() == round_before + 1
        assert house.incident().incident.state is PointsState.CHARGED
        assert house.on_hand("Holding AG") == 0

    def test_lets_later_tickets_draw_on_it(self, house: House) -> None:
        house.buy(10, "Holding AG")
        change_account(
            house.bridge,
            "Holding AG",
            AccountChange(link=f"support:{ACME.ref}", new=True, take=True),
        )
        house.open()
        assert house.settle() == "accepted"
        assert house.on_hand("Holding AG") == 0

    @pytest.mark.parametrize("link", ["support", "support:2", "support:organization:", "x"])
    def test_of_what_names_no_record_is_refused(self, house: House, link: str) -> None:
        with pytest.raises(BadRequest) as refused:
            change_account(house.bridge, "Acme", AccountChange(link=link, new=True, take=True))
        assert str(refused.value) == (
            f"link {link!r} is not HELPDESK:RECORD, like support:organization:2 or support:person:8"
        )

    def test_in_a_helpdesk_that_is_not_configured_is_refused(self, house: House) -> None:
        with pytest.raises(UnknownHelpdesk):
            change_account(
                house.bridge,
                "Acme",
                AccountChange(link="elsewhere:organization:2", new=True, take=True),
            )


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
        change_account(
            house.bridge,
            "Acme",
            AccountChange(hours=HoursChange(say=Hours.from_dict(said)), new=True),
        )


def berlin(house: House) -> Account:
    change = AccountChange(Address("Europe/Berlin", "DE", "BY"), new=True)
    return change_account(house.bridge, "Acme", change).account


def changed(house: House, **change: Any) -> Changed:
    return change_account(house.bridge, "Acme", AccountChange(**change))


class TestChanging:
    def test_a_country_takes_the_subdivision_of_the_other_away(self, house: House) -> None:
        berlin(house)
        done = changed(house, address=Address(country="JP"))
        assert done.account.address == Address("Europe/Berlin", "JP", None)
        assert done.was == {"country": "DE", "subdivision": "BY"}
        assert done.now == {"country": "JP", "subdivision": None}

    @pytest.mark.parametrize(
        ("cleared", "left"),
        [
            (("zone",), Address(None, "DE", "BY")),
            (("country",), Address("Europe/Berlin")),
            (("subdivision",), Address("Europe/Berlin", "DE")),
            (("zone", "country"), Address()),
        ],
    )
    def test_every_value_can_be_cleared(
        self, house: House, cleared: tuple[str, ...], left: Address
    ) -> None:
        berlin(house)
        assert changed(house, clear=cleared).account.address == left

    def test_a_subdivision_alone_goes_with_the_country_that_is_known(self, house: House) -> None:
        berlin(house)
        done = changed(house, address=Address(subdivision="Berlin"))
        assert done.account.address == Address("Europe/Berlin", "DE", "BE")

    @pytest.mark.parametrize("name", ["zone", "country", "subdivision"])
    def test_what_is_said_and_cleared_at_once_is_refused(self, house: House, name: str) -> None:
        berlin(house)
        said = Address(**{name: getattr(Address("Europe/Paris", "FR", "BRE"), name)})
        with pytest.raises(BadRequest, match=f"the {name} is to be .* and to be cleared"):
            changed(house, address=said, clear=(name,))

    def test_nothing_says_nothing(self, house: House) -> None:
        berlin(house)
        assert changed(house).was == {}

    def test_a_name_that_nobody_has_makes_no_account_in_silence(self, house: House) -> None:
        berlin(house)
        with pytest.raises(UnknownAccount, match="did you mean Acme"):
            change_account(house.bridge, "Acmee", AccountChange(Address("Europe/Paris")))


class TestRenaming:
    def test_keeps_the_old_name(self, house: House) -> None:
        berlin(house)
        done = changed(house, rename=" Acme  AG ")
        assert (done.account.ref, done.account.name) == ("Acme", "Acme AG")
        assert (done.was, done.now) == ({"name": "Acme"}, {"name": "Acme AG"})
        assert balance(house.bridge, "acme ag").account == balance(house.bridge, "Acme").account

    def test_to_another_s_name_is_refused(self, house: House) -> None:
        berlin(house)
        house.buy(10, "Beta Ltd")
        with pytest.raises(BadRequest, match="another account is known as 'beta ltd'"):
            changed(house, rename="beta ltd")

    def test_lets_the_customer_take_up_points_that_were_sold_to_a_typo(self, house: House) -> None:
        house.buy(10, "Acme Gmhb")
        change_account(house.bridge, "Acme Gmhb", AccountChange(rename=ACME.name))
        house.open()
        assert house.settle() == "accepted"

    def test_to_what_means_a_ref_is_refused(self, house: House) -> None:
        berlin(house)
        with pytest.raises(BadRequest, match="a name cannot begin with 'ref:'"):
            changed(house, rename="ref:Beta")


class TestLinksOfOthers:
    LINK = f"support:{ACME.ref}"

    def test_are_taken_only_when_that_is_meant(self, house: House) -> None:
        house.open()
        house.run()
        berlin(house)
        with pytest.raises(RecordTaken, match=f"^{self.LINK} belongs to the account 'Acme GmbH'"):
            changed(house, link=self.LINK)
        assert changed(house, link=self.LINK, take=True).now == {"records": [self.LINK]}

    def test_are_taken_away_again(self, house: House) -> None:
        berlin(house)
        changed(house, link=self.LINK)
        done = changed(house, unlink=self.LINK)
        assert (done.was, done.now) == ({"records": [self.LINK]}, {"records": []})
        house.buy(10, "Acme")
        house.open()
        assert house.settle() == "held"

    def test_are_those_that_helpdesks_write_without_zeros(self, house: House) -> None:
        berlin(house)
        done = changed(house, link="support:organization:002")
        assert done.now == {"records": [self.LINK]}

    def test_that_are_not_there_are_not_taken_away(self, house: House) -> None:
        berlin(house)
        with pytest.raises(BadRequest, match="is no record of this account"):
            changed(house, unlink=self.LINK)

    def test_that_would_come_back_by_their_name_stay(self, house: House) -> None:
        house.open()
        house.run()
        with pytest.raises(BadRequest, match="its next ticket would take the account up again"):
            change_account(house.bridge, ACME.name, AccountChange(unlink=self.LINK))
        assert balance(house.bridge, ACME.name).records == (self.LINK,)

    @pytest.mark.parametrize("known", [True, None, False])
    def test_to_what_the_helpdesk_does_not_have_are_refused(
        self, house: House, monkeypatch: pytest.MonkeyPatch, known: bool | None
    ) -> None:
        berlin(house)
        monkeypatch.setattr(house.desk, "knows", lambda _customer: known)
        if known is False:
            with pytest.raises(BadRequest, match="support has no organization 2"):
                changed(house, link=self.LINK)
        else:
            assert changed(house, link=self.LINK).unchecked == (known is None)

    def test_take_what_was_held_along_also_after_they_were_taken_away(self, house: House) -> None:
        """Acme's points paid for Beta's ticket."""
        berlin(house)
        changed(house, link="support:organization:9")
        changed(house, link=self.LINK)
        house.open()
        house.run()
        changed(house, unlink=self.LINK)
        house.buy(10, "Acme")
        house.run()
        assert house.on_hand("Acme") == 10
        beta = AccountChange(link=self.LINK, new=True)
        change_account(house.bridge, "Beta", beta)
        house.buy(10, "Beta")
        house.run()
        assert (house.on_hand("Acme"), house.on_hand("Beta")) == (10, 0)
        assert house.incident().incident.state is PointsState.CHARGED
