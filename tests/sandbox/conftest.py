import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge.adapters.zammad.setup import layout as zammad_layout
from bridge.adapters.zendesk.setup import layout as zendesk_layout
from bridge.adapters.zendesk.setup.fields import OPTIONS
from bridge.adapters.zendesk.values import ACCOUNT_FIELD_TYPES, FIELD_TYPES
from bridge.sandbox.zammad import BRIDGE, RawRequest, Token, ZammadSandbox
from bridge.sandbox.zendesk import Client, Reply, ZendeskSandbox

Json = Any

CARLA = "carla@acme.example"
SECRET = "a-secret-of-the-tests"
PLACE = ("support_timezone", "support_country", "support_subdivision")


class Clock:
    """A clock that each look at it moves on by a millisecond, and a test by as much as it likes."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 18, 20, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def advance(self, **by: int) -> None:
        self.now += timedelta(**by)


class Receiver:
    """Takes deliveries in place of the network: answers as told, 200 when told nothing."""

    def __init__(self) -> None:
        self.requests: list[RawRequest] = []
        self.answers: list[int | Reply | OSError] = []

    def __call__(self, request: RawRequest) -> int | Reply:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, OSError):
            raise answer
        return answer

    @property
    def triggers(self) -> list[str]:
        """The names of the triggers, without our prefix, in the order of arrival."""
        names = [dict(request.headers)["X-Zammad-Trigger"] for request in self.requests]
        return [name.removeprefix("zz-points-bridge: ") for name in names]


class Api:
    """Calls the API and insists on the status; as the bridge, unless a token is given."""

    def __init__(self, box: ZammadSandbox) -> None:
        self._client = box.app.test_client()

    def get(self, path: str, *, token: str = Token.BRIDGE, status: int = 200) -> Json:
        return self.call("GET", path, None, {"Authorization": f"Token token={token}"}, status)

    def put(self, path: str, body: Json, *, token: str = Token.BRIDGE, status: int = 200) -> Json:
        return self.call("PUT", path, body, {"Authorization": f"Token token={token}"}, status)

    def post(self, path: str, body: Json, *, token: str, status: int = 201) -> Json:
        return self.call("POST", path, body, {"Authorization": f"Token token={token}"}, status)

    def delete(self, path: str, *, token: str, status: int = 200) -> Json:
        return self.call("DELETE", path, None, {"Authorization": f"Token token={token}"}, status)

    def call(
        self, method: str, path: str, body: Json, headers: dict[str, str], status: int
    ) -> Json:
        data = None if body is None else json.dumps(body)
        response = self._client.open(f"/api/v1{path}", method=method, data=data, headers=headers)
        assert response.status_code == status, response.text
        return json.loads(response.data or "null")


def declare_in_zammad(box: ZammadSandbox, endpoint: str) -> None:
    """The product's fields, and triggers that tell a webhook, over the API as an admin makes them.

    Nothing else of a set-up: most tests play with one webhook and the triggers alone.
    """
    api, by = Api(box), Token.SETUP
    fields = (*zammad_layout.TICKET_FIELDS, *zammad_layout.organization_fields(*PLACE))
    for field in (*fields, *zammad_layout.ACCOUNT_FIELDS):
        api.post("/object_manager_attributes", field.definition(), token=by)
    api.post("/object_manager_attributes_execute_migrations", {}, token=by, status=200)
    hook = {"name": "points bridge", **zammad_layout.webhook(endpoint, SECRET)}
    hook_id = api.post("/webhooks", hook, token=by)["id"]
    bridge = box.model.access.actor(BRIDGE).id
    for event, condition in zammad_layout.trigger_conditions(bridge).items():
        name = zammad_layout.TRIGGER_PREFIX + event
        trigger = zammad_layout.trigger(condition, hook_id)
        api.post("/triggers", {"name": name, **trigger}, token=by)
    box.model.calls.clear()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def sandbox(clock: Clock, receiver: Receiver) -> ZammadSandbox:
    """A Zammad that is set up for the bridge, with one customer."""
    box = ZammadSandbox(clock, transport=receiver)
    declare_in_zammad(box, "http://bridge.example/webhooks/zammad")
    box.model.add_organization("Acme GmbH", domain="acme.example", domain_assignment=True)
    box.model.add_customer("Carla Customer", CARLA, "Acme GmbH", password="pw")
    return box


@pytest.fixture
def api(sandbox: ZammadSandbox) -> Api:
    return Api(sandbox)


@pytest.fixture
def as_carla() -> dict[str, str]:
    """The headers of the customer's own calls."""
    pair = base64.b64encode(f"{CARLA}:pw".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


class ZendeskApi:
    """Calls the API and insists on the status; as the bridge's client, unless another is given."""

    def __init__(self, box: ZendeskSandbox) -> None:
        self._access = box.model.access
        self._client = box.app.test_client()

    def token(self, client: Client = Client.BRIDGE, scope: str | None = None) -> str:
        request = {"client_id": client, "client_secret": client.secret}
        request |= {"scope": scope or SCOPES[client], "grant_type": "client_credentials"}
        return str(self._access.grant(request)["access_token"])

    def open(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        headers: dict[str, str] | None = None,
        status: int = 200,
    ) -> TestResponse:
        response = self._client.open(f"/api/v2{path}", method=method, json=body, headers=headers)
        assert response.status_code == status, response.text
        return response

    def call(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        client: Client = Client.BRIDGE,
        status: int = 200,
    ) -> Json:
        headers = {"Authorization": f"Bearer {self.token(client)}"}
        response = self.open(method, path, body, headers=headers, status=status)
        return json.loads(response.data or "null")

    def get(self, path: str, *, client: Client = Client.BRIDGE, status: int = 200) -> Json:
        return self.call("GET", path, client=client, status=status)

    def put(self, path: str, body: Json, *, status: int = 200) -> Json:
        return self.call("PUT", path, body, status=status)

    def update(self, ticket_id: int, expect: int = 200, **change: Json) -> Json:
        """PUT /tickets/{id}, as the bridge."""
        return self.put(f"/tickets/{ticket_id}.json", {"ticket": change}, status=expect)

    def ticket(self, ticket_id: int, include: str = "") -> Json:
        """GET /tickets/{id}: the ticket alone."""
        return self.get(f"/tickets/{ticket_id}.json?include={include}")["ticket"]

    def admin(self, method: str, path: str, body: Json = None, status: int = 200) -> Json:
        """A call of the client that may set things up."""
        return self.call(method, path, body, client=Client.SETUP, status=status)

    def add_trigger(self, status: int = 201, **change: Json) -> Json:
        """POST /triggers: the first trigger once more, changed."""
        [row, *_] = self.get("/triggers.json")["triggers"]
        spec = {name: row[name] for name in ("title", "conditions", "actions")}
        answer = self.admin("POST", "/triggers.json", {"trigger": spec | change}, status)
        return answer.get("trigger", answer)

    def field_ids(self) -> dict[str, int]:
        """The custom fields by title."""
        rows = self.get("/ticket_fields.json")["ticket_fields"]
        return {row["title"]: row["id"] for row in rows if row["removable"]}

    def add_webhook(self, name: str, endpoint: str, subscriptions: Iterable[str]) -> Json:
        """POST /webhooks."""
        spec = {"name": name, **zendesk_layout.webhook(endpoint, subscriptions)}
        return self.admin("POST", "/webhooks", {"webhook": spec}, 201)["webhook"]

    def signing_secret(self, webhook: Json) -> str:
        """The secret that Zendesk made for a webhook."""
        answer = self.admin("GET", f"/webhooks/{webhook['id']}/signing_secret")
        return str(answer["signing_secret"]["secret"])

    def subscribe(self, endpoint: str, *events: str) -> str:
        """A webhook that is told of these events of tickets; its secret."""
        types = [f"zen:event-type:ticket.{event}" for event in events]
        return self.signing_secret(self.add_webhook("events", endpoint, types))


SCOPES = {Client.BRIDGE: "read tickets:write", Client.SETUP: "read write"}


def declare_in_zendesk(box: ZendeskSandbox, endpoint: str) -> str:
    """The product's fields, and triggers that tell a webhook, over the API as an admin makes them.

    Nothing else of a set-up. Returns the webhook's signing secret.
    """
    zd = ZendeskApi(box)
    for title, kind in FIELD_TYPES.items():
        tags = [f"{title}_{choice}" for choice in OPTIONS.get(title, ())]
        options = [{"name": tag, "value": tag} for tag in tags]
        field = {"title": title, "type": kind, "custom_field_options": options}
        zd.admin("POST", "/ticket_fields", {"ticket_field": field}, 201)
    for key, kind in {**dict.fromkeys(PLACE, "text"), **ACCOUNT_FIELD_TYPES}.items():
        field = {"key": key, "title": key, "type": kind}
        zd.admin("POST", "/organization_fields", {"organization_field": field}, 201)
    hook = zd.add_webhook("points bridge", endpoint, zendesk_layout.BY_TRIGGERS)
    for event in zendesk_layout.trigger_conditions():
        trigger = {"title": zendesk_layout.TRIGGER_PREFIX + event}
        trigger |= zendesk_layout.trigger(event, hook["id"])
        zd.admin("POST", "/triggers", {"trigger": trigger}, 201)
    secret = zd.signing_secret(hook)
    box.model.calls.clear()
    return secret


@pytest.fixture
def zendesk(clock: Clock, receiver: Receiver) -> ZendeskSandbox:
    """A Zendesk that is set up for the bridge, with one organisation."""
    box = ZendeskSandbox(clock, transport=receiver)
    declare_in_zendesk(box, "http://bridge.example/webhooks/zendesk")
    box.model.add_organization("Acme GmbH", domains=["acme.example"], support_country="DE")
    return box


@pytest.fixture
def zd(zendesk: ZendeskSandbox) -> ZendeskApi:
    return ZendeskApi(zendesk)
