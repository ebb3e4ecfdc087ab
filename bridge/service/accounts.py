"""What an admin says of an account: where it is, when it works, which customer records it has."""

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from bridge.errors import BadRequest
from bridge.ledger import accounts, names
from bridge.ledger.accounts import Account
from bridge.policy.calendars import country_code, subdivision_code
from bridge.policy.places import NOTHING_SAID, Address
from bridge.policy.service_hours import Hours
from bridge.policy.zones import load_zone
from bridge.service.core import Bridge
from bridge.service.settling import release_held

NOWHERE = Address()
_RECORD = re.compile(r"(organization|person):0*([0-9]+)")


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


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What is to become of an account; what is not named stays as it is.

    `clear` names what is no longer said: `zone`, `country` or `subdivision`. `link` and `unlink`
    are customer records, `HELPDESK:RECORD`, for instance `support:organization:2`. The account may
    be `new`, and `take` a record from another one.
    """

    address: Address = NOWHERE
    clear: Collection[str] = ()
    hours: HoursChange = field(default_factory=HoursChange)
    rename: str | None = None
    link: str | None = None
    unlink: str | None = None
    new: bool = False
    take: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """An account after a change. `was` and `now` are what differs, by name, as people write it.

    `unchecked`: nobody could be asked whether the linked record exists.
    """

    account: Account
    was: Mapping[str, Any]
    now: Mapping[str, Any]
    made: bool
    unchecked: bool = False


def change_account(bridge: Bridge, ref: str, change: AccountChange) -> Changed:
    """Change an account, or make it. Repeating is safe.

    Held tickets of a record that is linked come along, and are released where there are points. A
    country that is changed takes the subdivision of the other one away. Past due times are not
    touched.

    Raises:
        UnknownAccount: nobody is called so, and it may not be new.
        RecordTaken: the record to be linked is another account's.
        SettingsError: unknown zone, country or subdivision, names similar ones; or hours at which
            support never opens.
        UnknownHelpdesk: the link names none that is configured.
        BadRequest: hours contradict themselves, the link is not readable or names a record that
            there is not, or it would take the last record of an account with bookings away.
        HelpdeskRefused, HelpdeskUnavailable: the helpdesk cannot be asked for the record.
    """
    _refuse_contradictions(change)
    records = tuple(_record(bridge, one) if one else None for one in (change.link, change.unlink))
    exists = _exists(bridge, records[0]) if records[0] else True
    changed = bridge.db.write(lambda conn: _change(conn, bridge, ref, change, records))
    bridge.wake.call()
    return replace(changed, unchecked=exists is None)


def _exists(bridge: Bridge, record: tuple[str, str]) -> bool | None:
    helpdesk, customer_ref = record
    known = bridge.helpdesk(helpdesk).adapter.knows(customer_ref)
    if known is False:
        raise BadRequest(
            f"{helpdesk} has no {customer_ref.replace(':', ' ')}; look its id up there"
        )
    return known


def _change(
    conn: Connection,
    bridge: Bridge,
    ref: str,
    change: AccountChange,
    records: tuple[tuple[str, str] | None, ...],
) -> Changed:
    account, made = accounts.meant(conn, ref, bridge.now(), new=change.new)
    was = {} if made else _said(conn, account)
    accounts.set_address(conn, account.id, _address(account.address, change))
    accounts.set_hours(conn, account.id, change.hours.applied_to(account.hours))
    if change.rename is not None:
        accounts.rename(conn, account.id, change.rename)
    bridge.locate(accounts.by_id(conn, account.id))
    link, unlink = records
    if unlink:
        accounts.unlink(conn, account.id, *unlink)
    if link:
        accounts.link_to(conn, account.id, *link, take=change.take)
        release_held(conn, bridge, accounts.by_id(conn, account.id))
    account = accounts.by_id(conn, account.id)
    now = _said(conn, account)
    differing = [name for name in now.keys() | was.keys() if was.get(name) != now.get(name)]
    told = sorted(differing)
    return Changed(
        account,
        {name: was.get(name) for name in told},
        {name: now.get(name) for name in told},
        made,
    )


def _said(conn: Connection, account: Account) -> dict[str, Any]:
    """All that can be changed, by the name of its option or of its part of the hours."""
    return {
        "name": account.name,
        **asdict(account.address),
        **account.hours.as_dict(),
        "records": list(names.records(conn, account.id)),
    }


def _address(own: Address, change: AccountChange) -> Address:
    """The account's address after the change, in the spelling of codes."""
    said = change.address
    zone = load_zone(said.zone).key if said.zone else own.zone
    country = country_code(said.country) if said.country else own.country
    kept = own.subdivision if country == own.country else None
    part = said.subdivision or kept
    if part and not country:
        raise BadRequest("a subdivision needs its country; give --country too")
    subdivision = subdivision_code(country, part) if part and country else None
    after = {"zone": zone, "country": country, "subdivision": subdivision}
    cleared = {"subdivision", *change.clear} if "country" in change.clear else change.clear
    return Address(**{name: None if name in cleared else value for name, value in after.items()})


def _refuse_contradictions(change: AccountChange) -> None:
    """What is read of two words on one matter is laid down, and is not what was meant."""
    given = asdict(change.address)
    cleared = next((name for name in change.clear if given[name] is not None), None)
    if cleared is not None:
        raise BadRequest(
            f"the {cleared} is to be {given[cleared]!r} and to be cleared: give one of them"
        )
    say = change.hours.say
    if say.weekly and say.around_the_clock:
        raise BadRequest("support has weekly hours or is there around the clock: give one of them")
    if both := sorted(say.extra_closed & (say.removed | say.open_windows.keys())):
        raise BadRequest(f"{both[0]} is to be closed and to be worked: give one of them")


def _record(bridge: Bridge, link: str) -> tuple[str, str]:
    helpdesk, _, record = link.partition(":")
    said = _RECORD.fullmatch(record)
    if not said:
        raise BadRequest(
            f"link {link!r} is not HELPDESK:RECORD, like support:organization:2 or support:person:8"
        )
    return bridge.helpdesk(helpdesk).name, f"{said[1]}:{said[2]}"
