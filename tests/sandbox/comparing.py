"""How two answers differ, leaving aside what is different in each run."""

import re
from collections.abc import Iterator

from .conftest import Json

FORMS = {
    "<time>": re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{3}Z| UTC)"),
    "<mail id>": re.compile(r"<[^<>@]+@[^<>@]+>|[0-9a-f]{32}"),
    "<error id>": re.compile(r"Error ID [\w-]{8}: Please contact your administrator\."),
}


def plain(value: Json) -> Json:
    """A value, or its form where the value is different in each run."""
    for form, pattern in FORMS.items():
        if isinstance(value, str) and pattern.fullmatch(value):
            return form
    return value


def differences(want: Json, have: Json, place: str = "") -> Iterator[str]:
    if isinstance(want, dict) and isinstance(have, dict):
        for key in sorted(want.keys() | have.keys()):
            inner = f"{place}.{'*' if key.isdigit() else key}"
            if key in have and key in want:
                yield from differences(want[key], have[key], inner)
            else:
                yield f"{inner} {'missing' if key in want else 'too much'}"
    elif isinstance(want, list) and isinstance(have, list):
        yield from differences_of_lists(want, have, place)
    elif type(want) is not type(have) or plain(want) != plain(have):
        yield f"{place} is {plain(have)!r:.60} for {plain(want)!r:.60}"


def differences_of_lists(want: list[Json], have: list[Json], place: str) -> Iterator[str]:
    """Ids and names have no order in Zammad's database; records do."""
    if len(want) != len(have):
        yield f"{place} has {len(have)} items for {len(want)}"
    if not any(isinstance(item, dict) for item in want):
        want, have = sorted(want, key=str), sorted(have, key=str)
    for one, other in zip(want, have, strict=False):
        yield from differences(one, other, f"{place}[]")


def trimmed(want: Json, have: Json) -> Json:
    """What is left of an answer where it is trimmed as its recording is: keys alone go."""
    if isinstance(want, dict) and isinstance(have, dict):
        return {key: trimmed(want[key], have[key]) for key in want if key in have}
    if isinstance(want, list) and isinstance(have, list) and len(want) == len(have):
        return [trimmed(one, other) for one, other in zip(want, have, strict=True)]
    return have
