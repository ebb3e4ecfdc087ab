"""Time zones: the rules of an IANA zone, how its clocks map onto instants, and whose zone it is.

Always the zones of the `tzdata` package, so that due and expiry dates do not depend on the machine.
"""

from bisect import bisect_left
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from bridge.errors import SettingsError, did_you_mean


@cache
def zone_names() -> frozenset[str]:
    """Every IANA zone name that the `tzdata` package knows, old names included."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


@cache
def load_zone(name: str) -> ZoneInfo:
    """The rules of an IANA zone, always from the `tzdata` package.

    `ZoneInfo(name)` prefers the system's copy: due dates would depend on the machine.

    Raises:
        SettingsError: no such zone; names similar ones.
    """
    if name not in zone_names():
        raise SettingsError(f"unknown time zone {name!r}{did_you_mean(name, zone_names())}")
    with files("tzdata").joinpath(f"zoneinfo/{name}").open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def local_date(instant: datetime, zone: str) -> date:
    """The date in `zone` at that instant.

    Raises:
        ValueError: the instant is naive.
        SettingsError: no such zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone: pass an aware datetime")
    return instant.astimezone(load_zone(zone)).date()


def place_of_zone(zone: str) -> str:
    """What people call a zone: the place that it is named after."""
    return zone.rpartition("/")[2].replace("_", " ")


def first_instant(zone: ZoneInfo, day: date, second: int) -> int:
    """The instant at which clocks in `zone` first show that second of the day, or a later one.

    So a repeated wall time is its first occurrence, a skipped one the instant of the jump, and a
    window inside a gap, or on a date that never was (Samoa, 2011-12-30), is empty.
    """
    wall = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(seconds=second)
    first = int(wall.timestamp())
    other = int(wall.replace(fold=1).timestamp())
    if first <= other:
        return first

    # PEP 495: in a gap, fold 1 reads the offset after the jump and so lands ahead of it.
    def shown(instant: int) -> datetime:
        return datetime.fromtimestamp(instant, zone).replace(tzinfo=None)

    return other + bisect_left(range(other, first), wall.replace(tzinfo=None), key=shown)


def start_of_day(day: date, zone: str) -> datetime:
    """The first instant (UTC) of a local day, also where that day has no midnight, or two.

    Raises:
        SettingsError: no such zone.
    """
    return datetime.fromtimestamp(first_instant(load_zone(zone), day, 0), UTC)


def country_of_zone(zone: str) -> str | None:
    """The country that a zone name stands for, or None where it names none or several.

    The name counts as given, and is never canonicalised first: `Europe/Oslo` is a link to
    `Europe/Berlin`, and still Norway.
    """
    return _zone_countries().get(zone)


@cache
def _zone_countries() -> Mapping[str, str]:
    shared = {name: codes for codes, _, name in _rows("zone1970.tab")}
    links = (line.split() for line in zone_file("tzdata.zi") if line.startswith("L "))
    old_names = {
        name: shared[target]
        for _, target, name in links
        if "/" in name and len(shared.get(target, "")) == len("XX")
    }
    return old_names | {name: code for code, _, name in _rows("zone.tab")}


def _rows(table: str) -> list[list[str]]:
    return [line.split("\t")[:3] for line in zone_file(table) if not line.startswith("#")]


def zone_file(name: str) -> list[str]:
    """The lines of a file of the `tzdata` package."""
    return files("tzdata").joinpath(f"zoneinfo/{name}").read_text(encoding="utf-8").splitlines()
