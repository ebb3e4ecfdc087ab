"""A third vendor, in miniature, under the same contract as the real ones."""

# It is registered here, where a real one has its line in the registry.

import hashlib
import hmac
import json
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from responses import RequestsMock

from bridge import bootstrap, settings
from bridge.adapters.registry import VENDORS
from bridge.settings import sections
from bridge.ticket import AccountFields, Delivery, HttpDelivery
from tests.adapters.contract import NOW, SECRET, TOKEN, AdapterContract
from tests.adapters.paperdesk.adapter import PAPERDESK, Paperdesk
from tests.adapters.paperdesk.settings import PaperdeskSettings
from tests.test_architecture import ROOT, source_files

FOLDER = Path(__file__).parent / "paperdesk"
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
CHANGES = [
    {"nr": 1, "at": "2026-11-23T10:00:00Z", "from": "open", "to": "closed", "by": "agent"},
    {"nr": 2, "at": "2026-11-23T10:00:00Z", "from": "closed", "to": "open", "by": "agent"},
]


class TestContract(AdapterContract):
    signature_header = "x-paper-seal"
    ticket_id = "5"
    status_field = "state"
    organization = "organization:2"
    balance_field = "balance"

    def adapter(self, *secrets: str) -> Paperdesk:
        first, second = [*map(SecretStr, secrets), None, None][:2]
        token = SecretStr(TOKEN)
        return Paperdesk(
            PaperdeskSettings.model_construct(
                url=URL, token=token, webhook_secret=first, webhook_secret_previous=second
            )
        )

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
        paper = {**PAPER, "marks": list(marks)}

        def get(_request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            return 200, {}, json.dumps(paper)

        def put(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            sent: dict[str, Any] = json.loads(request.body or b"{}")
            paper["shown"] = {name: v for name, v in sent["shown"].items() if name != lost_field}
            return 200, {}, json.dumps(paper)

        vendor.add_callback("GET", f"{URL}/tickets/5", callback=get)
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


class TestAFurtherVendor:
    """ "a vendor is one folder, ..., one test class, one registry line and one page" """

    def test_is_one_folder_of_at_most_150_lines(self) -> None:
        lines = [len(path.read_text("utf-8").splitlines()) for path in FOLDER.glob("*.py")]
        assert 0 < sum(lines) <= 150

    def test_touches_two_places_outside_of_it(self) -> None:
        """Its page, and its line in the registry, for which this module stands."""
        named = {path for path in source_files() if "paperdesk" in path.read_text("utf-8").lower()}
        outside = {path for path in named if FOLDER not in path.parents}
        assert outside == {ROOT / "docs/adapters.md", Path(__file__)}

    def test_is_configured_and_built_by_its_line_in_the_registry(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        vendors = MappingProxyType({**VENDORS, "paperdesk": PAPERDESK})
        for user in (settings, sections, bootstrap):
            monkeypatch.setattr(user, "VENDORS", vendors)
        path = tmp_path / "points-bridge.toml"
        path.write_text(
            f'[defaults]\nzone = "UTC"\n[helpdesks.desk]\nvendor = "paperdesk"\nurl = "{URL}"\n',
            "utf-8",
        )
        secrets = {"TOKEN": TOKEN, "WEBHOOK_SECRET": SECRET}
        environ = {f"POINTS_BRIDGE_DESK_{name}": value for name, value in secrets.items()}
        with bootstrap.opened(settings.load_settings(path, environ)) as bridge:
            adapter = bridge.helpdesks["desk"].adapter
        assert isinstance(adapter, Paperdesk)
        adapter.verify(TestContract().signed(b"{}"))
