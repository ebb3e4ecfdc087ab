"""What a country closes for, where the holiday library's default is not it.

A category of holidays is added for a country only if *each* of its days is one on which offices
there are generally shut; the name of such a day stands beside it. In doubt a day is worked: then an
answer may come sooner than it had to, and never later than the customer may expect.

Looked at and left out, because a category holds other days too, or closes only banks or civil
servants: Andorra, Argentina, Austria, Belgium, Brazil (Carnival, but also Public Servant's Day),
Cabo Verde, Chile, Cyprus, Denmark (Christmas Eve, but also Workers' Day), Egypt, Greenland, Haiti,
India, Indonesia, Ireland, Israel, Lebanon, Liechtenstein, Luxembourg, Netherlands, Niger, Panama,
Portugal, Qatar, San Marino, Taiwan, Thailand, Uruguay, the cantons of Switzerland. Days of one
religion or people, school holidays, half days and working days are nobody's default.
"""

from collections.abc import Iterable, Mapping
from functools import cache

import holidays
from holidays import constants

from bridge.errors import SettingsError, did_you_mean

PUBLIC = ("public",)

ASK_FOR_SUBDIVISION = frozenset({"AU", "CH", "DE", "ES", "IT"})
"""Countries whose holidays are mostly those of their states: a country alone is too few days."""

DEFAULT_SUBDIVISION: Mapping[str, str] = {"GB": "ENG"}
"""The days common to all of the United Kingdom are fewer than any of its parts has."""

NATIONAL_ONLY = frozenset({"US"})
"""Major government holidays are the federal ones; a state in an address does not add its own."""

_ALSO_SHUT: Mapping[str, str] = {
    "HK": "optional",  # general holidays: Good Friday
    "JP": "bank",  # the turn of the year, 31 December to 3 January: Bank Holiday
    "MO": "optional",  # general holidays: Good Friday, Christmas Day
    "SE": "de_facto",  # Midsummer Eve, Christmas Eve, New Year's Eve
    "SH": "government",  # New Year's Day, Pentecost Monday, August Bank Holiday
    "TT": "optional",  # Carnival Monday, Carnival Tuesday
}
# Thanksgiving and Victoria Day: the provinces have them as public holidays, the country has not.
_ALSO_SHUT_AS_A_WHOLE: Mapping[str, str] = {"CA": "government"}


def usual_categories(country: str, subdivision: str | None = None) -> tuple[str, ...]:
    """The categories of holidays that close support in a country, by code, if nobody chose any."""
    added = _ALSO_SHUT.get(country)
    if not subdivision:
        added = _ALSO_SHUT_AS_A_WHOLE.get(country, added)
    return (*PUBLIC, added) if added else PUBLIC


def categories_of(country: str) -> tuple[str, ...]:
    """The categories of holidays that there are in a country, by code."""
    return tuple(getattr(holidays, country).supported_categories)


@cache
def _all_categories() -> frozenset[str]:
    named = vars(constants).items()
    return frozenset(value for name, value in named if name.isupper() and name.lower() == value)


def checked_categories(names: Iterable[str]) -> tuple[str, ...]:
    """Categories that somebody chose, each once and in order. A country need not have them all.

    Raises:
        SettingsError: there are none, or no country has one of that name; names similar ones.
    """
    chosen = tuple(sorted({name.strip().casefold() for name in names}))
    if not chosen:
        raise SettingsError("holiday categories are empty: name at least one, such as public")
    for name in chosen:
        if name not in _all_categories():
            hint = did_you_mean(name, _all_categories())
            known = f"; known: {', '.join(sorted(_all_categories()))}"
            raise SettingsError(f"unknown holiday category {name!r}{hint or known}")
    return chosen
