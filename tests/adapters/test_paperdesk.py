"""A third vendor, in miniature, under the same contract as the real ones."""

import hashlib
import hmac
import json
from datetime import date
from typing import Any

import requests
from responses import RequestsMock

from bridge.ticket import AccountFields, Delivery, HttpDelivery
from tests.adapters.contract import NOW, SECRET, TOKEN, AdapterContract
from tests.adapters.paperdesk import Paperdesk, PaperdeskConfig

URL = "https://paperdesk.example"
PAPER = {
    "id": 5,
    "status": "open",
    "created": "2026-11-23T09:00:00+01:00",
    "changed": "2026-11-23T10:00:00Z",
    "firm": 2,
    "firm_name": "Acme GmbH",
    "writer": "Carla",
    "answered": ["2026-11-23T11:00:00Z", "2026-11-23T10:00:00Z"],
    "closed": None,
    "marks": [],
    "shown": {},
}
CHANGES = [{"nr": 1, "at": "2026-11-23T10:00:00Z", "from": "open", "to": "closed", "by": "agent"}]


class TestContract(AdapterContract):
    signature_header = "x-paper-seal"
    ticket_id = "5"
    status_field = "state"
    organization = "organization:2"
    balance_field = "balance"

    def adapter(self, *secrets: str) -> Paperdesk:
        return Paperdesk(PaperdeskConfig(URL, TOKEN, secrets))

    def signed(self, body: bytes, secret: str = SECRET) -> HttpDelivery:
        seal = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return HttpDelivery({"x-paper-seal": seal}, body, NOW)

    def about_a_ticket(self) -> tuple[bytes, Delivery]:
        return b'{"ticket": 5, "nr": 17}', Delivery("17", "5", "changed")

    def about_something_else(self) -> bytes:
        return b'{"pigeon": "lost"}'

    def serve(
        self, vendor: RequestsMock, *, marks: tuple[str, ...] = (), lost_field: str | None = None
    ) -> None:
        def put(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            sent: dict[str, Any] = json.loads(request.body or b"{}")
            shown = {name: v for name, v in sent["shown"].items() if name != lost_field}
            return 200, {}, json.dumps({**PAPER, "shown": shown})

        vendor.add("GET", f"{URL}/tickets/5", json={**PAPER, "marks": list(marks)})
        vendor.add("GET", f"{URL}/tickets/5/changes", json=CHANGES)
        for path in ("/tickets/5", "/firms/2"):
            vendor.add_callback("PUT", URL + path, callback=put)

    def account_shown(self, vendor: RequestsMock) -> AccountFields:
        shown = json.loads(vendor.calls[-1].request.body or b"{}")["shown"]
        day = shown["next_expiry"]
        return AccountFields(shown["balance"], date.fromisoformat(day) if day else None)

    def serve_no_ticket(self, vendor: RequestsMock) -> None:
        for method, path in (("GET", ""), ("GET", "/changes"), ("PUT", "")):
            answer = {"error": "no such paper"}
            vendor.add(method, f"{URL}/tickets/5{path}", json=answer, status=404)

    def notes_sent(self, vendor: RequestsMock) -> list[str]:
        puts = [
            json.loads(c.request.body or b"{}") for c in vendor.calls if c.request.method == "PUT"
        ]
        return [sent["note"]["text"] for sent in puts if "note" in sent]
