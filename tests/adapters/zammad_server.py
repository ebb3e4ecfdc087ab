"""A Zammad with one recorded ticket, mocked below the client: what it is told it remembers.

payloads/zammad holds the recordings: webhooks byte for byte, API answers without `form_meta`,
notification settings and most headers. Each names the recording that it was taken from.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

from requests import PreparedRequest
from responses import RequestsMock

from bridge.adapters.zammad.adapter import Zammad, ZammadConfig
from bridge.ticket import HttpDelivery
from tests.adapters.contract import NOW, TOKEN

PAYLOADS = Path(__file__).parent / "payloads" / "zammad"
WEBHOOKS = sorted((PAYLOADS / "webhooks").glob("*.json"))
URL = "https://zammad.example/help"
API = URL + "/api/v1"
UUID = "bd77e5a4-525d-4aa2-81da-10019f3ee30c"
BOT, AGENT, CARLA, ADMIN = 4, 5, 6, 3
Json = dict[str, Any]


def recorded(name: str) -> Json:
    payload: Json = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return payload


def answer(name: str) -> Any:
    return recorded(name)["response"]["body"]


def webhook(path: Path) -> tuple[Json, HttpDelivery]:
    payload: Json = json.loads(path.read_text(encoding="utf-8"))
    headers = {name.lower(): value for name, value in payload["headers"]}
    received = datetime.fromisoformat(payload["received_at"])
    return payload, HttpDelivery(headers, payload["body"].encode(), received)


def zammad(*secrets: str, url: str = URL) -> Zammad:
    return Zammad(ZammadConfig(url, TOKEN, secrets))


def delivered(body: bytes, **headers: str) -> HttpDelivery:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpDelivery({"x-zammad-delivery": UUID, **names}, body, NOW)


class Server:
    """Zammad's part: one recorded ticket that remembers what is put into it."""

    def __init__(self, snapshot: Json | None = None) -> None:
        self.all: Json = snapshot or recorded_ticket_5()
        self.id = self.all["ticket_id"]
        self.states: list[Json] = answer("ticket_states")
        self.lost: str | None = None
        self.put: list[Json] = []
        self.row.update(dict.fromkeys(POINTS_ATTRIBUTES))
        self.organization: Json = answer("put_organization")
        self.organization |= {"points_balance": None, "points_next_expiry": None}

    @property
    def row(self) -> Json:
        row: Json = self.all["assets"]["Ticket"][str(self.id)]
        return row

    @property
    def articles(self) -> dict[str, Json]:
        articles: dict[str, Json] = self.all["assets"]["TicketArticle"]
        return articles

    def add_article(self, **changes: object) -> Json:
        base = answer("articles_by_ticket")[0]
        id_ = max(int(key) for key in self.articles) + 1
        article = {**base, "id": id_, "ticket_id": self.id, "preferences": {}, **changes}
        self.articles[str(id_)] = article
        return article

    def serve(self, vendor: RequestsMock) -> None:
        for path, reply in {
            f"/tickets/{self.id}": lambda: self.all,
            f"/ticket_articles/by_ticket/{self.id}": lambda: list(self.articles.values()),
            f"/ticket_history/{self.id}": lambda: answer("history"),
            "/users/me": lambda: answer("users_me"),
            "/ticket_states": lambda: self.states,
        }.items():
            vendor.add_callback("GET", API + path, self._reader(reply))
        vendor.add_callback("PUT", f"{API}/tickets/{self.id}", self._store)
        vendor.add_callback("PUT", f"{API}/organizations/2", self._show)

    def _reader(self, reply: Callable[[], Any]) -> Callable[[PreparedRequest], Any]:
        return lambda _request: (200, {"Content-Type": "application/json"}, json.dumps(reply()))

    def _store(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        sent: Json = json.loads(request.body or b"")
        self.put.append(sent)
        if self.lost:
            self.row.pop(self.lost, None)
        self.row.update({name: value for name, value in sent.items() if name in self.row})
        # As recording 040: an instant comes back in UTC with milliseconds.
        for name in ("points_response_due", "pending_time"):
            if self.row.get(name):
                self.row[name] = self.row[name].replace("Z", ".000Z")
        return 200, {}, json.dumps(self.row)

    def _show(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        sent: Json = json.loads(request.body or b"")
        self.organization.pop(self.lost or "", None)
        known = self.organization.keys()
        self.organization.update((name, value) for name, value in sent.items() if name in known)
        return 200, {}, json.dumps(self.organization)


POINTS_ATTRIBUTES = (
    "points_summary",
    "points_state",
    "points_charged",
    "points_balance",
    "points_next_expiry",
    "points_response_due",
    "points_sla_state",
    "points_free_reopen_until",
)


def recorded_ticket_5() -> Json:
    """Recording 090 as `?all=true` gives it: the assets of both answers have one shape."""
    assets = deepcopy(answer("history")["assets"])
    return {"ticket_id": 5, "ticket_article_ids": [], "assets": assets}
