"""Setting a Zendesk up, on the stand-in over loopback: what is made, what stays, what is told."""

import base64
import hmac
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from bridge.adapters import zendesk_setup as layout
from bridge.adapters.provisioning import Action, Plan, Problem, Severity, Step, Wanted
from bridge.adapters.zendesk import FIELD_TYPES, Zendesk, ZendeskConfig
from bridge.adapters.zendesk_settings import ZENDESK, ZendeskSettings
from bridge.adapters.zendesk_setup import ZendeskSetup
from bridge.errors import HelpdeskRefused, HelpdeskUnavailable
from bridge.sandbox.serve import serve
from bridge.sandbox.zendesk import (
    ADMIN,
    AGENT,
    TRIGGER_PREFIX,
    ApiToken,
    Client,
    Fault,
    ZendeskSandbox,
    trigger_conditions,
)
from bridge.ticket import Fields, HttpDelivery, PointsState, SlaState, TicketUpdate

ENDPOINT = "https://points.example/webhooks/support"
WANTED = Wanted(ENDPOINT)
SECRET = "canary-secret-91c3"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
CREATED, CHANGED = (layout.TRIGGER_PREFIX + event for event in ("created", "changed"))
Row = dict[str, Any]


class Desk:
    """A Zendesk as it is sold, served on loopback."""

    def __init__(self) -> None:
        self.url = ""
        self.renew()

    def renew(self) -> None:
        """Begin again with an empty account, at the same address."""
        self.box = ZendeskSandbox(lambda: NOW, transport=lambda _request: 200)
        self.box.model.limits.webhooks = self.box.model.limits.account = 10_000

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.box.app(environ, start_response)

    def config(self, client: Client = Client.BRIDGE, secret: str = SECRET) -> ZendeskConfig:
        return ZendeskConfig(self.url, (secret,), client.value, client.secret)

    def setup(self, *, secret: str = SECRET, own: bool = True) -> ZendeskSetup:
        setup_config = self.config(Client.SETUP, secret) if own else None
        return ZendeskSetup("support", self.config(secret=secret), setup_config, lambda: NOW)

    def rows(self, table: str) -> list[Row]:
        if table == "webhooks":
            return list(self.box.model.hooks.rows.values())
        return list(self.box.model.store.tables[table].values())

    def row(self, table: str, name: str) -> Row:
        (found,) = [row for row in self.rows(table) if name in {row.get("title"), row.get("name")}]
        return found

    def add_webhook(self, *, subscription: str = layout.BY_TRIGGERS[0], **changes: str) -> Row:
        spec = {"name": layout.WEBHOOK, "endpoint": ENDPOINT, "status": "active"}
        spec |= {"http_method": "POST", "request_format": "json", **changes}
        by = self.box.model.access.actor(ADMIN).id
        row: Row = self.box.model.hooks.create({**spec, "subscriptions": [subscription]}, by)
        return row

    def add_trigger(self, title: str, webhook: Row, description: str | None = None) -> Row:
        action = {"field": "notification_webhook", "value": [webhook["id"], "{}"]}
        spec = {"title": title, "description": description, "actions": [action]}
        conditions = trigger_conditions()["changed"]
        return self.box.model.rules.create("triggers", {**spec, "conditions": conditions})

    def secret(self) -> str:
        return self.box.model.hooks.secret(self.row("webhooks", layout.WEBHOOK)["id"])

    def state(self) -> dict[str, list[Row]]:
        """What there is, whenever it was made, and whatever ids it was given."""
        names = {row["id"]: row["name"] for row in self.rows("webhooks")}
        found = {}
        for table in ("ticket_fields", "organization_fields", "webhooks", "triggers"):
            rows = [_without_ids(deepcopy(row), names) for row in self.rows(table)]
            found[table] = sorted(rows, key=lambda row: str(row.get("title") or row.get("name")))
        return found


def _without_ids(row: Row, webhooks: dict[str, str]) -> Row:
    for option in row.get("custom_field_options", []):
        del option["id"]
    for action in row.get("actions", []):
        action["value"][0] = webhooks.get(action["value"][0])
    return {key: value for key, value in row.items() if key not in {"id", "position"}}


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    with serve(desk) as url:
        desk.url = url
        yield desk


def changes(plan: Plan) -> list[tuple[Action, str]]:
    return [(step.action, step.name) for step in plan if step.changes]


def named(plan: Plan, name: str, kind: str) -> list[Step]:
    return [step for step in plan if (step.name, step.kind) == (name, kind)]


def set_up(desk: Desk) -> Plan:
    """Plan and carry out, as the command does."""
    plan = desk.setup().plan(WANTED)
    for step in plan:
        if step.changes:
            step.apply()
    return plan


def take_away(desk: Desk) -> Plan:
    plan = desk.setup().removal()
    for step in plan:
        step.apply()
    return plan


def check(desk: Desk, secret: str = SECRET, *, own: bool = True) -> list[Problem]:
    # The loopback server tells the machine's time.
    return desk.setup(secret=secret, own=own).check(WANTED, lambda: datetime.now(UTC))


class TestAnEmptyZendesk:
    def test_is_set_up_once_and_then_there_is_nothing_to_do(self, desk: Desk) -> None:
        first = set_up(desk)
        assert {step.action for step in first} == {Action.MAKE, Action.REPORT}
        assert [name for _, name in changes(first)][: len(FIELD_TYPES)] == list(FIELD_TYPES)
        second = desk.setup(secret=desk.secret()).plan(WANTED)
        assert {step.action for step in second} == {Action.KEEP}
        assert len(second) == len(changes(first))

    def test_has_the_same_state_after_a_second_run(self, desk: Desk) -> None:
        set_up(desk)
        before = desk.state()
        for step in desk.setup().plan(WANTED):
            step.apply()
        assert desk.state() == before

    def test_gets_the_triggers_that_the_stand_in_has(self, desk: Desk) -> None:
        assert layout.TRIGGER_PREFIX == TRIGGER_PREFIX
        set_up(desk)
        rows = {row["title"].removeprefix(TRIGGER_PREFIX): row for row in desk.rows("triggers")}
        assert {event: row["conditions"] for event, row in rows.items()} == trigger_conditions()
        hook = desk.row("webhooks", layout.WEBHOOK)
        assert {row["actions"][0]["value"][0] for row in rows.values()} == {hook["id"]}
        assert hook["endpoint"] == ENDPOINT

    def test_keeps_the_fields_from_end_users(self, desk: Desk) -> None:
        set_up(desk)
        shown = {key: desk.row("ticket_fields", key)["visible_in_portal"] for key in FIELD_TYPES}
        assert shown == dict.fromkeys(FIELD_TYPES, False)

    @pytest.mark.parametrize("state", PointsState)
    @pytest.mark.parametrize("sla", [None, *SlaState])
    def test_takes_everything_that_the_adapter_writes(
        self, desk: Desk, state: PointsState, sla: SlaState | None
    ) -> None:
        set_up(desk)
        model = desk.box.model
        model.add_customer("Carla", "carla@acme.example")
        ticket = model.customer_mails("carla@acme.example", "Help", "Please.")
        day = NOW.date()
        fields = Fields(state, 10, 999_990, day, NOW, sla, free_reopen_until=day)
        Zendesk(desk.config()).write(TicketUpdate(str(ticket), fields))
        key = desk.row("ticket_fields", "points_state")["id"]
        assert model.ticket(ticket)[f"custom_fields_{key}"] == f"points_state_{state}"

    def test_gets_the_fields_of_the_organisation_that_the_settings_name(self, desk: Desk) -> None:
        config = replace(desk.config(Client.SETUP), zone_field="time_zone")
        plan = ZendeskSetup("support", config).plan(WANTED)
        (step,) = named(plan, "time_zone", "organisation field")
        assert (step.action, step.required) == (Action.MAKE, False)

    def test_that_has_hundreds_of_triggers_is_read_to_the_end(self, desk: Desk) -> None:
        hook = desk.add_webhook(name="another", endpoint="https://other.example")
        for number in range(150):
            desk.add_trigger(f"aa {number}", hook)
        set_up(desk)
        assert changes(desk.setup().plan(WANTED)) == []

    def test_is_not_set_up_for_a_receiver_that_nobody_named(self, desk: Desk) -> None:
        (step,) = named(desk.setup().plan(Wanted(None)), layout.WEBHOOK, "webhook")
        with pytest.raises(HelpdeskRefused, match=r"listen\.public_url"):
            step.apply()


CUTS = {
    "500": Fault("*", "*", status=500),
    "500 after the work was done": Fault("*", "*", status=500, carried_out=True),
    "connection lost": Fault("*", "*", drop=True),
    "connection lost after the work was done": Fault("*", "*", drop=True, carried_out=True),
}


def cut_everywhere(
    desk: Desk, fault: Fault, prepare: Callable[[], object], act: Callable[[], object]
) -> int:
    """Cut every single call of `act` in turn, and run it again. How many calls it made."""
    prepare()
    start = len(desk.box.model.calls)
    act()
    expected, calls = desk.state(), len(desk.box.model.calls) - start
    for cut in range(calls):
        desk.renew()
        prepare()
        desk.box.model.faults.add(Fault("*", "*"), times=cut)
        desk.box.model.faults.add(fault)
        with pytest.raises(HelpdeskUnavailable):
            act()
        act()
        assert desk.state() == expected, f"cut at call {cut}"
    return calls


@pytest.mark.parametrize("fault", CUTS.values(), ids=CUTS)
class TestAnInterruption:
    def test_of_a_setup_is_made_good_by_the_next_run(self, desk: Desk, fault: Fault) -> None:
        made = len(FIELD_TYPES) + 3 + 1 + 2
        assert cut_everywhere(desk, fault, lambda: None, lambda: set_up(desk)) > made

    def test_of_a_removal_is_made_good_by_the_next_run(self, desk: Desk, fault: Fault) -> None:
        assert cut_everywhere(desk, fault, lambda: set_up(desk), lambda: take_away(desk)) > 3
        assert desk.rows("webhooks") == desk.rows("triggers") == []


class TestDrift:
    @pytest.mark.parametrize(
        ("table", "name", "damage"),
        [
            ("triggers", CREATED, {"active": False}),
            ("triggers", CHANGED, {"conditions": trigger_conditions()["created"]}),
            ("triggers", CHANGED, {"actions": [{"field": "status", "value": "open"}]}),
            ("webhooks", layout.WEBHOOK, {"endpoint": "https://old.example"}),
            ("webhooks", layout.WEBHOOK, {"status": "inactive"}),
            ("ticket_fields", "points_balance", {"active": False}),
        ],
    )
    def test_is_seen_and_mended(self, desk: Desk, table: str, name: str, damage: Row) -> None:
        set_up(desk)
        desk.row(table, name).update(damage)
        before = desk.secret()
        assert changes(set_up(desk)) == [(Action.CHANGE, name)]
        assert changes(desk.setup().plan(WANTED)) == []
        assert desk.secret() == before

    def test_of_an_option_is_mended_and_leaves_what_an_admin_added(self, desk: Desk) -> None:
        """Zendesk deletes the options that an update does not list, with their values."""
        set_up(desk)
        row = desk.row("ticket_fields", "points_state")
        lost = row["custom_field_options"].pop(0)
        added = {"id": 7, "name": "Ours", "raw_name": "Ours", "value": "our_own", "default": False}
        row["custom_field_options"].append(added)
        kept = deepcopy(row["custom_field_options"])
        assert changes(set_up(desk)) == [(Action.CHANGE, "points_state")]
        options = desk.row("ticket_fields", "points_state")["custom_field_options"]
        assert options[: len(kept)] == kept
        assert options[-1]["value"] == lost["value"]

    def test_of_a_second_trigger_or_webhook_of_ours_is_removed(self, desk: Desk) -> None:
        set_up(desk)
        ours = desk.state()
        hook = desk.add_webhook(description=layout.MARKER)
        desk.add_trigger(CHANGED, hook, layout.MARKER)
        desk.add_trigger(f"{TRIGGER_PREFIX}tagged", hook, layout.MARKER)
        set_up(desk)
        assert changes(desk.setup().plan(WANTED)) == []
        assert desk.state() == ours

    def test_that_is_stored_in_spite_of_what_was_sent_is_an_error(self, desk: Desk) -> None:
        stored = b'{"webhook": {"id": "01", "endpoint": "https://proxy.example"}}'
        desk.box.model.faults.add(Fault("POST", "/api/v2/webhooks", status=201, body=stored))
        with pytest.raises(HelpdeskRefused, match="another endpoint"):
            set_up(desk)


class TestForeignThings:
    """ "Only what carries our marker is ever changed or removed" """

    def test_stay_as_they_are_and_are_reported(self, desk: Desk) -> None:
        theirs = [
            desk.add_webhook(),
            desk.add_webhook(name="by hand"),
            desk.add_webhook(name="another", endpoint="https://other.example"),
            desk.add_webhook(subscription="zen:event-type:ticket.merged"),
        ]
        theirs += [desk.add_trigger(CREATED, theirs[0]), desk.add_trigger("mine", theirs[2])]
        before = deepcopy(theirs)
        reported = [s for s in set_up(desk) if s.action is Action.REPORT and not s.required]
        assert sorted((step.kind, step.name) for step in reported) == [
            ("trigger", CREATED),
            ("webhook", "by hand"),
            ("webhook", layout.WEBHOOK),
            ("webhook", layout.WEBHOOK),
        ]
        assert changes(desk.setup().plan(WANTED)) == []
        take_away(desk)
        assert theirs == before
        assert len(desk.rows("webhooks")) == 4
        assert len(desk.rows("triggers")) == 2

    def test_that_wait_for_other_events_are_no_matter(self, desk: Desk) -> None:
        desk.box.subscribe_to_events(ENDPOINT)
        assert [s.name for s in set_up(desk) if s.action is Action.REPORT] == [layout.WEBHOOK]

    def test_of_another_type_with_the_title_of_a_field_stop_it(self, desk: Desk) -> None:
        desk.box.model.fields.create({"title": "Points: state", "type": "text"})
        (step,) = named(desk.setup().plan(WANTED), "points_state", "ticket field")
        assert (step.action, "text" in step.detail) == (Action.BLOCK, True)
        with pytest.raises(HelpdeskRefused, match="points_state is text"):
            step.apply()

    def test_of_the_right_type_with_that_title_are_taken(self, desk: Desk) -> None:
        for _ in range(2):
            spec = {"title": "Points: balance (do not edit)", "type": "integer"}
            desk.box.model.fields.create(spec)
        steps = named(desk.setup().plan(WANTED), "points_balance", "ticket field")
        assert [step.action for step in steps] == [Action.KEEP, Action.REPORT]

    def test_of_an_organisation_that_hold_no_text_are_reported(self, desk: Desk) -> None:
        spec = {"key": "support_country", "title": "Country", "type": "checkbox"}
        desk.box.model.organization_fields.create(spec)
        (step,) = named(set_up(desk), "support_country", "organisation field")
        assert step.action is Action.REPORT


class TestTheRemoval:
    def test_leaves_the_fields(self, desk: Desk) -> None:
        set_up(desk)
        fields = deepcopy((desk.rows("ticket_fields"), desk.rows("organization_fields")))
        assert [step.kind for step in take_away(desk)] == ["trigger", "trigger", "webhook"]
        assert (desk.rows("ticket_fields"), desk.rows("organization_fields")) == fields
        assert desk.setup().removal() == ()

    def test_can_be_followed_by_a_setup(self, desk: Desk) -> None:
        set_up(desk)
        before = desk.state()
        take_away(desk)
        set_up(desk)
        assert desk.state() == before


class TestTheCheck:
    def test_of_what_was_set_up_finds_nothing(self, desk: Desk) -> None:
        set_up(desk)
        assert check(desk, desk.secret()) == []

    def test_finds_a_missing_field(self, desk: Desk) -> None:
        set_up(desk)
        desk.box.model.fields.delete(desk.row("ticket_fields", "points_charged")["id"])
        (problem,) = check(desk, desk.secret())
        assert problem.severity is Severity.PROBLEM
        assert problem.what == "ticket field points_charged is missing"
        assert problem.remedy == "run `points-bridge setup support`"

    def test_finds_a_wrong_secret_and_shows_neither(self, desk: Desk) -> None:
        set_up(desk)
        (problem,) = check(desk)
        assert problem.severity is Severity.PROBLEM
        assert "POINTS_BRIDGE_SUPPORT_WEBHOOK_SECRET" in problem.remedy
        shown = repr([problem, *desk.setup().plan(WANTED)])
        assert (SECRET in shown, desk.secret() in shown) == (False, False)

    def test_finds_credentials_that_nobody_knows(self, desk: Desk) -> None:
        config = replace(desk.config(), client_secret="canary-wrong")
        (problem,) = ZendeskSetup("support", config).check(WANTED, lambda: datetime.now(UTC))
        assert (problem.severity, problem.where) == (Severity.PROBLEM, "credentials")
        assert "canary" not in repr(problem)

    def test_finds_that_zendesk_takes_us_for_nobody(self, desk: Desk) -> None:
        """Who is not signed in gets 200, and a user whose id is null."""
        body = b'{"user": {"id": null, "role": "end-user"}}'
        desk.box.model.faults.add(Fault("GET", "/api/v2/users/me", status=200, body=body))
        (problem,) = check(desk)
        assert (problem.where, "whose credentials" in problem.what) == ("credentials", True)

    def test_finds_a_clock_that_is_wrong(self, desk: Desk) -> None:
        set_up(desk)
        setup = desk.setup(secret=desk.secret())
        (problem,) = setup.check(WANTED, lambda: datetime.now(UTC) + timedelta(hours=1))
        assert (problem.severity, problem.where) == (Severity.PROBLEM, "clock")

    @pytest.mark.parametrize(
        ("now", "severity"),
        [
            (datetime(2027, 4, 29, 23, tzinfo=UTC), Severity.WARNING),
            (datetime(2027, 4, 30, tzinfo=UTC), Severity.PROBLEM),
        ],
    )
    def test_tells_when_api_tokens_end(self, desk: Desk, now: datetime, severity: Severity) -> None:
        config = ZendeskConfig(desk.url, (SECRET,), email=ADMIN, api_token=ApiToken.BRIDGE.value)
        found = ZendeskSetup("support", config, desk.config(Client.SETUP)).check(
            WANTED, lambda: now
        )
        (problem,) = [problem for problem in found if "API tokens" in problem.what]
        assert (problem.severity, "2027-04-30" in problem.what) == (severity, True)

    def test_without_a_setup_client_sees_the_fields_alone(self, desk: Desk) -> None:
        set_up(desk)
        assert [problem.severity for problem in check(desk, own=False)] == [Severity.WARNING]
        desk.box.model.fields.delete(desk.row("ticket_fields", "points_charged")["id"])
        found = check(desk, own=False)
        assert "points_charged is missing" in found[0].what
        assert "setup_client_secret" in found[1].remedy

    def test_with_a_setup_client_of_an_agent_says_what_it_needs(self, desk: Desk) -> None:
        desk.box.model.access.add_client("agents", "s", AGENT, {"read", "write"})
        own = replace(desk.config(), client_id="agents", client_secret="s")
        setup = ZendeskSetup("support", desk.config(), own)
        problem = setup.check(WANTED, lambda: datetime.now(UTC))[-1]
        assert (problem.severity, "admin" in problem.what) == (Severity.PROBLEM, True)

    def test_of_a_zendesk_that_is_down_says_so(self, desk: Desk) -> None:
        desk.box.model.faults.add(Fault("*", "*", status=503))
        (problem,) = check(desk)
        assert "503" in problem.what


class TestTheProbe:
    def test_is_authentic_and_about_nothing(self, desk: Desk) -> None:
        probe = desk.setup().probe()
        headers = {name.lower(): value for name, value in probe.headers.items()}
        signed = headers["x-zendesk-webhook-signature-timestamp"].encode() + probe.body
        signature = base64.b64encode(hmac.digest(SECRET.encode(), signed, "sha256")).decode()
        assert headers["x-zendesk-webhook-signature"] == signature
        adapter, delivery = Zendesk(desk.config()), HttpDelivery(headers, probe.body, NOW)
        adapter.verify(delivery)
        assert adapter.parse(delivery) is None


class TestTheTrials:
    def test_say_of_every_trigger_why_it_is_tried_by_hand(self, desk: Desk) -> None:
        trials = desk.setup().trials()
        assert [trial.event for trial in trials] == list(trigger_conditions())
        assert all(trial.act is None and "test ticket" in trial.reason for trial in trials)


class TestTheSettings:
    def settings(self, desk: Desk, **changes: object) -> ZendeskSettings:
        secrets = {"client_secret": Client.BRIDGE.secret, "webhook_secret": SECRET}
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
        assert changes(build("support", with_own).plan(WANTED)) != []
        with pytest.raises(HelpdeskRefused, match="did not grant write"):
            build("support", self.settings(desk)).plan(WANTED)

    def test_refuse_half_a_client(self, desk: Desk) -> None:
        with pytest.raises(ValueError, match="go together"):
            self.settings(desk, setup_client_id="points")
