"""A Zendesk account with one ticket, mocked below the client: what it is told it remembers."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from requests import PreparedRequest
from responses import RequestsMock

from bridge.adapters.zendesk.adapter import Zendesk, ZendeskConfig
from bridge.adapters.zendesk.http import ZendeskClient
from bridge.adapters.zendesk.values import field_key
from tests.adapters.contract import SECRET, TOKEN

PAYLOADS = Path(__file__).parent / "payloads" / "zendesk"
URL = "https://acme.zendesk.com"
API = f"{URL}/api/v2"
TICKET = "35436"
BOT, AGENT, CARLA, ACME = 6130907993114, 235323, 20978392, 509974
ADDRESS = "points@helpdesk.example"
Json = dict[str, Any]
Answer = tuple[int, dict[str, str], str]


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))


def with_api_token(*secrets: str, url: str = URL, deadline: float = 20.0) -> ZendeskConfig:
    return ZendeskConfig(url, secrets, email=ADDRESS, api_token=TOKEN, deadline=deadline)


def with_oauth(*secrets: str, url: str = URL, deadline: float = 20.0) -> ZendeskConfig:
    return ZendeskConfig(
        url, secrets, client_id="points", client_secret=f"{TOKEN}-client", deadline=deadline
    )


def zendesk(
    config: ZendeskConfig | None = None, clock: Callable[[], float] | None = None
) -> Zendesk:
    config = config or with_api_token(SECRET)
    return Zendesk(config, ZendeskClient(config, clock) if clock else None)


class Clock:
    """Monotonic seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """Zendesk's part. `lost` fields are unknown to it; a `trigger` may change what was stored."""

    def __init__(self, name: str = "ticket") -> None:
        self.answer: Json = payload(name)
        self.audits: list[Json] = payload("audits")["audits"][:1]
        self.users: list[Json] = payload("audits")["users"]
        self.fields: list[Json] = payload("ticket_fields")["ticket_fields"]
        self.trigger: Callable[[Json], object] = lambda _ticket: None
        self.integers_as_text = True
        self.put: list[Json] = []
        self.failures: list[Answer] = []
        self.headers: dict[str, str] = {}

    @property
    def ticket(self) -> Json:
        ticket: Json = self.answer["ticket"]
        return ticket

    @property
    def metrics(self) -> Json:
        metrics: Json = self.answer["metric_sets"][0]
        return metrics

    def user(self, id_: int) -> Json:
        return next(user for user in self.answer["users"] if user["id"] == id_)

    def field_id(self, key: str) -> int:
        """By its title in the payload, whatever a test makes of that."""
        fields = payload("ticket_fields")["ticket_fields"]
        return int(next(one["id"] for one in fields if field_key(one["title"]) == key))

    def shown(self, key: str) -> object:
        """What the ticket shows in one of our fields."""
        wanted = self.field_id(key)
        return next(f["value"] for f in self.ticket["custom_fields"] if f["id"] == wanted)

    def lose(self, key: str) -> None:
        """Of the ticket; or of the organisation, which has the same name for it."""
        self.organization["organization_fields"].pop(key, None)
        lost = self.field_id(key)
        self.fields = [field for field in self.fields if field["id"] != lost]
        kept = [field for field in self.ticket["custom_fields"] if field["id"] != lost]
        self.ticket["custom_fields"] = kept

    def answered(self) -> None:
        """The ticket's whole life, until Zendesk closes it for good."""
        self.audits = payload("audits")["audits"]
        self.ticket.update(comment_count=6, status="closed", updated_at="2026-11-26T09:00:00Z")
        self.metrics.update(replies=2, solved_at="2026-11-22T09:00:00Z")

    def add_audit(self, author: int, *events: Json, **changes: object) -> Json:
        last = self.audits[-1]
        base = {**last, "id": last["id"] + 1, "author_id": author, "events": list(events)}
        audit: Json = {**base, "metadata": {"system": {}, "custom": {}}, **changes}
        self.audits.append(audit)
        comments = sum("Comment" in event["type"] for event in events)
        self.ticket["comment_count"] += comments
        return audit

    def add_mark(self, mark: str, author: int = BOT) -> None:
        metadata = {"system": {}, "custom": {"points_bridge": mark}}
        self.add_audit(author, comment(author, public=False), metadata=metadata)

    def touch(self) -> None:
        """A second passes, and somebody changes the ticket."""
        at = datetime.fromisoformat(self.ticket["updated_at"]) + timedelta(seconds=1)
        self.ticket["updated_at"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"

    def serve(self, vendor: RequestsMock) -> None:
        for path, reply in {
            "users/me.json": lambda: payload("users_me"),
            "ticket_fields.json": lambda: {"ticket_fields": self.fields},
            f"tickets/{TICKET}.json": lambda: self.answer,
            f"tickets/{TICKET}/audits.json": lambda: {"audits": self.audits, "users": self.users},
        }.items():
            vendor.add_callback("GET", f"{API}/{path}", self._reader(reply))
        vendor.add_callback("PUT", f"{API}/tickets/{TICKET}.json", self._store)
        vendor.add_callback("PUT", f"{API}/organizations/{ACME}.json", self._show)
        vendor.add_callback("POST", f"{URL}/oauth/tokens", self._reader(lambda: payload("token")))

    def _reader(self, reply: Callable[[], Any]) -> Callable[[PreparedRequest], Answer]:
        return lambda _request: (200, {"Content-Type": "application/json"}, json.dumps(reply()))

    def _store(self, request: PreparedRequest) -> Answer:
        sent: Json = json.loads(request.body or b"")["ticket"]
        self.put.append(sent)
        if self.failures:
            return self.failures.pop(0)
        if self.ticket["status"] == "closed":
            return 422, {}, json.dumps(payload("error_422_closed"))
        if sent.get("safe_update") and sent["updated_stamp"] != self.ticket["updated_at"]:
            return 409, {}, json.dumps(payload("error_409"))
        self._change(sent)
        stored = {"ticket": self.ticket, "audit": self.audits[-1]}
        return 200, self.headers, json.dumps(stored)

    def _show(self, request: PreparedRequest) -> Answer:
        """An organisation's fields: dates are shown as midnights (Zendesk's page)."""
        sent = json.loads(request.body or b"")["organization"]["organization_fields"]
        fields = self.organization["organization_fields"]
        fields.update((key, value) for key, value in sent.items() if key in fields)
        if day := fields.get("points_next_expiry"):
            fields["points_next_expiry"] = f"{day}T00:00:00+00:00"
        return 200, self.headers, json.dumps({"organization": self.organization})

    @property
    def organization(self) -> Json:
        organization: Json = self.answer["organizations"][0]
        return organization

    def _change(self, sent: Json) -> None:
        wanted = {field["id"]: field["value"] for field in sent["custom_fields"]}
        for field in self.ticket["custom_fields"]:
            value = wanted.get(field["id"], field["value"])
            as_text = self.integers_as_text and isinstance(value, int)
            field["value"] = str(value) if as_text else value
        for name in ("status", "assignee_id"):
            self.ticket[name] = sent.get(name, self.ticket[name])
        events = [comment(BOT, **sent["comment"])] if "comment" in sent else []
        self.add_audit(BOT, *events, metadata={"custom": sent.get("metadata", {})})
        self.touch()
        self.trigger(self.ticket)


def comment(author: int, *, public: bool = True, body: str = "...", **changes: object) -> Json:
    return {"type": "Comment", "author_id": author, "public": public, "body": body, **changes}


def field_change(field: str, before: str, after: str) -> Json:
    return {"type": "Change", "field_name": field, "previous_value": before, "value": after}


def status_change(before: str, after: str) -> Json:
    return field_change("status", before, after)


def methods(vendor: RequestsMock) -> list[str]:
    """The calls so far, each by its method and the end of its path."""
    requests = [call.request for call in vendor.calls]
    return [f"{r.method} {str(r.url).split('?')[0].rsplit('/', 1)[-1]}" for r in requests]


def refusal(status: int, name: str) -> Answer:
    return status, {}, json.dumps(payload(name))
