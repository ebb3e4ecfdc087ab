"""Our fields in a helpdesk: what they are to hold, and whether they do. No I/O.

Every vendor stores and shows values in its own notation; what counts as the same is its to say.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from bridge.ticket import Fields

V = TypeVar("V")
Same = Callable[[V, object], bool]
"""Whether a value that was read is the wanted one."""

#: Only as of the last write: they must not cost another one (product rule 6.6).
_AS_OF_THE_WRITE = frozenset({"points_balance", "points_next_expiry"})
SUMMARY = "points_summary"
"""Younger than the others: until `setup` has made it, and the next write has filled it, the others
do without."""


def whole_minute(at: datetime) -> datetime:
    """An instant as helpdesks show it, in UTC and cut to the minute.

    With seconds a form would call every ticket edited, and rounded up somebody would answer late
    by the display (product rule 6.7).
    """
    return at.astimezone(UTC).replace(second=0, microsecond=0)


def differing(
    wanted: Mapping[str, V], stored: Mapping[str, object], same: Same[V]
) -> Iterator[str]:
    """The names of fields that are there and hold something else than they are to."""
    for name, value in wanted.items():
        if name in stored and not same(value, stored[name]):
            yield name


def missing(wanted: Mapping[str, V], stored: Mapping[str, object]) -> list[str]:
    """The names of fields that are not there and must be."""
    return [name for name in wanted if name not in stored and name != SUMMARY]


def shows(
    values: Callable[[Fields], Mapping[str, V]],
    fields: Fields,
    shown: Mapping[str, object],
    same: Same[V],
) -> bool:
    """Whether a ticket's fields hold what they are to hold, but for what must not cost a write.

    A field that is not there cannot be mended by writing it once more. `values` is the vendor's
    notation of fields; the summary must name the balance that the ticket shows.
    """
    balance = str(shown.get("points_balance"))
    if balance.isdecimal():
        fields = replace(fields, balance=int(balance))
    ignored = _AS_OF_THE_WRITE if shown.get(SUMMARY) else _AS_OF_THE_WRITE | {SUMMARY}
    return ignored.issuperset(differing(values(fields), shown, same))
