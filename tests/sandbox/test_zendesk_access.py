"""The Zendesk sandbox's front: who may call, how often, and what a refusal looks like."""

from base64 import b64encode
from datetime import UTC, datetime

import pytest
import requests

from bridge.sandbox.serve import serve
from bridge.sandbox.zendesk import BRIDGE, ApiToken, Call, Client, Fault, ZendeskSandbox

from .conftest import CARLA, Clock, Json, ZendeskApi

GRANT = {
    "grant_type": "client_credentials",
    "client_id": Client.BRIDGE,
    "client_secret": Client.BRIDGE.secret,
    "scope": "read tickets:write",
}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(email: str = BRIDGE, token: str = ApiToken.BRIDGE) -> dict[str, str]:
    pair = b64encode(f"{email}/token:{token}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


# --- tokens --------------------------------------------------------------------------------


def ask(zendesk: ZendeskSandbox, status: int, **change: object) -> Json:
    answer = zendesk.app.test_client().post("/oauth/tokens", json=GRANT | change)
    assert answer.status_code == status, answer.text
    return answer.json


def test_a_client_gets_a_token_with_the_scopes_and_the_lifetime_that_it_asked_for(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    grant = ask(zendesk, 200, expires_in=300)
    assert (grant["scope"], grant["token_type"]) == ("read tickets:write", "bearer")
    assert grant["expires_in"] == 300
    me = zd.open("GET", "/users/me.json", headers=bearer(grant["access_token"])).json
    assert me is not None
    assert me["user"]["email"] == BRIDGE


@pytest.mark.parametrize(
    ("scope", "granted"), [("read ticket:write", "read"), ("read triggers:write", "read")]
)
def test_a_scope_that_is_misspelt_or_not_allowed_is_silently_not_granted(
    zendesk: ZendeskSandbox, scope: str, granted: str
) -> None:
    assert ask(zendesk, 200, scope=scope)["scope"] == granted


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"expires_in": 299}, 400, "invalid_request"),
        ({"expires_in": 172_801}, 400, "invalid_request"),
    ],
)
def test_a_request_for_a_token_may_be_refused(
    zendesk: ZendeskSandbox, change: Json, status: int, error: str
) -> None:
    assert ask(zendesk, status, **change)["error"] == error


def test_a_token_ends_with_its_time_and_when_it_is_revoked(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock
) -> None:
    def status(token: str) -> int:
        headers = bearer(token)
        return zendesk.app.test_client().get("/api/v2/tickets", headers=headers).status_code

    first, second = zd.token(), zd.token()
    clock.advance(minutes=29)
    zendesk.model.access.revoke(second)
    assert (status(first), status(second)) == (200, 401)
    clock.advance(minutes=1)
    assert status(first) == 401
    third = zd.token()
    zendesk.model.access.revoke()
    assert status(third) == 401


def test_an_api_token_opens_everything_until_the_day_on_which_they_end(
    zd: ZendeskApi, clock: Clock
) -> None:
    """Zendesk: API tokens stop working on 30 April 2027."""
    zd.open("GET", "/triggers.json", headers=basic())
    clock.now = datetime(2027, 4, 30, tzinfo=UTC)
    zd.open("GET", "/triggers.json", headers=basic(), status=401)


def test_nobody_is_an_anonymous_user_and_not_an_error(zd: ZendeskApi) -> None:
    me = zd.open("GET", "/users/me.json").json
    assert me is not None
    assert (me["user"]["id"], me["user"]["name"]) == (None, "Anonymous user")


# --- what a refusal looks like -------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "Couldn't authenticate you"),
        (basic(token="wrong"), "Couldn't authenticate you"),
        (basic(email="nobody@support.example"), "Couldn't authenticate you"),
        ({"Authorization": "Basic \u00e4"}, "Couldn't authenticate you"),
        (bearer("wrong"), "invalid_token"),
    ],
)
def test_no_credentials_and_a_wrong_token_are_told_apart(
    zd: ZendeskApi, headers: dict[str, str], error: str
) -> None:
    answer = zd.open("GET", "/tickets.json", headers=headers, status=401).json
    assert answer is not None
    assert answer["error"] == error


@pytest.mark.parametrize("path", ["/no/such/path", "/tickets/x.json"])
def test_a_path_that_does_not_exist_is_known_before_anybody_signs_in(
    zd: ZendeskApi, path: str
) -> None:
    answer = zd.open("GET", path, status=404).json
    assert answer == {"error": "InvalidEndpoint", "description": "Not found"}


def test_a_record_that_does_not_exist_says_so(zd: ZendeskApi) -> None:
    missing = {"error": "RecordNotFound", "description": "Not found"}
    for path in ("/tickets/9.json", "/users/9", "/organizations/9", "/ticket_fields/9.json"):
        assert zd.get(path, status=404) == missing


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        ("tickets:read", "GET", "/tickets/1.json", 200),
        ("tickets:read", "GET", "/tickets/1/comments.json", 200),
        ("tickets:read", "GET", "/tickets/1/audits.json", 403),
        ("tickets:write", "GET", "/tickets/1.json", 403),
        ("read", "PUT", "/tickets/1.json", 403),
        ("read tickets:write", "PUT", "/tickets/1.json", 200),
        ("read tickets:write", "POST", "/triggers.json", 403),
        ("read tickets:write", "POST", "/ticket_fields.json", 403),
    ],
)
def test_a_scope_allows_its_own_resource_and_audits_need_the_global_one(
    zendesk: ZendeskSandbox, zd: ZendeskApi, scope: str, method: str, path: str, status: int
) -> None:
    zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    headers = bearer(zd.token(Client.SETUP, scope))
    answer = zd.open(method, path, {"ticket": {}}, headers=headers, status=status).json
    assert answer is not None
    assert ("required scopes" in str(answer)) == (status == 403)


def test_a_customer_and_an_agent_may_less_than_an_admin(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    zendesk.model.add_customer("Carla Customer", CARLA)
    zendesk.model.add_agent("Bea", "bea@support.example")
    answer = zd.open("GET", "/tickets.json", headers=basic(CARLA), status=403).json
    assert answer is not None
    assert answer["error"]["title"] == "Forbidden"
    headers = basic("bea@support.example")
    zd.open("GET", "/tickets.json", headers=headers)
    zd.open("POST", "/triggers.json", {"trigger": {}}, headers=headers, status=403)


def test_a_body_that_is_not_wrapped_changes_nothing_and_one_that_is_no_json_is_refused(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    assert zd.put(f"/tickets/{ticket_id}", {"status": "solved"})["ticket"]["status"] == "new"
    headers, path = bearer(zd.token()), f"/api/v2/tickets/{ticket_id}"
    client = zendesk.app.test_client()
    assert client.put(path, data=b"{", headers=headers).status_code == 400


# --- limits --------------------------------------------------------------------------------


def test_one_ticket_takes_thirty_updates_of_one_user_in_ten_minutes(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock
) -> None:
    """Zendesk, Rate limits: "30 updates per 10 minutes per user per ticket"."""
    one, other = (zendesk.model.customer_mails(CARLA, "Broken", "It is.") for _ in range(2))
    for number in range(30):
        zd.update(one, subject=f"Number {number}")
        clock.advance(seconds=1)
    headers = bearer(zd.token())
    refused = zd.open("PUT", f"/tickets/{one}", {"ticket": {}}, headers=headers, status=429)
    assert refused.json is not None
    assert refused.json["error"] == "APIRateLimitExceeded"
    assert 560 < int(refused.headers["Retry-After"]) <= 600
    zd.update(other, subject="Free")
    clock.advance(minutes=10)
    zd.update(one, subject="Free again")


def test_an_account_takes_a_hundred_updates_of_tickets_in_a_minute_and_says_what_is_left(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock
) -> None:
    """Zendesk, Rate limits: "100 requests per min per account"."""
    ids = [zendesk.model.customer_mails(CARLA, "Broken", "It is.") for _ in range(5)]
    headers = bearer(zd.token())
    left = [
        zd.open("PUT", f"/tickets/{ids[number % 5]}", {"ticket": {}}, headers=headers).headers
        for number in range(100)
    ]
    budget = "zendesk-ratelimit-tickets-update"
    assert left[0][budget].startswith("total=100; remaining=99; resets=")
    assert left[-1][budget].startswith("total=100; remaining=0; resets=")
    assert left[-1]["x-rate-limit"] == left[-1]["ratelimit-limit"] == "700"
    zd.update(ids[0], expect=429)
    assert zd.ticket(ids[0])["id"] == ids[0], "reading is not limited by it"
    clock.advance(minutes=1)
    zd.update(ids[0])


def test_the_other_budgets_are_those_of_the_account_one_organisation_one_user_and_exports(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock
) -> None:
    """Zendesk: 5 a minute for an organisation or a user, 10 for exports; webhooks have their own.

    The account's own figure is the plan's, so a test may choose it.
    """
    as_setup = bearer(zd.token(Client.SETUP))
    organization = zd.get("/organizations.json")["organizations"][0]["id"]
    user = zendesk.model.add_customer("Carla", CARLA)
    for method, path, body, total in (
        ("PUT", f"/organizations/{organization}.json", {"organization": {}}, 5),
        ("PUT", f"/users/{user}.json", {"user": {}}, 5),
        ("GET", "/incremental/tickets/cursor.json?start_time=0", None, 10),
    ):
        for _ in range(total):
            zd.open(method, path, body, headers=as_setup)
        zd.open(method, path, body, headers=as_setup, status=429)
        clock.advance(minutes=1)
    zendesk.model.limits.account = 2
    for _ in range(2):
        zd.open("GET", "/tickets.json", headers=as_setup)
    assert "Retry-After" in zd.open("GET", "/tickets.json", headers=as_setup, status=429).headers
    answer = zd.open("GET", "/webhooks", headers=as_setup)
    assert (answer.headers["x-rate-limit"], "ratelimit-limit" in answer.headers) == ("100", False)


# --- faults and the log of calls -----------------------------------------------------------


def test_the_running_sandbox_answers_over_http_and_counts_the_calls(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    path = f"/api/v2/tickets/{ticket_id}.json"
    zendesk.model.faults.add(Fault("GET", "/api/v2/tickets/*", 429, (("Retry-After", "7"),)))
    headers = bearer(zd.token())
    with zendesk.running() as url:
        assert zendesk.webhooks.wait_until_idle(timeout=30)
        slowed, served = (
            requests.get(f"{url}{path}?include=users", headers=headers, timeout=30)
            for _ in range(2)
        )
    assert (slowed.status_code, slowed.headers["Retry-After"]) == (429, "7")
    assert served.json()["ticket"]["url"] == f"{url}{path}"
    calls = [Call("GET", path, "include=users", status) for status in (429, 200)]
    assert zendesk.model.calls == calls


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_lost_answer_may_or_may_not_have_been_carried_out(
    zendesk: ZendeskSandbox, zd: ZendeskApi, carried_out: bool
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    fault = Fault("PUT", "/api/v2/tickets/*", drop=True, carried_out=carried_out)
    zendesk.model.faults.add(fault)
    headers, body = bearer(zd.token()), {"ticket": {"priority": "high"}}
    with serve(zendesk.app) as url, pytest.raises(requests.ConnectionError):
        requests.put(f"{url}/api/v2/tickets/{ticket_id}", json=body, headers=headers, timeout=30)
    assert zd.ticket(ticket_id)["priority"] == ("high" if carried_out else None)
    assert [call.status for call in zendesk.model.calls] == [None, 200]
