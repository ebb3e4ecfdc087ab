"""Every webhook that was recorded from a real Zammad, over HTTP, in any order."""

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from bridge.demo.scene import HELPDESK, ZAMMAD, Clock, Scene, open_scene
from bridge.ledger import incidents
from bridge.ledger.audit import audit
from bridge.service import reports
from bridge.service.purchases import buy

RECORDINGS = sorted(
    (Path(__file__).parent.parent / "adapters/payloads/zammad/webhooks").glob("*.json")
)
HISTORY_OF_5 = Path(__file__).parent / "payloads/history_of_ticket_5.json"
#: After the last recording; all its days lie within what a first decision looks back on.
NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)
#: Deleted in Zammad while the recordings were made: the API knows no such ticket.
DELETED = 11


@dataclass(frozen=True)
class Recording:
    """One recorded request, as raw as it was."""

    name: str
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    signed: bool

    def send(self, scene: Scene) -> int:
        """Send it to the receiver, byte for byte; the answer's status."""
        query, address = self.path.partition("?")[2], scene.webhook_url(HELPDESK)
        dropped = {"host", "connection", "content-length", "accept-encoding"}
        answer = requests.request(
            self.method,
            f"{address}?{query}" if query else address,
            data=self.body,
            headers={k: v.encode("latin-1") for k, v in self.headers if k.lower() not in dropped},
            timeout=10,
            allow_redirects=False,
        )
        return answer.status_code


def _recording(path: Path) -> Recording:
    raw = json.loads(path.read_text("utf-8"))
    headers = [(name, value) for name, value in raw["headers"]]
    signed = "x-hub-signature" in {name.lower() for name, _ in headers}
    body = (raw["body"] or "").encode()
    return Recording(path.stem, raw["method"], raw["path"], headers, body, signed)


ALL = [_recording(path) for path in RECORDINGS]


@dataclass
class Truth:
    """What the real Zammad knew when a number of the deliveries had been made."""

    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)
    articles: dict[int, dict[int, dict[str, Any]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    history: dict[int, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    people: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    def learn(self, recording: Recording) -> None:
        """Take in what a delivery's body shows."""
        if not recording.body:
            return
        body = json.loads(recording.body)
        ticket, article = body["ticket"], body["article"]
        before = self.tickets.get(ticket["id"])
        if before and before["updated_at"] > ticket["updated_at"]:
            return
        if before and before["state_id"] != ticket["state_id"]:
            self._changed(before, ticket)
        if not before and ticket["close_at"] and ticket["close_at"] > ticket["created_at"]:
            self._changed({"state_id": 1, "state": "new"}, ticket)
        self.tickets[ticket["id"]] = ticket
        for key in ("customer", "created_by", "updated_by"):
            self.people["User", ticket[key]["id"]] = ticket[key]
        if ticket["organization"]:
            self.people["Organization", ticket["organization"]["id"]] = ticket["organization"]
        if article:
            self.articles[ticket["id"]][article["id"]] = article

    def _changed(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        rows = self.history[after["id"]]
        rows.append(
            {
                "id": len(rows) + 1,
                "o_id": after["id"],
                "object": "Ticket",
                "type": "updated",
                "attribute": "state",
                "id_from": before["state_id"],
                "id_to": after["state_id"],
                "value_from": before["state"],
                "value_to": after["state"],
                "created_by_id": after["updated_by_id"],
                "created_at": after["updated_at"],
            }
        )

    def install(self, scene: Scene) -> None:
        """Make the stand-in know it all."""
        for (table, number), record in self.people.items():
            if number not in scene.zammad.model.store.tables[table]:
                # A webhook's body leaves these two out of its people.
                scene.zammad.load(table, {"group_ids": {}, "preferences": {}, **record})
        for ticket_id, ticket in self.tickets.items():
            if ticket_id == DELETED:
                continue
            history = self.history[ticket_id]
            if ticket_id == 5:
                recorded = json.loads(HISTORY_OF_5.read_text("utf-8"))["history"]
                history = [row for row in recorded if row["created_at"] <= ticket["updated_at"]]
            scene.zammad.load_ticket(ticket, self.articles[ticket_id].values(), history)


def final_truth() -> Truth:
    truth = Truth()
    for recording in ALL:
        truth.learn(recording)
    return truth


#: Both of the recordings' webhook secrets hold, as during a rotation.
ROTATING = {
    "webhook_secret": "bridge-test-secret-0123456789",
    "webhook_secret_previous": "rotated-secret",
}


@contextmanager
def recorded_scene(directory: Path) -> Iterator[Scene]:
    """A stand-in as at the time of the recordings, and two customers with points enough."""
    stand = replace(ZAMMAD, secrets={**ZAMMAD.secrets, **ROTATING})
    with open_scene(directory, stand, clock=Clock(NOW)) as scene:
        for account in ("Acme GmbH", "Beta Ltd"):
            buy(scene.bridge, account, 500, reference=account, on=NOW.date(), new=True)
        yield scene


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Scene]:
    with recorded_scene(tmp_path) as scene:
        yield scene


def ledger(scene: Scene) -> dict[str, Any]:
    """All that matters of what was decided, without the instants of deciding it."""
    found: dict[str, Any] = {"audit": scene.bridge.db.read(audit)}
    for balance in reports.balances(scene.bridge):
        lines = reports.statement(scene.bridge, balance.account.ref).entries
        charges = sorted(f"{one.helpdesk} {one.ticket_number} {one.points}" for one in lines)
        found[balance.account.ref] = (balance.on_hand, charges)
    for ticket_id in final_truth().tickets:
        known = scene.bridge.db.read(
            partial(incidents.on_ticket, helpdesk=HELPDESK, ticket_id=str(ticket_id))
        )
        found[f"ticket {ticket_id}"] = [
            (one.incident.state, one.incident.closed, one.incident.first_closed_at) for one in known
        ]
    return found


def replay(scene: Scene, order: Sequence[Recording]) -> dict[str, Any]:
    """Deliver in that order against what Zammad knew in the end."""
    final_truth().install(scene)
    for recording in order:
        recording.send(scene)
        scene.settle()
    return ledger(scene)


def test_the_corpus_is_whole() -> None:
    assert len(ALL) == 72
    assert sum(recording.signed for recording in ALL) == 70


@pytest.mark.parametrize("recording", ALL, ids=lambda recording: recording.name[:60])
def test_each_delivery_is_accepted_or_refused_as_it_must_be(
    recorded_once: Scene, recording: Recording
) -> None:
    """Signed ones are taken, the unsigned one is refused, a redirect's GET is no delivery."""
    status = recording.send(recorded_once)
    if recording.method == "GET":
        assert status == 405
    elif not recording.signed:
        assert status == 401
    else:
        assert status in (200, 202)


@pytest.fixture(scope="module")
def recorded_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with recorded_scene(tmp_path_factory.mktemp("once")) as scene:
        yield scene


ORDERS: dict[str, Sequence[Recording]] = {
    "twice": [*ALL, *ALL],
    "in reverse": ALL[::-1],
    **{
        f"shuffled {seed}": random.Random(seed).sample([*ALL, *ALL], 2 * len(ALL))  # noqa: S311
        for seed in range(2)
    },
}


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The ledger after the deliveries came once and in order, as life went on in Zammad."""
    with recorded_scene(tmp_path_factory.mktemp("order")) as scene:
        truth = Truth()
        for recording in ALL:
            truth.learn(recording)
            truth.install(scene)
            recording.send(scene)
            scene.settle()
        final_truth().install(scene)
        ALL[-1].send(scene)
        scene.settle()
        return ledger(scene)


@pytest.mark.parametrize("order", ORDERS)
def test_any_order_gives_the_same_ledger(
    recorded: Scene, in_order: dict[str, Any], order: str
) -> None:
    """ "duplicates, re-orderings and the echo of our own writes are all nothing" """
    assert replay(recorded, ORDERS[order]) == in_order


def test_the_recorded_life_is_charged_once_a_ticket(in_order: dict[str, Any]) -> None:
    assert in_order["audit"] == []
    charged = [line for name in ("Acme GmbH", "Beta Ltd") for line in in_order[name][1]]
    charged = [line for line in charged if line.endswith(" -10")]
    tickets = {str(ticket_id) for ticket_id in final_truth().tickets}
    assert len(charged) == len(set(charged))
    assert {line.split()[1].removeprefix("550").lstrip("0") for line in charged} <= tickets
