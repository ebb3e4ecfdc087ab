"""The sandbox against a real Zammad: recorded calls are replayed, and the answers compared.

Statuses, keys, types and values must be those of the recordings, ids included. Only points in
time, generated mail ids and error ids are compared by their form. What differs on purpose is in
`DIFFERENCES`, with the reason, and nothing else may differ.
"""

import base64
import hmac
import json
from collections import Counter
from dataclasses import dataclass, field
from email.utils import parseaddr
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from bridge.sandbox.zammad import (
    AGENT,
    BRIDGE,
    RawRequest,
    Token,
    ZammadSandbox,
)
from bridge.sandbox.zammad.records import dumps

from .comparing import differences
from .conftest import Clock, Json, Receiver

RECORDINGS = Path(__file__).with_name("recordings")

DIFFERENCES = {
    # recording, place and kind of the difference, as shell patterns: why the sandbox differs
    "005 *.email_address_id *": "the sandbox's second group has no sending address, for the 500",
    "035 .assets.Group.*.email_address_id *": "as above",
    "035 .form_meta.* missing": "what a browser's form shows is nothing to a bridge",
    "044 *.notification.email.body *": "the text of the automatic reply is the sandbox's own",
    "090 .assets.TicketArticle.*.body *": "as above",
    "060 .id *": "in Zammad's database a refused INSERT (058, 059) uses up an id",
    "090 .history[[]].id *": "Zammad counts the rows about users and organisations in one sequence",
    "*_by.updated_by*": "Zammad's background jobs touch users and roles in somebody else's name",
    "*.customer.updated_by*": "as above",
    "*.assets.User.[*].updated_by_id *": "as above",
    "*.assets.Role.[*].updated_by_id *": "as above",
    "*.preferences.tickets_open *": "Zammad's counter is a background job and lags behind",
    "*.last_login *": "the sandbox does not note logins",
    "*.preferences.delivery_* missing": "no mail leaves the sandbox, so none was delivered",
    "*.preferences.notification_config too much": "the recordings are trimmed of it",
    "174 .timezones.* too much": "the recording is trimmed to five of the zones",
    "121 .source_ticket.create_article_*": "Zammad answers with the ticket from before the merge",
}

UNRECORDED = {
    # trigger and ticket: deliveries that the recorder did not wait for
    ("10 points: ticket created", 6): "067",
    ("80 points: customer changed", 5): "086",
    ("20 points: ticket closed", 7): "the closure before 110 is not recorded itself",
    ("10 points: ticket created", 9): "119",
    ("10 points: ticket created", 10): "120",
    ("10 points: ticket created", 12): "154",
    ("10 points: ticket created", 13): "180",
    ("10 points: ticket created", 14): "186",
}

RENUMBERED = {"/api/v1/triggers/15": "/api/v1/triggers/13"}
PEOPLE = {"customer carla": "carla@acme.example", "customer bob": "bob@beta.example"}


def recorded() -> list[Json]:
    files = sorted(RECORDINGS.glob("[1-79]_*.json"))
    return [row for file in files for row in json.loads(file.read_text("utf-8"))]


ROWS = recorded()
CALLS = [row for row in ROWS if "path" in row]
DELIVERIES = [row for row in ROWS if "delivered" in row]
MAILS = [row for row in ROWS if "text" in row]


def number(row: Json) -> str:
    return f"{row['recording']:03d}"


@dataclass
class Replay:
    """The recordings played against one sandbox, in their order."""

    box: ZammadSandbox
    receiver: Receiver
    clock: Clock
    statuses: dict[str, int] = field(default_factory=dict)
    answers: dict[str, Json] = field(default_factory=dict)
    requests: dict[str, RawRequest] = field(default_factory=dict)

    def play(self) -> None:
        for row in ROWS:
            self.clock.advance(seconds=1)
            if "path" in row:
                self._call(row)
            elif "text" in row:
                self._mail(row)
            else:
                self._claim(row)
            self.box.webhooks.drain()

    def _call(self, row: Json) -> None:
        body = row["body"]
        response = self.box.app.test_client().open(
            RENUMBERED.get(row["path"], row["path"]),
            method=row["method"],
            data=body if isinstance(body, str | None) else json.dumps(body),
            headers=self._credentials(row),
        )
        self.statuses[number(row)] = response.status_code
        self.answers[number(row)] = json.loads(response.data or '""')

    def _credentials(self, row: Json) -> dict[str, str]:
        who = row["as"]
        if who is None:
            return {}
        if who in PEOPLE or who == "wrong password":
            pair = f"{PEOPLE.get(who, AGENT)}:{'<password>' if who in PEOPLE else 'wrong'}"
            return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        tokens = {"admin": Token.ADMIN, "agent": Token.AGENT}
        headers = {"Authorization": f"Token token={tokens.get(who, who)}"}
        return headers | ({"From": row["from"]} if "from" in row else {})

    def _mail(self, row: Json) -> None:
        model = self.box.model
        if row["recording"] == 110:
            model.agent_closes(row["result"]["ticket"])
        name, address = parseaddr(row["from"])
        ticket_id = model.customer_mails(
            address, row["subject"], row["text"], name=name, auto_response=row["auto"]
        )
        ticket = model.ticket(ticket_id)
        state = model.store.label("TicketState", ticket["state_id"])
        self.answers[number(row)] = {
            "ticket": ticket_id,
            "number": ticket["number"],
            "state": state,
            "article": model.store.articles(ticket_id)[-1]["id"],
            "user": address,
            "state_updated": row["result"]["state_updated"],
        }

    def _claim(self, row: Json) -> None:
        """Take the first delivery of the recorded trigger about the recorded ticket."""
        wanted = label(row["headers"], row["delivered"])
        for request in self.receiver.requests:
            if label(request.headers, request.body) == wanted:
                self.receiver.requests.remove(request)
                self.requests[number(row)] = request
                return


def label(headers: Json, body: str | bytes) -> tuple[str, int]:
    return dict(headers)["X-Zammad-Trigger"], json.loads(body)["ticket"]["id"]


@pytest.fixture(scope="module")
def replay() -> Replay:
    receiver = Receiver()
    clock = Clock()
    box = ZammadSandbox(clock, transport=receiver)
    box.model.access.add_token("bridge", BRIDGE, "admin", "ticket.agent")
    played = Replay(box, receiver, clock)
    played.play()
    return played


def found(row: Json, want: Json, have: Json) -> set[str]:
    return {f"{number(row)} {difference}" for difference in differences(want, have)}


def unexplained(lines: set[str]) -> list[str]:
    return sorted(
        line for line in lines if not any(fnmatchcase(line, pattern) for pattern in DIFFERENCES)
    )


def everything_found(replay: Replay) -> set[str]:
    calls = [found(row, row["answer"], replay.answers[number(row)]) for row in CALLS]
    sent = [
        found(row, json.loads(row["delivered"]), json.loads(replay.requests[number(row)].body))
        for row in DELIVERIES
    ]
    return set().union(*calls, *sent)


@pytest.mark.parametrize("row", CALLS, ids=number)
def test_the_api_answers_a_recorded_call_as_zammad_did(replay: Replay, row: Json) -> None:
    assert replay.statuses[number(row)] == row["status"]
    assert unexplained(found(row, row["answer"], replay.answers[number(row)])) == []


@pytest.mark.parametrize("row", MAILS, ids=number)
def test_a_recorded_mail_ends_up_where_zammad_put_it(replay: Replay, row: Json) -> None:
    want, have = row["result"], replay.answers[number(row)]
    article = {"article": want["article"] + (row["recording"] in {106, 113})}
    assert have == want | article, "the automatic reply to a new ticket is the last article"


@pytest.mark.parametrize("row", DELIVERIES, ids=number)
def test_a_recorded_delivery_is_made_with_the_same_body(replay: Replay, row: Json) -> None:
    want, have = json.loads(row["delivered"]), json.loads(replay.requests[number(row)].body)
    assert unexplained(found(row, want, have)) == []
    assert list(have["ticket"]) == list(want["ticket"])
    assert list(have["article"]) == list(want["article"])


@pytest.mark.parametrize("row", DELIVERIES, ids=number)
def test_a_recorded_delivery_is_made_with_the_same_headers(replay: Replay, row: Json) -> None:
    want, have = dict(row["headers"]), dict(replay.requests[number(row)].headers)
    assert list(have) == list(want)
    changing = {"Host", "X-Zammad-Delivery", "X-Hub-Signature", "Content-Length"}
    assert {name for name in want if want[name] != have[name]} <= changing
    assert have["Content-Length"] == str(len(replay.requests[number(row)].body))


@pytest.mark.parametrize("row", DELIVERIES, ids=number)
def test_the_signatures_of_both_verify_by_the_same_rule(replay: Replay, row: Json) -> None:
    request, secret = replay.requests[number(row)], row["secret"].encode()
    recorded_body = row["delivered"].encode()
    for headers, body in ((row["headers"], recorded_body), (request.headers, request.body)):
        digest = hmac.new(secret, body, "sha1").hexdigest()
        assert dict(headers)["X-Hub-Signature"] == f"sha1={digest}"


@pytest.mark.parametrize("row", DELIVERIES, ids=number)
def test_json_is_written_byte_for_byte_as_zammad_writes_it(row: Json) -> None:
    assert dumps(json.loads(row["delivered"])) == row["delivered"]


def test_no_trigger_fires_beyond_the_recorded_deliveries(replay: Replay) -> None:
    left = Counter(label(request.headers, request.body) for request in replay.receiver.requests)
    assert left == Counter(UNRECORDED.keys())


def test_a_datetime_that_starts_as_now_starts_on_the_minute(replay: Replay) -> None:
    wants, haves = (
        [row["answer"]["points_due_at"] for row in CALLS if number(row) in {"062", "065"}],
        [replay.answers[key]["points_due_at"] for key in ("062", "065")],
    )
    assert all(moment.endswith(":00.000Z") for moment in [*wants, *haves])


def test_every_listed_difference_is_one_that_is_there(replay: Replay) -> None:
    lines = everything_found(replay)
    unused = [
        pattern for pattern in DIFFERENCES if not any(fnmatchcase(line, pattern) for line in lines)
    ]
    assert unused == []
