"""Our fields in a helpdesk: what they are to hold, and whether they do. No I/O.

Every vendor stores and shows values in its own notation; what counts as the same is its to say.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TypeVar

V = TypeVar("V")
Same = Callable[[V, object], bool]
"""Whether a value that was read is the wanted one."""

#: Only as of the last write: they must not cost another one (product rule 6.6).
_AS_OF_THE_WRITE = frozenset({"points_balance", "points_next_expiry"})


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


def shows(wanted: Mapping[str, V], shown: Mapping[str, object], same: Same[V]) -> bool:
    """Whether a ticket's fields hold what they are to hold, but for what must not cost a write.

    A field that is not there cannot be mended by writing it once more.
    """
    return _AS_OF_THE_WRITE.issuperset(differing(wanted, shown, same))
