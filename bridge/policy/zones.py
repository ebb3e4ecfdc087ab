"""Time zones: the rules of an IANA zone, and how its clocks map onto instants.

Always the zones of the `tzdata` package, so that due and expiry dates do not depend on the machine.
"""

from bisect import bisect_left
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
