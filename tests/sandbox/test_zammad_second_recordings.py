"""The sandbox against a real Zammad's second day: mails, moves, answers, and an agent's browser.

The recordings are played in their order against one sandbox, with the steps between them that were
not recorded. They are trimmed: what is not in one of them is not compared.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bridge.adapters.zammad.setup import layout
from bridge.sandbox.zammad import ZammadSandbox

from .comparing import differences, trimmed
from .conftest import Clock, Json, Receiver
from .second_day import ROWS, Replay, conditions, number, set_up

CALLS = [row for row in ROWS if "path" in row]
MAILS = [row for row in ROWS if "mail" in row]
DELIVERIES = [row for row in ROWS if "trigger" in row]


def test_the_products_triggers_are_those_that_a_real_zammad_fired() -> None:
    prefix = layout.TRIGGER_PREFIX
    recorded = {name: one for name, one in conditions().items() if name.startswith(prefix)}
    ours = {prefix + event: one for event, one in layout.trigger_conditions(4).items()}
    assert len(recorded) == 5
    assert {name: ours[name] for name in recorded} == recorded


@pytest.fixture(scope="module")
def replay() -> Replay:
    receiver, clock = Receiver(), Clock()
    clock.now = datetime(2026, 11, 26, 17, 50, tzinfo=UTC)
    box = ZammadSandbox(clock, transport=receiver)
    set_up(box)
    played = Replay(box, clock, receiver)
    played.play()
    return played


# --- comparing -----------------------------------------------------------------------------

EXACT = re.compile(r"pending_time|points_response_due")


def lines(rows: list[Json]) -> list[str]:
    """A history as lines of text, as the recordings have it."""

    def values(row: Json) -> str:
        pair = row.get("value_from"), row.get("value_to")
        return "" if pair == (None, None) else f": {pair[0]} -> {pair[1]}"

    return [
        f"{row['created_by_id']} {row['object']} {row['o_id']} {row['type']}"
        f"{' ' + row['attribute'] if 'attribute' in row else ''}{values(row)}"
        for row in rows
    ]


def in_order(history: list[str]) -> tuple[list[str], list[str]]:
    """The rows of a history as they come, and, sorted, those that Zammad writes in background."""
    late = re.compile(r"^\d+ \S+ \d+ (notification|email)")
    timeless = [
        line if EXACT.search(line) else re.sub(r"\d{4}-\d\d-\d\d [\d:]{8} UTC", "<time>", line)
        for line in history
    ]
    now = [line for line in timeless if not late.match(line)]
    return now, sorted(line for line in timeless if late.match(line))


def found(want: Json, have: Json) -> Iterator[str]:
    yield from differences(want, trimmed(want, have))


@pytest.mark.parametrize("row", MAILS, ids=number)
def test_a_recorded_mail_ends_up_where_zammad_put_it(replay: Replay, row: Json) -> None:
    assert list(found(row["result"], replay.answers[number(row)])) == []


@pytest.mark.parametrize("row", CALLS, ids=number)
def test_the_api_answers_a_recorded_call_as_zammad_did(replay: Replay, row: Json) -> None:
    want, have = row["answer"], replay.answers[number(row)]
    assert replay.statuses[number(row)] == row["status"]
    if "ticket_history" in row["path"]:
        assert in_order(lines(have["history"])) == in_order(want)
    else:
        assert list(found(want, have)) == []


@pytest.mark.parametrize("row", [row for row in CALLS if "assets" in row], ids=number)
def test_the_api_names_the_same_records_beside_its_answer(replay: Replay, row: Json) -> None:
    tables = replay.answers[number(row)]["assets"].items()
    assert {name: " ".join(sorted(rows, key=int)) for name, rows in tables} == row["assets"]


@pytest.mark.parametrize("row", DELIVERIES, ids=number)
def test_a_recorded_delivery_is_made_with_the_same_body(replay: Replay, row: Json) -> None:
    want = {"ticket": row["ticket"], "article": row["article"]}
    assert list(found(want, replay.bodies[number(row)])) == []


def test_no_trigger_fires_beyond_the_recorded_deliveries(replay: Replay) -> None:
    assert replay.unrecorded == Counter()
