"""The places that Zammad's organisations name, each with the calendar that the bridge counts by.

A place is what is written in an organisation's three fields, as it is written: an SLA can only
compare. Several ways to write the same have one calendar.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bridge.adapters.answers import text_of
from bridge.adapters.provisioning import Action, Plan, Step
from bridge.adapters.resources import Json
from bridge.adapters.zammad.setup.layout import NATIVE_PREFIX
from bridge.policy.calendars import CountrySource
from bridge.policy.hours import Calendar
from bridge.policy.places import AccountCalendar, Address, locate_account
from bridge.policy.service_hours import Hours

#: An SLA counts the earlier the more it asks for; that for everybody else asks for nothing.
_LAST = 4
_MOST_NAMES = 3
#: Zammad lists the zones of countries; this one belongs to none, and every Zammad knows it.
_EVERYWHERE = frozenset({"UTC", "Etc/UTC"})

Written = tuple[str, ...]
"""Zone, country and subdivision as they stand in a record; "" where nothing stands."""


@dataclass(frozen=True, slots=True)
class Target:
    """A place: the names of its SLA and calendar, and the values by which the SLA knows it."""

    sla: str
    calendar_name: str
    calendar: Calendar
    values: Mapping[str, str]


def targets(
    rows: Iterable[Json], fields: Written, home: Address, hours: Hours, offered: Collection[str]
) -> tuple[tuple[Target, ...], Plan]:
    """What there is to be for these organisations and for everybody else, and what is only said.

    Args:
        rows: the organisations, as Zammad shows them.
        fields: the names of their attributes for zone, country and subdivision.
        home: where everybody else is.
        hours: what the deployment says of everybody's hours.
        offered: the zones that a calendar can have in this Zammad.

    Raises:
        SettingsError: `home` cannot be read, or with these hours support never opens.
    """
    found, said = [], []
    for written, names in sorted(_by_place(rows, fields).items()):
        told = Address(*map(text_of, written))
        place = locate_account(Address(), told, home, hours)
        if place.unread:
            said.append(_illegible(names, place.unread))
        if place.calendar.zone == told.zone or place.place.source is CountrySource.ORGANISATION:
            values = zip(fields, written, strict=True)
            found.append((place, {name: value for name, value in values if value}))
    found.append((locate_account(Address(), Address(), home, hours), {}))
    known = _EVERYWHERE.union(offered)
    strange = {_label(place): place.calendar.zone for place, _ in found}
    said += [_strange(label, zone) for label, zone in strange.items() if zone not in known]
    return tuple(_named(one for one in found if one[0].calendar.zone in known)), tuple(said)


def _by_place(rows: Iterable[Json], fields: Written) -> Mapping[Written, list[str]]:
    """The names of the organisations by what is written in their fields."""
    found: defaultdict[Written, list[str]] = defaultdict(list)
    for row in rows:
        zone, country, part = (_written(row.get(name)) for name in fields)
        if zone or country:
            # Without its country a subdivision says nothing, and must not keep an SLA from fitting.
            found[zone, country, part if country else ""].append(str(row.get("name")))
    return found


def _written(value: object) -> str:
    """A text as it stands there: an SLA is to compare with it."""
    return value if isinstance(value, str) and value.strip() else ""


def _named(found: Iterable[tuple[AccountCalendar, Mapping[str, str]]]) -> Iterable[Target]:
    """Newer versions want names that are unique, whatever their case is."""
    taken: Counter[str] = Counter()
    for place, values in found:
        label = _label(place)
        name = f"{NATIVE_PREFIX}{_LAST - len(values)}: {label if values else 'everybody else'}"
        taken[name] += 1
        number = f" ({taken[name]})" if taken[name] > 1 else ""
        yield Target(name + number, NATIVE_PREFIX + label, place.calendar, values)


def _label(found: AccountCalendar) -> str:
    place = found.place
    return ", ".join(filter(None, (found.calendar.zone, place.country, place.subdivision)))


def _illegible(names: list[str], unread: Iterable[str]) -> Step:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    name = ", ".join(names[:_MOST_NAMES]) + more
    detail = f"cannot be read in full: {'; '.join(unread)}"
    remedy = "correct it in the organisation; until then the default counts in its place"
    return Step("organization", name, Action.REPORT, detail, remedy, required=False)


def _strange(label: str, zone: str) -> Step:
    """A calendar in a zone that Zammad does not know could keep its tickets from being saved."""
    detail = f"is left out: this Zammad does not offer the zone {zone}"
    remedy = "write the zone's present name into the organisations, or into the settings"
    return Step("calendar", label, Action.REPORT, detail, remedy, required=False)
