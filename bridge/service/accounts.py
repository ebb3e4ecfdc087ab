"""What an admin says of an account: where it is, when it works, which customer records it has."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from bridge.errors import BadRequest
from bridge.ledger import accounts
from bridge.ledger.accounts import Account
from bridge.policy.calendars import country_code, subdivision_code
from bridge.policy.places import NOTHING_SAID, Address
from bridge.policy.service_hours import Hours
from bridge.policy.zones import load_zone
from bridge.service.core import Bridge
from bridge.service.settling import release_held

_RECORD = re.compile(r"(organization|person):[0-9]+")


@dataclass(frozen=True, slots=True)
class HoursChange:
    """What is to become of an account's own hours, in this order.

    With `forget` all that was said of them is forgotten, else only what was said of the dates
    `as_usual`; `say` goes over the rest.
    """

    say: Hours = NOTHING_SAID
    as_usual: Collection[date] = ()
    forget: bool = False

    def applied_to(self, hours: Hours) -> Hours:
        """What the account says of its hours afterwards."""
        kept = NOTHING_SAID if self.forget else hours.as_usual(self.as_usual)
        return self.say.over(kept)


UNCHANGED = HoursChange()


def change_account(
    bridge: Bridge, ref: str, address: Address, link: str | None, hours: HoursChange = UNCHANGED
) -> Account:
    """Make an account where there is none, set its address and hours, link a customer record to it.

    `link` is `HELPDESK:RECORD`, for instance `support:organization:2`; held tickets of that record
    come along, and are released where there are points. A zone, country or subdivision that is None
    stays as it is, and so does what is not said of hours. Past due times are not touched. Repeating
    is safe.

    Raises:
        SettingsError: unknown zone, country or subdivision, names similar ones; or hours at which
            support never opens.
        UnknownHelpdesk: the link names none that is configured.
        BadRequest: hours contradict themselves, the link is not readable, or it would take the last
            record of an account with bookings away.
    """
    _refuse_contradictions(hours.say)
    checked = _checked(address)
    record = _record(bridge, link) if link else None
    account = bridge.db.write(lambda conn: _change(conn, bridge, ref, checked, record, hours))
    bridge.wake.call()
    return account


def _change(
    conn: Connection,
    bridge: Bridge,
    ref: str,
    address: Address,
    record: tuple[str, str] | None,
    hours: HoursChange,
) -> Account:
    account = accounts.find_or_create(conn, ref, bridge.now())
    accounts.set_address(conn, account.id, address)
    accounts.set_hours(conn, account.id, hours.applied_to(account.hours))
    account = accounts.by_id(conn, account.id)
    bridge.locate(account)
    if record:
        accounts.link_to(conn, account.id, *record)
        release_held(conn, bridge, account)
    return account


def _refuse_contradictions(say: Hours) -> None:
    """What is read of two words on one matter is laid down, and is not what was meant."""
    if say.weekly and say.around_the_clock:
        raise BadRequest("support has weekly hours or is there around the clock: give one of them")
    if both := sorted(say.extra_closed & (say.removed | say.open_windows.keys())):
        raise BadRequest(f"{both[0]} is to be closed and to be worked: give one of them")


def _checked(address: Address) -> Address:
    zone = load_zone(address.zone).key if address.zone else None
    country = country_code(address.country) if address.country else None
    part = address.subdivision
    if part and not country:
        raise BadRequest("a subdivision needs its country; give --country too")
    return Address(zone, country, subdivision_code(country, part) if part and country else None)


def _record(bridge: Bridge, link: str) -> tuple[str, str]:
    helpdesk, _, record = link.partition(":")
    if not _RECORD.fullmatch(record):
        raise BadRequest(
            f"link {link!r} is not HELPDESK:RECORD, like support:organization:2 or support:person:8"
        )
    return bridge.helpdesk(helpdesk).name, record
