"""What one source (the deployment's defaults, or an account) says of when support is open.

Whatever a source does not say is left to the one behind it; of a date, the nearer source decides.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any

from bridge.errors import SettingsError
from bridge.policy.countries import checked_categories
from bridge.policy.hours import HOUR, Weekly, Window, check_weekly, check_windows
from bridge.policy.notation import (
    format_open_day,
    format_weekly,
    parse_day,
    parse_open_days,
    parse_weekly,
)
from bridge.policy.terms import LONGEST_PROMISE, SHORTEST_PROMISE, Terms

_ALWAYS = frozenset({"24/7", "around the clock"})
_BOUNDS = f"{SHORTEST_PROMISE / HOUR:g} and {LONGEST_PROMISE / HOUR:g}"


@dataclass(frozen=True, slots=True)
class Hours:
    """What a source says; None or empty where it says nothing. A value, hashable.

    `weekly` replaces the weekly hours. `around_the_clock` makes every second count, on holidays and
    closed dates too, and lets all else rest but `response_seconds`. `categories` are the kinds of
    holidays that close, instead of a country's usual ones. `extra_closed` dates are closed;
    `removed` ones are worked though they are holidays; `open_windows` are a date's own hours.

    Raises:
        SettingsError: weekly hours or those of a date are nonsensical, a category is unknown, or
            the response is promised sooner or later than `terms` allows.
    """

    weekly: Weekly | None = field(default=None, hash=False)
    around_the_clock: bool | None = None
    response_seconds: int | None = None
    categories: tuple[str, ...] | None = None
    extra_closed: frozenset[date] = frozenset()
    removed: frozenset[date] = frozenset()
    open_windows: Mapping[date, tuple[Window, ...]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.weekly is not None:
            check_weekly(self.weekly)
            opened = {day: self.weekly[day] for day in range(7) if self.weekly.get(day)}
            object.__setattr__(self, "weekly", MappingProxyType(opened))
        if self.categories is not None:
            object.__setattr__(self, "categories", checked_categories(self.categories))
        for day, windows in self.open_windows.items():
            check_windows(f"hours on {day}", windows)
            if not windows:
                raise SettingsError(f"hours on {day} are empty: close the date instead")
        object.__setattr__(self, "open_windows", MappingProxyType(dict(self.open_windows)))
        target = self.response_seconds
        if target is not None and not SHORTEST_PROMISE <= target <= LONGEST_PROMISE:
            raise SettingsError(f"response hours {target / HOUR:g} are not between {_BOUNDS}")

    def over(self, base: "Hours") -> "Hours":
        """What this source says, and where it says nothing, what `base` says.

        Weekly hours end an around the clock of `base`. To say something new in addition to what a
        source has said already, put it over that.
        """
        spoken_of = self.extra_closed | self.removed | self.open_windows.keys()
        silent = self.weekly is None and self.around_the_clock is None
        return Hours(
            weekly=base.weekly if self.weekly is None else self.weekly,
            around_the_clock=base.around_the_clock if silent else self.around_the_clock,
            response_seconds=self.response_seconds or base.response_seconds,
            categories=self.categories or base.categories,
            extra_closed=self.extra_closed | (base.extra_closed - spoken_of),
            removed=self.removed | (base.removed - spoken_of),
            open_windows=_without(base.open_windows, spoken_of) | dict(self.open_windows),
        )

    def as_usual(self, days: Iterable[date]) -> "Hours":
        """The same, without a word about these dates: undoes closing, working and opening them."""
        forgotten = frozenset(days)
        return replace(
            self,
            extra_closed=self.extra_closed - forgotten,
            removed=self.removed - forgotten,
            open_windows=_without(self.open_windows, forgotten),
        )

    def applied_to(self, terms: Terms) -> Terms:
        """The terms of the deployment, with the response time that is said here."""
        return replace(terms, response_seconds=self.response_seconds or terms.response_seconds)

    def as_dict(self) -> dict[str, Any]:
        """What is said, as people write it, in JSON's own types; `from_dict` reads it."""
        said = {
            "hours": format_weekly(self.weekly) if self.weekly else None,
            "around_the_clock": self.around_the_clock,
            "response_hours": self.response_seconds and self.response_seconds / HOUR,
            "holiday_categories": list(self.categories or ()) or None,
            "closed": [str(day) for day in sorted(self.extra_closed)] or None,
            "worked": [str(day) for day in sorted(self.removed)] or None,
            "open": [format_open_day(*one) for one in sorted(self.open_windows.items())] or None,
        }
        return {key: value for key, value in said.items() if value is not None}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> "Hours":
        """Read what `as_dict` wrote, or what a person did in the same form.

        Raises:
            SettingsError: a value cannot be read; says what to write instead.
        """
        usual = parse_hours(said["hours"]) if "hours" in said else cls()
        target = said.get("response_hours")
        return cls(
            weekly=usual.weekly,
            around_the_clock=said.get("around_the_clock", usual.around_the_clock),
            response_seconds=None if target is None else round(target * HOUR),
            categories=said.get("holiday_categories"),
            extra_closed=frozenset(map(parse_day, said.get("closed", ()))),
            removed=frozenset(map(parse_day, said.get("worked", ()))),
            open_windows=parse_open_days(said.get("open", ())),
        )


def parse_hours(text: str) -> Hours:
    """Read weekly hours as `parse_weekly` does, or "24/7", which closes on no holiday either.

    Hours all day, but not on holidays, are `Mon-Sun 00:00-24:00`.

    Raises:
        SettingsError: what cannot be read, and what to write instead.
    """
    if " ".join(text.casefold().split()) in _ALWAYS:
        return Hours(around_the_clock=True)
    return Hours(weekly=parse_weekly(text))


def _without(
    windows: Mapping[date, tuple[Window, ...]], days: frozenset[date]
) -> dict[date, tuple[Window, ...]]:
    return {day: windows[day] for day in windows if day not in days}
