import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.sandbox.zammad import RawRequest, Token, ZammadSandbox

Json = Any

CARLA = "carla@acme.example"
SECRET = "a-secret-of-the-tests"


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
        self.answers: list[int | OSError] = []

    def __call__(self, request: RawRequest) -> int:
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
    box.provision_points("http://bridge.example/webhooks/zammad", SECRET)
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
