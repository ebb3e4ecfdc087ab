"""What the Zammad adapter makes of a ticket's history, as a running Zammad told it."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from responses import RequestsMock

from bridge.adapters.answers import IN_A_LINE
from bridge.errors import HelpdeskRefused
from bridge.ticket import Actor, Change, Status, StatusChange
from tests.adapters.contract import SECRET
from tests.adapters.zammad_server import AGENT, API, Json, Server, answer, zammad


def turns(changes: Iterable[Change]) -> list[StatusChange]:
    return [change for change in changes if isinstance(change, StatusChange)]


def line(change: Change) -> int:
    """The id of the line of Zammad's history that tells it."""
    return change.seq // IN_A_LINE


def test_the_recorded_history_tells_each_change(vendor: RequestsMock) -> None:
    """Recording 090: agent 5 closes and re-opens, closes with a reply, Carla re-opens."""
    Server().serve(vendor)
    changes = turns(zammad(SECRET).history("5"))
    assert [(line(c), c.before.value, c.after.value, c.actor, c.who) for c in changes] == [
        (84, "open", "closed", Actor.AGENT, "5"),
        (90, "closed", "open", Actor.AGENT, "5"),
        (94, "open", "closed", Actor.AGENT, "5"),
        (110, "closed", "open", Actor.CUSTOMER, "6"),
    ]
    assert changes[0].at == datetime(2026, 11, 22, 18, 38, 52, 596_000, tzinfo=UTC)


def test_three_changes_within_a_second_are_all_told(vendor: RequestsMock) -> None:
    """Recordings 219 to 221: the webhooks of these three all showed one and the same state."""
    server = Server()
    vendor.add("GET", f"{API}/ticket_history/5", json=answer("history_long"))
    server.serve(vendor)
    changes = [c for c in turns(zammad(SECRET).history("5")) if line(c) in {369, 371, 374}]
    assert [change.after.value for change in changes] == ["open", "closed", "open"]


def history_row(id_: int, id_from: int | None, id_to: int | None, **changes: object) -> Json:
    row = next(r for r in answer("history")["history"] if r.get("attribute") == "state")
    return {**row, "id": id_, "id_from": id_from, "id_to": id_to, **changes}


def test_only_changes_of_this_tickets_status_are_told_oldest_first(vendor: RequestsMock) -> None:
    rows = [
        history_row(9, 2, 5, created_by_id=AGENT),
        history_row(3, 1, 2),
        history_row(4, 2, 3),
        history_row(5, 3, 7),
        history_row(6, 7, 4),
        history_row(7, 4, 2, o_id=6),
        history_row(8, 4, 2, object="Ticket::Article"),
        history_row(10, 4, 2, attribute="priority"),
    ]
    vendor.add("GET", f"{API}/ticket_history/5", json={"history": rows, "assets": {}})
    vendor.add("GET", f"{API}/ticket_states", json=answer("ticket_states"))
    vendor.add("GET", f"{API}/users/me", json=answer("users_me"))
    changes = turns(zammad(SECRET).history("5"))
    assert [(line(c), c.before, c.after) for c in changes] == [
        (4, Status.OPEN, Status.PENDING),
        (6, Status.PENDING, Status.CLOSED),
        (9, Status.OPEN, Status.MERGED),
    ]
    at = datetime(2026, 11, 22, 18, 38, 11, 646_000, tzinfo=UTC)
    by = (Actor.CUSTOMER, str(AGENT))  # nothing in the assets says that he is an agent
    assert changes[2] == StatusChange(9 * IN_A_LINE, at, *by, Status.OPEN, Status.MERGED)


@pytest.mark.parametrize("states", [(None, 4), (4, None), (99, 4)])
def test_a_change_between_unknown_states_is_refused(
    vendor: RequestsMock, states: tuple[int | None, int | None]
) -> None:
    vendor.add("GET", f"{API}/ticket_history/5", json={"history": [history_row(3, *states)]})
    vendor.add("GET", f"{API}/ticket_states", json=answer("ticket_states"))
    vendor.add("GET", f"{API}/users/me", json=answer("users_me"))
    with pytest.raises(HelpdeskRefused):
        zammad(SECRET).history("5")
