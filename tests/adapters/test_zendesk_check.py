"""What `doctor` sees of a Zendesk, the probe, and the trials that prove a set-up."""

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from bridge.adapters.provisioning import Severity, Trial
from bridge.adapters.resources import Json
from bridge.adapters.zendesk.adapter import Zendesk, ZendeskConfig
from bridge.adapters.zendesk.settings import ZENDESK, ZendeskSettings
from bridge.adapters.zendesk.setup import admin, layout
from bridge.adapters.zendesk.setup.admin import AnswerHeaders, Me
from bridge.adapters.zendesk.setup.health import budget_problems, delivery_problems, rights_problems
from bridge.errors import HelpdeskRefused, HelpdeskUnavailable
from bridge.sandbox.zendesk import ADMIN, AGENT, BRIDGE, ApiToken, Client, Fault
from bridge.ticket import HttpDelivery
from tests.adapters.keeping import Kept
from tests.adapters.zendesk_account import (
    NOW,
    SECRET,
    WANTED,
    Desk,
    changes,
    check,
    opened_account,
    set_up,
)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with opened_account() as desk:
        yield desk


class TestTheCheck:
    def test_of_what_was_set_up_finds_nothing(self, desk: Desk) -> None:
        set_up(desk)
        assert check(desk) == []

    def test_changes_nothing(self, desk: Desk) -> None:
        set_up(desk)
        before = len(desk.box.model.calls)
        check(desk)
        made = [(call.method, call.path) for call in desk.box.model.calls[before:]]
        assert {method for method, path in made if path != "/oauth/tokens"} == {"GET"}

    def test_finds_a_missing_field(self, desk: Desk) -> None:
        set_up(desk)
        desk.box.model.fields.delete(desk.row("ticket_fields", "points_charged")["id"])
        (problem,) = check(desk)
        assert problem.severity is Severity.PROBLEM
        assert problem.what == "ticket field points_charged is missing"
        assert problem.remedy == "run `points-bridge setup support`"

    def test_finds_a_missing_webhook_for_events(self, desk: Desk) -> None:
        set_up(desk)
        desk.box.model.hooks.delete(desk.row("webhooks", layout.EVENTS)["id"])
        found = check(desk)
        assert {(one.severity, layout.EVENTS in one.what) for one in found} == {
            (Severity.WARNING, True)
        }

    def test_finds_a_wrong_secret_and_shows_neither(self, desk: Desk) -> None:
        set_up(desk)
        desk.environ = {"webhook_secret": SECRET}
        (problem,) = check(desk)
        assert problem.severity is Severity.PROBLEM
        assert "POINTS_BRIDGE_SUPPORT_WEBHOOK_SECRET" in problem.remedy
        assert (SECRET in repr(problem), desk.secret() in repr(problem)) == (False, False)

    def test_finds_credentials_that_nobody_knows(self, desk: Desk) -> None:
        (problem,) = check(desk, desk.setup(desk.config(client_secret="canary-wrong")))
        assert (problem.severity, problem.where) == (Severity.PROBLEM, "credentials")
        assert "canary" not in repr(problem)

    @pytest.mark.parametrize(
        "fault",
        [
            Fault("*", "*", status=404, body=b"No help desk at acmee.zendesk.com"),
            Fault("GET", "/api/v2/users/me", status=200, body=b"<p>"),
            Fault("GET", "/api/v2/users/me", status=200, body=b'{"status": "live"}'),
        ],
        ids=["no such account", "a page", "other JSON"],
    )
    def test_finds_that_something_else_answers(self, desk: Desk, fault: Fault) -> None:
        desk.box.model.faults.add(fault, times=2)
        (problem,) = check(desk)
        assert "that is no Zendesk account: compare" in problem.what
        with pytest.raises(HelpdeskRefused, match="that is no Zendesk account: compare"):
            desk.setup().plan(WANTED)

    def test_finds_that_zendesk_takes_us_for_nobody(self, desk: Desk) -> None:
        """Who is not signed in gets 200, and a user whose id is null."""
        body = b'{"user": {"id": null, "role": "end-user"}}'
        desk.box.model.faults.add(Fault("GET", "/api/v2/users/me", status=200, body=body))
        (problem,) = check(desk)
        assert (problem.where, "whose credentials" in problem.what) == ("credentials", True)

    def test_finds_a_clock_that_is_wrong(self, desk: Desk) -> None:
        set_up(desk)
        (problem,) = desk.setup().check(WANTED, lambda: datetime.now(UTC) + timedelta(hours=1))
        assert (problem.severity, problem.where) == (Severity.PROBLEM, "clock")
        assert "there it is 20" in problem.what

    def test_says_that_a_clock_cannot_be_compared(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_up(desk)
        monkeypatch.setattr(admin, "http_date", lambda _header: None)
        (problem,) = check(desk)
        assert (problem.severity, "no Date header" in problem.what) == (Severity.NOTE, True)

    def test_finds_a_budget_that_others_use_up(self, desk: Desk) -> None:
        set_up(desk)
        desk.box.model.limits.account = 1_000
        for _ in range(950):
            desk.box.model.limits.call(of_webhooks=False)
        (problem,) = [one for one in check(desk) if one.where == "rate limit"]
        assert problem.severity is Severity.WARNING
        assert "of the 1000 calls" in problem.what

    def test_finds_deliveries_that_do_not_arrive(self, desk: Desk) -> None:
        set_up(desk)
        hook = desk.row("webhooks", layout.WEBHOOK)
        desk.box.model.add_customer("Carla", "carla@acme.example")
        desk.box.webhooks.transport = lambda _request: 401
        desk.box.model.customer_mails("carla@acme.example", "Help", "Please.")
        desk.box.webhooks.drain()
        (problem,) = check(desk)
        assert (problem.severity, problem.where) == (Severity.WARNING, "deliveries")
        assert f"webhook {hook['name']}" in problem.what
        assert "(answer 401)" in problem.what

    def test_without_a_setup_client_sees_the_fields_alone(self, desk: Desk) -> None:
        set_up(desk)
        found = check(desk, desk.setup_without_client())
        assert [problem.severity for problem in found] == [Severity.WARNING]
        desk.box.model.fields.delete(desk.row("ticket_fields", "points_charged")["id"])
        found = check(desk, desk.setup_without_client())
        assert "points_charged is missing" in found[0].what
        assert "setup_client_secret" in found[1].remedy

    def test_with_a_setup_client_of_an_agent_says_what_it_needs(self, desk: Desk) -> None:
        desk.box.model.access.add_client("agents", "s", AGENT, {"read", "write"})
        own = desk.config(client_id="agents", client_secret="s")
        problem = check(desk, desk.setup(own=own))[-1]
        assert (problem.severity, "admin" in problem.what) == (Severity.PROBLEM, True)
        assert "Admin Center, Apps and integrations, APIs, OAuth clients" in problem.what

    def test_of_a_zendesk_that_is_down_says_so(self, desk: Desk) -> None:
        desk.box.model.faults.add(Fault("*", "*", status=503))
        (problem,) = check(desk)
        assert "503" in problem.what


class TestTheRights:
    """ "credentials, rights (least-privilege list)" """

    CONFIG = ZendeskConfig("acme", (SECRET,), "points", "secret")

    @pytest.mark.parametrize(
        ("role", "show_balance", "severity", "told"),
        [
            ("end-user", False, Severity.PROBLEM, "is no agent"),
            ("", True, Severity.PROBLEM, "is no agent"),
            ("admin", False, Severity.WARNING, "may also administer"),
            ("agent", True, Severity.WARNING, "may not write the fields of organisations"),
        ],
    )
    def test_too_few_or_too_many_are_told(
        self, role: str, show_balance: bool, severity: Severity, told: str
    ) -> None:
        config = ZendeskConfig("acme", (SECRET,), "points", "secret", show_balance=show_balance)
        (problem,) = rights_problems(config, Me(id=7, role=role), NOW)
        assert (problem.severity, told in problem.what, problem.where) == (severity, True, "rights")
        assert problem.remedy

    @pytest.mark.parametrize("seen", ["groups", "assigned", "organization"])
    def test_to_some_tickets_alone_are_told(self, seen: str) -> None:
        me = Me(id=7, role="agent", ticket_restriction=seen)
        (problem,) = rights_problems(self.CONFIG, me, NOW)
        assert (problem.severity, f"(only {seen})" in problem.what) == (Severity.WARNING, True)
        assert "access to all tickets" in problem.remedy
        whole = Me(id=7, role="agent", ticket_restriction=None)
        assert rights_problems(self.CONFIG, whole, NOW) == []

    @pytest.mark.parametrize(("role", "show_balance"), [("agent", False), ("admin", True)])
    def test_the_right_ones_are_no_problem(self, role: str, show_balance: bool) -> None:
        config = ZendeskConfig("acme", (SECRET,), "points", "secret", show_balance=show_balance)
        assert rights_problems(config, Me(id=7, role=role), NOW) == []

    @pytest.mark.parametrize(
        ("now", "severity"),
        [
            (datetime(2027, 4, 29, 23, tzinfo=UTC), Severity.WARNING),
            (datetime(2027, 4, 30, tzinfo=UTC), Severity.PROBLEM),
        ],
    )
    def test_of_an_api_token_end(self, now: datetime, severity: Severity) -> None:
        config = ZendeskConfig("acme", (SECRET,), email=ADMIN, api_token=ApiToken.BRIDGE.value)
        (problem,) = rights_problems(config, Me(id=7, role="agent"), now)
        assert (problem.severity, "2027-04-30" in problem.what) == (severity, True)


@pytest.mark.parametrize(
    ("limit", "remaining", "scarce"),
    [(700, 69, True), (700, 70, False), (None, 3, False), (200, None, False), (200, 0, True)],
)
def test_a_budget_is_scarce_below_a_tenth(
    limit: int | None, remaining: int | None, scarce: bool
) -> None:
    assert bool(budget_problems(AnswerHeaders(NOW, limit, remaining))) is scarce


def rows(*told: tuple[str, str, int | None]) -> list[tuple[Json, list[Json]]]:
    found: list[Json] = [
        {"status": status, "latest_completed_at": f"2026-11-{at}Z", "status_code": code}
        for at, status, code in told
    ]
    return [({"name": layout.WEBHOOK}, found), ({"name": layout.EVENTS}, [])]


@pytest.mark.parametrize(
    ("hooks", "said", "remedy"),
    [
        (rows(), "", ""),
        (rows(("23T08:00:01", "success", 200)), "", ""),
        (rows(("23T08:00:01", "terminated", 401)), "1 of its latest 1", "different secrets"),
        # Another delivery that arrives makes the one that is lost no better.
        (
            rows(("23T08:00:02", "success", 200), ("23T08:00:01", "terminated", 500)),
            "1 of its latest 2 deliveries failed; the last of those, at 2026-11-23T08:00:01Z",
            "is `points-bridge serve` running",
        ),
        (rows(("23T08:00:02", "success", 200), ("22T08:00:01", "terminated", 500)), "", ""),
        (rows(("20T08:00:01", "circuit broken", None)), "1 of its latest 1", "certificate"),
    ],
)
def test_deliveries_that_failed_are_told(
    hooks: list[tuple[Json, list[Json]]], said: str, remedy: str
) -> None:
    found = delivery_problems("support", hooks, datetime(2026, 11, 23, 9, tzinfo=UTC))
    assert [said in one.what and remedy in one.remedy for one in found] == [True] * bool(said)


class TestTheProbe:
    def test_is_authentic_and_about_nothing(self, desk: Desk) -> None:
        desk.environ = {"webhook_secret": SECRET}
        probe = desk.setup().probe()
        assert probe
        headers = {name.lower(): value for name, value in probe.headers.items()}
        signed = headers["x-zendesk-webhook-signature-timestamp"].encode() + probe.body
        signature = base64.b64encode(hmac.digest(SECRET.encode(), signed, "sha256")).decode()
        assert headers["x-zendesk-webhook-signature"] == signature
        adapter, delivery = Zendesk(desk.config()), HttpDelivery(headers, probe.body, NOW)
        adapter.verify(delivery)
        assert adapter.parse(delivery) is None

    def test_needs_a_secret(self, desk: Desk) -> None:
        assert desk.setup().probe() is None


class TestTheTrials:
    """ "proves each trigger with a test ticket when asked" """

    def act(self, trial: Trial) -> str:
        assert trial.act
        return trial.act()

    def heard(self, desk: Desk) -> list[tuple[str, str]]:
        """What the receiver would store of the deliveries so far."""
        found = []
        for one in desk.box.webhooks.deliveries:
            request = desk.box.webhooks.render(one)
            assert request
            headers = {name.lower(): value for name, value in request.headers}
            letter = Zendesk(desk.config()).parse(HttpDelivery(headers, request.body, NOW))
            assert letter
            found.append((letter.event, letter.ticket_id))
        return found

    def test_make_every_event_happen_and_leave_no_open_ticket(self, desk: Desk) -> None:
        set_up(desk)
        trials = desk.setup().trials()
        for trial in trials:
            if trial.act is None:
                assert trial.event in {"ticket.marked_as_spam", "ticket.permanently_deleted"}
                assert trial.reason
                continue
            ticket = self.act(trial)
            if trial.by_hand:
                assert "internal note on ticket {ticket}" in trial.by_hand
                desk.box.model.agent_notes(int(ticket), "Here I am.")
            assert (trial.event, ticket) in self.heard(desk)
        kinds = {kind.removeprefix(layout.EVENT_PREFIX) for kind in layout.EVENT_TYPES}
        assert {trial.event for trial in trials} == {*layout.trigger_conditions(), *kinds}
        tickets = desk.rows("tickets")
        assert {row["status"] for row in tickets} == {"solved", "closed"}
        assert {row["organization_id"] for row in tickets} == {None}

    def test_without_the_webhook_for_events_say_so(self, desk: Desk) -> None:
        set_up(desk)
        desk.box.model.hooks.delete(desk.row("webhooks", layout.EVENTS)["id"])
        untold = [trial for trial in desk.setup().trials() if trial.act is None]
        assert len(untold) == len(layout.EVENT_TYPES)
        assert all("no webhook" in trial.reason for trial in untold)

    def test_are_refused_where_a_ticket_would_cost_points(self, desk: Desk) -> None:
        desk.box.model.access.actor(BRIDGE).user["organization_id"] = 1
        with pytest.raises(HelpdeskRefused, match="cost it points"):
            desk.setup().trials()

    def test_need_the_first_ticket(self, desk: Desk) -> None:
        set_up(desk)
        with pytest.raises(HelpdeskRefused, match="no test ticket"):
            self.act(desk.setup().trials()[2])

    @pytest.mark.parametrize("body", [b"", b"{}"])
    def test_restore_a_ticket_whatever_that_is_answered_with(self, desk: Desk, body: bytes) -> None:
        """Zendesk's description says an empty answer; an empty object was recorded."""
        set_up(desk)
        trials = {trial.event: trial for trial in desk.setup().trials()}
        self.act(trials["created"])
        path = "/api/v2/deleted_tickets/*"
        desk.box.model.faults.add(Fault("PUT", path, status=200, body=body))
        assert self.act(trials["ticket.undeleted"]) == "1"

    @pytest.mark.parametrize(
        ("job", "error", "told"),
        [
            ({"status": "failed"}, HelpdeskRefused, "does not merge"),
            ({"status": "killed"}, HelpdeskRefused, "does not merge"),
            (
                {"status": "completed", "results": [{"id": 2, "success": False}]},
                HelpdeskRefused,
                "does not merge",
            ),
            (
                {"status": "completed", "results": {"success": False}},
                HelpdeskRefused,
                "does not merge",
            ),
            ({"status": "working", "results": None}, HelpdeskUnavailable, "has not merged"),
        ],
    )
    def test_tell_a_job_that_does_not_end_well(
        self, desk: Desk, job: Json, error: type[Exception], told: str
    ) -> None:
        set_up(desk)
        created, _, merged, *_ = desk.setup().trials()
        self.act(created)
        body = json.dumps({"job_status": {"id": "V3-1", **job}}).encode()
        answer = Fault("GET", "/api/v2/job_statuses/*", status=200, body=body)
        desk.box.model.faults.add(answer, times=99)
        with pytest.raises(error, match=told):
            self.act(merged)


class TestTheSettings:
    def settings(self, desk: Desk, **changes: Any) -> ZendeskSettings:
        secrets = {"client_secret": Client.BRIDGE.secret}
        wrapped = {key: SecretStr(value) for key, value in secrets.items()}
        base = {"url": desk.url, "client_id": Client.BRIDGE.value}
        return ZendeskSettings.model_validate({**base, **wrapped, **changes})

    def test_build_a_setup_with_its_own_client(self, desk: Desk) -> None:
        build = ZENDESK.provisioner
        assert build is not None
        secret = SecretStr(Client.SETUP.secret)
        with_own = self.settings(
            desk, setup_client_id=Client.SETUP.value, setup_client_secret=secret
        )
        assert changes(build("support", with_own, Kept()).plan(WANTED)) != []
        with pytest.raises(HelpdeskRefused, match="did not grant write"):
            build("support", self.settings(desk), Kept()).plan(WANTED)

    def test_refuse_half_a_client(self, desk: Desk) -> None:
        with pytest.raises(ValueError, match="go together"):
            self.settings(desk, setup_client_id="points")
