"""Setting a Zammad up, on the stand-in: what is made, what stays, what stops it, what it leaves."""

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests
import responses

from bridge.adapters.provisioning import Action, Plan, Problem, Severity, Step, Wanted
from bridge.adapters.zammad.adapter import Zammad, ZammadConfig
from bridge.adapters.zammad.setup import layout
from bridge.adapters.zammad.setup.layout import TRIGGER_PREFIX, trigger_conditions
from bridge.adapters.zammad.setup.provisioner import ZammadSetup
from bridge.errors import BridgeError, HelpdeskRefused, HelpdeskUnavailable
from bridge.policy.places import Address
from bridge.sandbox.zammad import (
    ADMIN,
    AGENT,
    BRIDGE,
    Fault,
    Token,
    ZammadSandbox,
)
from bridge.ticket import Fields, HttpDelivery, PointsState, SlaState, TicketUpdate
from tests.adapters.keeping import Kept

URL = "https://helpdesk.example"
ENDPOINT = "https://points.example/webhooks/support"
WANTED = Wanted(ENDPOINT, reopen_days=90, home=Address("Europe/Berlin"), today=date(2026, 11, 23))
SECRET = "canary-secret-91c3"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ATTRIBUTES = "/api/v1/object_manager_attributes"
TABLES = ("Attribute", "Webhook", "Trigger", "Overview", "CoreWorkflow", "Calendar", "Sla")
Row = dict[str, Any]


class Desk:
    """A Zammad as after its installation, with one ticket, behind a mocked transport."""

    def __init__(self, mock: responses.RequestsMock, *, native_slas: bool = False) -> None:
        self.native_slas = native_slas
        self.box = ZammadSandbox(lambda: NOW, transport=lambda _request: 200)
        self._client = self.box.app.test_client()
        self.bridge = self.box.model.access.actor(BRIDGE).user
        self.preferences = deepcopy(self.bridge["preferences"])
        self.kept = Kept()
        for method in ("GET", "POST", "PUT", "DELETE"):
            mock.add_callback(method, re.compile(f"{URL}/.*"), callback=self._answer)
        self.box.model.add_organization("Acme GmbH")
        self.box.model.add_customer("Carla", "carla@acme.example", "Acme GmbH")
        self.ticket = self.box.model.customer_mails("carla@acme.example", "Help", "Please.")

    def _answer(
        self, request: requests.PreparedRequest
    ) -> tuple[int, dict[str, str], bytes | Exception]:
        try:
            answer = self._client.open(
                request.path_url,
                method=request.method,
                data=request.body,
                headers={"Authorization": request.headers["Authorization"]},
            )
        except ConnectionResetError:
            return 0, {}, requests.ConnectionError("dropped")
        return answer.status_code, {"Date": f"{NOW:%a, %d %b %Y %H:%M:%S} GMT"}, answer.data

    def setup(
        self,
        *,
        token: str = Token.BRIDGE,
        setup_token: str | None = Token.SETUP,
        secret: str | None = SECRET,
    ) -> ZammadSetup:
        config = ZammadConfig(URL, token, (secret,) if secret else ())
        native = self.native_slas
        return ZammadSetup("support", config, self.kept, setup_token, native_slas=native)

    def rows(self, table: str) -> list[Row]:
        return list(self.box.model.store.tables[table].values())

    def row(self, table: str, name: str) -> Row:
        """Of attributes that tickets and organisations both have, the ticket's."""
        found = [row for row in self.rows(table) if row["name"] == name]
        (one,) = [row for row in found if row.get("object") == "Ticket"] or found
        return one

    def add(self, table: str, **fields: Any) -> Row:
        by = self.box.model.access.actor(ADMIN).id
        fields.pop("id", None)
        return self.box.model.store.insert(table, fields, by)

    def fault(self, fault: Fault, *, after: int = 0) -> None:
        """Let a call fail; `after` so many that do not."""
        self.box.model.faults.add(Fault("*", "*"), times=after)
        self.box.model.faults.add(fault)

    def attribute(self, name: str, data_type: str, option: Row, object_: str = "Ticket") -> Row:
        """Somebody else's attribute, not migrated yet."""
        spec = {"object": object_, "name": name, "data_type": data_type, "data_option": option}
        by = self.box.model.access.actor(ADMIN).id
        self.box.model.attributes.create(spec, by)
        return self.row("Attribute", name)

    def state(self) -> dict[str, list[Row]]:
        """What there is, whenever and in whatever order it was made."""
        webhooks = {row["id"]: row["name"] for row in self.rows("Webhook")}
        calendars = {row["id"]: row["name"] for row in self.rows("Calendar")}
        found = {}
        for table in TABLES:
            rows = [
                {key: value for key, value in row.items() if key not in {"id", "position"}}
                for row in self.rows(table)
            ]
            for row in rows:
                hook = row.get("perform", {}).get("notification.webhook")
                if hook:
                    row["perform"] = {"notification.webhook": webhooks[hook["webhook_id"]]}
                if "calendar_id" in row:
                    row["calendar_id"] = calendars.get(row["calendar_id"])
            found[table] = sorted(rows, key=lambda row: (row["name"], str(row.get("object"))))
        found["User"] = [deepcopy(self.bridge)]
        found["Ticket"] = [dict(self.box.model.ticket(self.ticket))]
        return found


@pytest.fixture
def desk(vendor: responses.RequestsMock) -> Desk:
    return Desk(vendor)


def changes(plan: Plan) -> list[tuple[Action, str]]:
    return [(step.action, step.name) for step in plan if step.changes]


def named(plan: Plan, name: str) -> Step:
    found = [step for step in plan if step.name == name]
    (one,) = [step for step in found if step.kind == "ticket field"] or found
    return one


def carry_out(plan: Plan) -> None:
    for step in plan:
        if step.changes:
            step.apply()


def set_up(desk: Desk, setup: ZammadSetup | None = None) -> Plan:
    """Plan and carry out, as the command does."""
    plan = (setup or desk.setup()).plan(WANTED)
    carry_out(plan)
    return plan


class TestTheLayout:
    def test_has_choices_in_words_that_people_use(self) -> None:
        labels = [one.option["options"] for one in layout.TICKET_FIELDS if "options" in one.option]
        states, promises = labels
        assert states["free_reopen"] == "free re-open"
        assert states["awaiting_points"] == "awaiting points"
        assert promises["at_risk"] == "at risk"

    @pytest.mark.parametrize("state", PointsState)
    @pytest.mark.parametrize("sla", [None, *SlaState])
    def test_takes_everything_that_the_adapter_writes(
        self, desk: Desk, state: PointsState, sla: SlaState | None
    ) -> None:
        set_up(desk)
        adapter = Zammad(ZammadConfig(URL, Token.BRIDGE, (SECRET,)))
        day = date(2027, 2, 21)
        fields = Fields(state, 10, 999_990, day, NOW, sla, free_reopen_until=day)
        adapter.write(TicketUpdate(str(desk.ticket), fields))
        assert desk.box.model.ticket(desk.ticket)["points_state"] == state.value


class TestAnEmptyZammad:
    def test_is_set_up_once_and_then_there_is_nothing_to_do(self, desk: Desk) -> None:
        first = set_up(desk)
        assert {step.action for step in first} == {Action.MAKE, Action.CHANGE, Action.REPORT}
        assert [step.kind for step in first if step.action is Action.CHANGE] == ["user"]
        assert [step.kind for step in first if step.changes].count("ticket field") == 7
        second = desk.setup().plan(WANTED)
        assert changes(second) == []
        assert (
            len([step for step in second if step.action is Action.KEEP]) == len(changes(first)) - 1
        )

    def test_has_the_same_state_after_a_second_run(self, desk: Desk) -> None:
        set_up(desk)
        before = desk.state()
        for step in desk.setup().plan(WANTED):
            step.apply()
        assert desk.state() == before

    def test_gets_triggers_that_use_our_signed_webhook(self, desk: Desk) -> None:
        set_up(desk)
        hook = desk.row("Webhook", layout.WEBHOOK)
        assert (hook["endpoint"], hook["signature_token"]) == (ENDPOINT, SECRET)
        ours = [row for row in desk.rows("Trigger") if row["name"].startswith(TRIGGER_PREFIX)]
        assert {row["perform"]["notification.webhook"]["webhook_id"] for row in ours} == {
            hook["id"]
        }
        assert {row["name"].removeprefix(TRIGGER_PREFIX): row["condition"] for row in ours} == (
            trigger_conditions(desk.box.model.access.actor(BRIDGE).id)
        )

    def test_gets_an_overview_for_agents_sorted_by_what_is_due_first(self, desk: Desk) -> None:
        set_up(desk)
        overview = desk.row("Overview", layout.OVERVIEW)
        assert overview["order"] == {"by": "points_response_due", "direction": "ASC"}
        assert 2 in overview["role_ids"]
        assert overview["condition"]["ticket.state_id"]["value"] == ["1", "2", "3", "7"]

    def test_gets_fields_that_are_read_only_in_the_browser(self, desk: Desk) -> None:
        """As recorded: `set_readonly` on the screens of editing and creating (269, 272)."""
        set_up(desk)
        workflow = desk.row("CoreWorkflow", layout.WORKFLOW)
        assert workflow["perform"].keys() == {f"ticket.{one.name}" for one in layout.TICKET_FIELDS}
        assert workflow["preferences"] == {"screen": ["create_middle", "edit"]}

    def test_hides_the_fields_from_customers(self, desk: Desk) -> None:
        set_up(desk)
        screens = desk.row("Attribute", "points_balance")["screens"]
        assert [screen["ticket.customer"]["shown"] for screen in screens.values()] == [False, False]

    def test_is_set_up_with_the_token_that_the_bridge_runs_with_where_that_may_do_it(
        self, desk: Desk
    ) -> None:
        set_up(desk, desk.setup(token=Token.SETUP, setup_token=None))
        assert changes(desk.setup().plan(WANTED)) == []

    def test_gets_the_fields_of_the_organisation_that_the_settings_name(self, desk: Desk) -> None:
        config = ZammadConfig(URL, Token.BRIDGE, (SECRET,), zone_field="time_zone")
        set_up(desk, ZammadSetup("support", config, desk.kept, Token.SETUP))
        assert desk.row("Attribute", "time_zone")["object"] == "Organization"

    def test_that_has_hundreds_of_triggers_is_read_to_the_end(self, desk: Desk) -> None:
        set_up(desk)
        ours = desk.row("Trigger", f"{TRIGGER_PREFIX}created")
        for number in range(150):
            desk.add("Trigger", **{**ours, "name": f"aa {number}", "note": ""})
        assert changes(desk.setup().plan(WANTED)) == []


CUTS = {
    "500": Fault("*", "*", status=500, body=b'{"error": "Error ID 1"}'),
    "500 after the work was done": Fault("*", "*", status=500, carried_out=True),
    "connection lost": Fault("*", "*", drop=True),
    "connection lost after the work was done": Fault("*", "*", drop=True, carried_out=True),
}


class TestAnInterruptedSetup:
    @pytest.mark.parametrize("fault", CUTS.values(), ids=CUTS)
    def test_goes_on_from_any_call_to_the_same_end(
        self, vendor: responses.RequestsMock, fault: Fault
    ) -> None:
        """Every single call is cut in turn; then the command is run again."""
        whole = Desk(vendor, native_slas=True)
        set_up(whole)
        expected, calls = whole.state(), list(whole.box.model.calls)
        assert sum(call.method != "GET" for call in calls) == 27
        for cut, call in enumerate(calls):
            if call.method == "GET" and fault.carried_out:
                continue  # nothing is carried out by it
            vendor.reset()
            desk = Desk(vendor, native_slas=True)
            desk.fault(fault, after=cut)
            with pytest.raises(HelpdeskUnavailable):
                set_up(desk)
            set_up(desk)
            assert desk.state() == expected, f"cut at call {cut}: {call}"

    @pytest.mark.parametrize("fault", CUTS.values(), ids=CUTS)
    def test_of_a_removal_goes_on_from_any_call(
        self, vendor: responses.RequestsMock, fault: Fault
    ) -> None:
        for cut in range(17):
            vendor.reset()
            desk = Desk(vendor, native_slas=True)
            set_up(desk)
            desk.fault(fault, after=cut)
            with pytest.raises(HelpdeskUnavailable):
                take_away(desk)
            take_away(desk)
            assert desk.setup().removal() == ()
            assert desk.rows("Webhook") == desk.rows("Calendar") == desk.rows("Sla") == []


class TestASecretThatNobodyHas:
    """ "An admin goes from credentials to a working bridge in one command" """

    def secret(self, desk: Desk) -> object:
        return desk.row("Webhook", layout.WEBHOOK)["signature_token"]

    def test_is_invented_kept_and_told_to_zammad(self, desk: Desk) -> None:
        set_up(desk, desk.setup(secret=None))
        assert desk.kept == {"webhook_secret": self.secret(desk)}
        assert len(desk.kept["webhook_secret"]) >= 32
        assert changes(desk.setup(secret=desk.kept["webhook_secret"]).plan(WANTED)) == []

    def test_is_that_of_a_webhook_that_is_there_already(self, desk: Desk) -> None:
        set_up(desk)
        assert changes(set_up(desk, desk.setup(secret=None))) == [(Action.MAKE, layout.WEBHOOK)]
        assert desk.kept == {"webhook_secret": SECRET}

    @pytest.mark.parametrize("fault", [Fault("*", "*", drop=True, carried_out=True)])
    def test_is_the_same_on_both_sides_wherever_it_is_cut(
        self, vendor: responses.RequestsMock, fault: Fault
    ) -> None:
        calls = 14
        for cut in range(calls):
            vendor.reset()
            desk = Desk(vendor)
            desk.fault(fault, after=cut * 3)
            with pytest.raises(HelpdeskUnavailable):
                set_up(desk, desk.setup(secret=None))
            set_up(desk, desk.setup(secret=desk.kept.get("webhook_secret")))
            assert desk.kept == {"webhook_secret": self.secret(desk)}


def take_away(desk: Desk) -> Plan:
    plan = desk.setup().removal()
    for step in plan:
        step.apply()
    return plan


class TestAnInstallationOfTheLastRelease:
    """It had seven triggers, its user was told of every write of its own, points began as 0."""

    @pytest.fixture
    def upgraded(self, desk: Desk) -> Plan:
        set_up(desk)
        new = desk.row("Trigger", f"{TRIGGER_PREFIX}organization changed")
        del desk.box.model.store.tables["Trigger"][new["id"]]
        desk.bridge["preferences"] = deepcopy(desk.preferences)
        for row in desk.rows("Attribute"):
            if row["data_type"] == "integer":
                row["data_option"]["default"] = 0
        return set_up(desk)

    def test_is_upgraded_by_a_setup_alone(self, desk: Desk, upgraded: Plan) -> None:
        assert changes(upgraded) == [
            *[(Action.CHANGE, name) for name in ("points_charged", *["points_balance"] * 2)],
            (Action.MAKE, "of the fields"),
            (Action.MAKE, f"{TRIGGER_PREFIX}organization changed"),
            (Action.CHANGE, "of the bridge"),
        ]
        assert changes(desk.setup().plan(WANTED)) == []

    def test_shows_nothing_on_a_ticket_of_which_nothing_is_decided(
        self, desk: Desk, upgraded: Plan
    ) -> None:
        """Product rule 6.7: "A field that is empty is empty, not zero"."""
        assert "an empty default" in named(upgraded, "points_charged").detail
        model = desk.box.model
        ticket = model.ticket(model.customer_mails("carla@acme.example", "Help", "Please."))
        assert (ticket["points_charged"], ticket["points_balance"]) == (None, None)

    def test_hears_of_a_ticket_that_an_agent_moves(self, desk: Desk, upgraded: Plan) -> None:
        model = desk.box.model
        beta = model.add_organization("Beta Ltd")
        model.admin_moves_person("carla@acme.example", "Acme GmbH", secondary=("Beta Ltd",))
        agent = model.access.actor(AGENT)
        model.desk.update(agent, model.ticket(desk.ticket), {"organization_id": beta})
        told = [(one.trigger, one.ticket_id) for one in desk.box.webhooks.deliveries]
        assert told[-1] == (f"{TRIGGER_PREFIX}organization changed", desk.ticket)


class TestTheBridgesOwnUser:
    """ "setup switches off the notifications of the bridge's own user" """

    def test_is_told_of_nothing(self, desk: Desk) -> None:
        set_up(desk)
        matrix = desk.bridge["preferences"]["notification_config"]["matrix"]
        before = desk.preferences["notification_config"]["matrix"]
        assert matrix.keys() == before.keys()
        parts = [part for rule in matrix.values() for part in rule.values()]
        assert not any(value for part in parts for value in part.values())

    def test_keeps_what_else_it_has_chosen(self, desk: Desk) -> None:
        """Zammad replaces a preference as a whole; other users keep theirs."""
        chosen = desk.bridge["preferences"]
        chosen |= {"locale": "de-de"}
        chosen["notification_config"] |= {"group_ids": ["1"]}
        others = deepcopy(desk.box.model.access.actor(AGENT).user["preferences"])
        set_up(desk)
        after = desk.bridge["preferences"]
        assert (after["locale"], after["notification_config"]["group_ids"]) == ("de-de", ["1"])
        assert desk.box.model.access.actor(AGENT).user["preferences"] == others

    @pytest.mark.parametrize("part", ["criteria", "channel"])
    def test_is_silent_where_either_cases_or_channels_are_off(self, desk: Desk, part: str) -> None:
        for rule in desk.bridge["preferences"]["notification_config"]["matrix"].values():
            rule[part] = dict.fromkeys(rule[part], False)
        assert named(desk.setup().plan(WANTED), "of the bridge").action is Action.KEEP

    @pytest.mark.parametrize("preferences", [None, {}, {"notification_config": {}}])
    def test_without_any_such_choice_is_told_of_nothing(
        self, desk: Desk, preferences: Row | None
    ) -> None:
        desk.bridge["preferences"] = preferences
        assert named(desk.setup().plan(WANTED), "of the bridge").action is Action.KEEP

    def test_that_is_told_of_its_own_writes_is_a_warning(self, desk: Desk) -> None:
        set_up(desk)
        desk.bridge["preferences"] = deepcopy(desk.preferences)
        found = desk.setup().check(WANTED, lambda: NOW)
        (problem,) = [one for one in found if "group" not in one.what]
        assert (problem.severity, problem.remedy) == (
            Severity.WARNING,
            "run `points-bridge setup support`",
        )
        assert "notices of create, update" in problem.what

    def test_that_stays_as_it_was_in_spite_of_a_200_is_an_error(self, desk: Desk) -> None:
        step = named(desk.setup().plan(WANTED), "of the bridge")
        ok = Fault("PUT", "/api/v1/users/preferences", status=200, body=b'{"message": "ok"}')
        desk.box.model.faults.add(ok)
        with pytest.raises(HelpdeskRefused, match="notices of create"):
            step.apply()


class TestForeignThings:
    """ "never touches what it did not make" """

    @pytest.fixture
    def theirs(self, desk: Desk) -> dict[str, list[Row]]:
        """Things of an admin, some with our names and without our marker."""
        hook = {"endpoint": "https://other.example", "signature_token": "x", "active": True}
        made = desk.add("Webhook", name=layout.WEBHOOK, note="mine", **hook)
        desk.add("Webhook", name="another", note=None, **hook)
        perform = {"notification.webhook": {"webhook_id": made["id"]}}
        desk.add("Trigger", name="zz-mine", note=None, condition={}, perform=perform, active=True)
        desk.add("Overview", name="Support points", condition={}, order={}, active=True)
        desk.add("CoreWorkflow", name="points-bridge", perform={}, active=True)
        desk.attribute("points_of_view", "input", {"maxlength": 9})
        desk.box.model.attributes.migrate()
        return self.untouched(desk)

    @staticmethod
    def untouched(desk: Desk) -> dict[str, list[Row]]:
        by = desk.box.model.access.actor(ADMIN).id
        tables = ("Webhook", "Trigger", "Overview", "CoreWorkflow", "Attribute", "Group", "Role")
        return {
            table: [dict(row) for row in desk.rows(table) if row["created_by_id"] in {1, by}]
            for table in tables
        }

    def test_stay_as_they_are(self, desk: Desk, theirs: dict[str, list[Row]]) -> None:
        set_up(desk)
        assert self.untouched(desk) == theirs
        take_away(desk)
        assert self.untouched(desk) == theirs

    def test_that_have_the_unique_name_of_a_trigger_of_ours_stop_it(self, desk: Desk) -> None:
        name = f"{TRIGGER_PREFIX}merged"
        desk.add("Trigger", name=name, note="mine", condition={}, perform={}, active=True)
        step = named(desk.setup().plan(WANTED), name)
        assert (step.action, step.remedy) == (Action.BLOCK, "rename or delete it")

    def test_that_send_to_the_same_receiver_are_reported(self, desk: Desk) -> None:
        desk.add("Webhook", name="by hand", note=None, endpoint=ENDPOINT, active=True)
        set_up(desk)
        step = named(desk.setup().plan(WANTED), "by hand")
        assert step.action is Action.REPORT
        assert "twice" in step.detail

    @pytest.mark.parametrize("flag", ["to_create", "to_migrate", "to_delete", "to_config"])
    def test_that_wait_for_a_migration_stop_ours(self, desk: Desk, flag: str) -> None:
        """A migration carries out everybody's changes: a deletion loses data."""
        row = desk.attribute("cost_centre", "input", {"maxlength": 9})
        row |= dict.fromkeys(("to_create", "to_migrate", "to_config"), False) | {flag: True}
        plan = desk.setup().plan(WANTED)
        step = named(plan, "of the fields")
        assert (step.action, "cost_centre" in step.detail) == (Action.BLOCK, True)
        with pytest.raises(HelpdeskRefused, match="cost_centre"):
            carry_out((*plan, replace(step, action=Action.MAKE)))
        assert row[flag] is True
        assert ("POST", f"{ATTRIBUTES}_execute_migrations") not in [
            (call.method, call.path) for call in desk.box.model.calls
        ]

    def test_that_begin_to_wait_after_the_plan_was_made_stop_it_too(self, desk: Desk) -> None:
        plan = desk.setup().plan(WANTED)
        desk.attribute("cost_centre", "input", {"maxlength": 9})
        with pytest.raises(HelpdeskRefused, match="cost_centre"):
            carry_out(plan)

    def test_that_wait_do_not_matter_where_nothing_of_ours_does(self, desk: Desk) -> None:
        set_up(desk)
        desk.attribute("cost_centre", "input", {"maxlength": 9})
        assert changes(desk.setup().plan(WANTED)) == []


DAMAGE: dict[str, tuple[str, str, Row]] = {
    "a trigger is inactive": ("Trigger", f"{TRIGGER_PREFIX}created", {"active": False}),
    "a trigger lost its loop guard": ("Trigger", f"{TRIGGER_PREFIX}agent article", {
        "condition": {"ticket.action": {"operator": "is", "value": "update"}}
    }),
    "a trigger does something else": ("Trigger", f"{TRIGGER_PREFIX}merged", {
        "perform": {"notification.webhook": {"webhook_id": 77}}
    }),
    "the webhook goes elsewhere": ("Webhook", layout.WEBHOOK, {"endpoint": "https://old.example"}),
    "the webhook has another secret": ("Webhook", layout.WEBHOOK, {"signature_token": "other"}),
    "the webhook has no secret": ("Webhook", layout.WEBHOOK, {"signature_token": None}),
    "the webhook is inactive": ("Webhook", layout.WEBHOOK, {"active": False}),
    "the overview is sorted otherwise": ("Overview", layout.OVERVIEW, {
        "order": {"by": "created_at", "direction": "ASC"}
    }),
    "the workflow forgets our fields": ("CoreWorkflow", layout.WORKFLOW, {"perform": {}}),
}  # fmt: skip


class TestDrift:
    @pytest.mark.parametrize(("table", "name", "damage"), DAMAGE.values(), ids=DAMAGE)
    def test_is_seen_and_mended(self, desk: Desk, table: str, name: str, damage: Row) -> None:
        set_up(desk)
        desk.row(table, name).update(damage)
        assert changes(desk.setup().plan(WANTED)) == [(Action.CHANGE, name)]
        set_up(desk)
        assert changes(desk.setup().plan(WANTED)) == []

    @pytest.mark.parametrize(
        ("table", "name", "setting"),
        [
            ("Trigger", f"{TRIGGER_PREFIX}created", {"execution_condition_mode": "always"}),
            ("Trigger", f"{TRIGGER_PREFIX}created", {"activator": "time"}),
            ("Webhook", layout.WEBHOOK, {"customized_payload": True}),
        ],
    )
    def test_of_a_setting_that_newer_versions_have_is_seen(
        self, desk: Desk, table: str, name: str, setting: Row
    ) -> None:
        set_up(desk)
        desk.row(table, name).update(setting)
        assert changes(desk.setup().plan(WANTED)) == [(Action.CHANGE, name)]

    def test_of_an_option_is_mended_and_leaves_what_an_admin_chose(self, desk: Desk) -> None:
        set_up(desk)
        row = desk.row("Attribute", "points_state")
        del row["data_option"]["options"]["review"]
        row["data_option"]["options"] |= {"charged": "bezahlt", "our_own": "our own"}
        row |= {"display": "Punkte", "active": False}
        plan = set_up(desk)
        assert "option review" in named(plan, "points_state").detail
        options = row["data_option"]["options"]
        assert options.keys() == {*PointsState, "our_own"}
        assert (options["charged"], row["display"], row["active"]) == ("bezahlt", "Punkte", False)
        assert changes(desk.setup().plan(WANTED)) == []

    def test_of_a_limit_is_mended(self, desk: Desk) -> None:
        set_up(desk)
        row = desk.row("Attribute", "points_balance")
        row["data_option"] |= {"max": 100, "min": 1}
        set_up(desk)
        assert (row["data_option"]["min"], row["data_option"]["max"]) == (0, 1_000_000)

    @pytest.mark.parametrize(
        ("name", "key", "value"),
        [
            ("points_balance", "default", 5),
            ("points_state", "default", "charged"),
            ("points_next_expiry", "diff", 24),
            ("points_response_due", "diff", 0),
        ],
    )
    def test_of_a_default_is_mended(self, desk: Desk, name: str, key: str, value: object) -> None:
        set_up(desk)
        option = desk.row("Attribute", name)["data_option"]
        empty = option[key]
        option[key] = value
        assert named(set_up(desk), name).detail == "lacks an empty default"
        assert desk.row("Attribute", name)["data_option"][key] == empty
        assert changes(desk.setup().plan(WANTED)) == []

    def test_that_waits_for_its_migration_is_not_sent_again(self, desk: Desk) -> None:
        """Sending the same definition once more would want another migration."""
        set_up(desk)
        desk.row("Attribute", "points_balance")["data_option"]["max"] = 100
        plan = desk.setup().plan(WANTED)
        named(plan, "points_balance").apply()
        again = desk.setup().plan(WANTED)
        assert named(again, "points_balance").detail == "waits for the migration"
        assert changes(again) == [(Action.MAKE, "of the fields")]

    def test_of_what_admins_may_choose_is_none(self, desk: Desk) -> None:
        set_up(desk)
        desk.row("Overview", layout.OVERVIEW).update(role_ids=[1], view={}, active=False)
        desk.row("Webhook", layout.WEBHOOK)["ssl_verify"] = False
        assert changes(desk.setup().plan(WANTED)) == []

    def test_is_told_without_the_secret(self, desk: Desk) -> None:
        set_up(desk)
        plan = desk.setup(secret="canary-new").plan(WANTED)
        assert named(plan, layout.WEBHOOK).detail == "secret"
        assert "canary" not in repr(plan)

    def test_of_a_second_webhook_of_ours_is_removed(self, desk: Desk) -> None:
        """Two POSTs of one name are two webhooks there."""
        set_up(desk)
        first = desk.row("Webhook", layout.WEBHOOK)
        desk.add("Webhook", **first)
        plan = set_up(desk)
        assert (Action.REMOVE, layout.WEBHOOK) in changes(plan)
        assert desk.row("Webhook", layout.WEBHOOK)["id"] == first["id"]

    def test_of_a_trigger_of_an_earlier_version_is_removed(self, desk: Desk) -> None:
        set_up(desk)
        ours = desk.row("Trigger", f"{TRIGGER_PREFIX}created")
        desk.add("Trigger", **{**ours, "name": f"{TRIGGER_PREFIX}tagged"})
        plan = set_up(desk)
        assert changes(plan) == [(Action.REMOVE, f"{TRIGGER_PREFIX}tagged")]
        assert changes(desk.setup().plan(WANTED)) == []

    def test_between_what_is_sent_and_what_is_stored_is_an_error(self, desk: Desk) -> None:
        """Zammad answers 201 also where it stored something else."""
        stored = b'{"id": 1, "name": "points-bridge", "endpoint": "https://proxy.example"}'
        desk.box.model.faults.add(Fault("POST", "/api/v1/webhooks", status=201, body=stored))
        with pytest.raises(HelpdeskRefused, match="another endpoint"):
            set_up(desk)


class TestAFieldThatExists:
    @pytest.mark.parametrize("data_type", ["input", "integer"])
    def test_with_another_type_stops_it(self, desk: Desk, data_type: str) -> None:
        desk.attribute("points_state", data_type, {"min": 0, "max": 9})
        desk.box.model.attributes.migrate()
        setup = desk.setup()
        step = named(setup.plan(WANTED), "points_state")
        assert (step.action, "delete it" in step.remedy) == (Action.BLOCK, True)
        with pytest.raises(HelpdeskRefused, match=data_type):
            step.apply()

    def test_and_is_about_to_be_deleted_stops_it(self, desk: Desk) -> None:
        set_up(desk)
        desk.row("Attribute", "points_state")["to_delete"] = True
        step = named(desk.setup().plan(WANTED), "points_state")
        assert (step.action, "discard" in step.remedy) == (Action.BLOCK, True)

    @pytest.mark.parametrize(
        ("data_type", "action"),
        [("select", Action.KEEP), ("input", Action.KEEP), ("boolean", Action.REPORT)],
    )
    def test_of_an_organisation_may_be_any_text(
        self, desk: Desk, data_type: str, action: Action
    ) -> None:
        desk.attribute("support_country", data_type, {"options": {"DE": "DE"}}, "Organization")
        desk.box.model.attributes.migrate()
        assert named(set_up(desk), "support_country").action is action


class TestTheMigration:
    def test_is_done_though_records_hide_the_new_fields(self, desk: Desk) -> None:
        """Zammad caches what a record looks like until the record changes, for seven days."""
        adapter = Zammad(ZammadConfig(URL, Token.BRIDGE, (SECRET,)))
        adapter.fetch(str(desk.ticket))
        set_up(desk)
        assert changes(desk.setup().plan(WANTED)) == []
        adapter.fetch(str(desk.ticket))

    def test_that_is_not_done_says_what_to_do(self, desk: Desk) -> None:
        plan = desk.setup().plan(WANTED)
        migrations = f"{ATTRIBUTES}_execute_migrations"
        desk.box.model.faults.add(Fault("POST", migrations, status=200, body=b"{}"))
        with pytest.raises(HelpdeskUnavailable, match="run this again"):
            carry_out(plan)
        step = named(desk.setup().plan(WANTED), "of the fields")
        assert (step.action, step.detail) == (Action.MAKE, "")
        set_up(desk)
        assert changes(desk.setup().plan(WANTED)) == []

    def test_needs_no_ticket(self, vendor: responses.RequestsMock) -> None:
        desk = Desk(vendor)
        desk.box.model.admin_deletes(desk.ticket)
        set_up(desk)
        assert changes(desk.setup().plan(WANTED)) == []


class TestTheRemoval:
    def test_leaves_the_fields_and_their_data(self, desk: Desk) -> None:
        set_up(desk)
        fields = Fields(PointsState.CHARGED, 10, 40)
        adapter = Zammad(ZammadConfig(URL, Token.BRIDGE, (SECRET,)))
        adapter.write(TicketUpdate(str(desk.ticket), fields))
        kept = desk.state()
        assert {step.action for step in take_away(desk)} == {Action.REMOVE}
        left = desk.state()
        assert (left["Attribute"], left["Ticket"]) == (kept["Attribute"], kept["Ticket"])
        assert [row["name"] for row in left["Trigger"]] == ["auto reply (on new tickets)"]
        assert left["Webhook"] == left["Overview"] == left["CoreWorkflow"] == []
        assert desk.setup().removal() == ()

    def test_tells_who_still_uses_the_webhook(self, desk: Desk) -> None:
        set_up(desk)
        ours = desk.row("Trigger", f"{TRIGGER_PREFIX}created")
        desk.add("Trigger", **{**ours, "name": "their own", "note": ""})
        with pytest.raises(HelpdeskRefused, match="their own"):
            take_away(desk)

    def test_can_be_followed_by_a_setup(self, desk: Desk) -> None:
        set_up(desk)
        before = desk.state()
        take_away(desk)
        set_up(desk)
        assert desk.state() == before


class TestPermissions:
    def test_for_what_is_optional_may_be_lacking(self, desk: Desk) -> None:
        admin = ("admin.object", "admin.webhook", "admin.trigger")
        desk.box.model.access.add_token("least", BRIDGE, "ticket.agent", *admin)
        plan = set_up(desk, desk.setup(setup_token="least"))
        left_out = [step for step in plan if "left out" in step.detail]
        assert {step.kind for step in left_out} == {"overview", "core workflow"}
        assert {step.action for step in left_out} == {Action.REPORT}
        assert [step.name for step in plan if step.kind == "trigger" and step.changes] != []
        removal = desk.setup(setup_token="least").removal()
        assert {step.kind for step in removal if step.changes} == {"trigger", "webhook"}

    @pytest.mark.parametrize("lacking", ["object", "webhook", "trigger"])
    def test_that_are_lacking_are_named(self, desk: Desk, lacking: str) -> None:
        admin = [f"admin.{one}" for one in ("object", "webhook", "trigger") if one != lacking]
        desk.box.model.access.add_token("least", BRIDGE, "ticket.agent", *admin)
        with pytest.raises(
            HelpdeskRefused, match=f"setup token needs the permission admin.{lacking}"
        ):
            desk.setup(setup_token="least").plan(WANTED)

    def test_without_a_setup_token_the_other_one_is_named(self, desk: Desk) -> None:
        with pytest.raises(HelpdeskRefused, match="there is no setup token"):
            desk.setup(setup_token=None).plan(WANTED)


GROUPS: dict[str, tuple[Row, str]] = {
    "no address": ({"email_address_id": None}, "no e-mail address"),
    "new tickets": ({"follow_up_possible": "new_ticket"}, "charged as one"),
    "too few days": (
        {"follow_up_possible": "new_ticket_after_certain_time", "reopen_time_in_days": 89},
        "89 days",
    ),
    # As recorded: with blank or 0 days every answer makes a new ticket (447, 463).
    "blank days": (
        {"follow_up_possible": "new_ticket_after_certain_time", "reopen_time_in_days": None},
        "every answer to a closed one, which is charged as one",
    ),
    "no days": (
        {"follow_up_possible": "new_ticket_after_certain_time", "reopen_time_in_days": 0},
        "blank or 0 days",
    ),
    "a rule of another version": ({"follow_up_possible": "ask_first"}, "not known (ask_first)"),
}


class TestGroups:
    @pytest.fixture(autouse=True)
    def with_an_address(self, desk: Desk) -> None:
        desk.row("Group", "Second Level")["email_address_id"] = 1

    @pytest.mark.parametrize(("change", "told"), GROUPS.values(), ids=GROUPS)
    def test_are_reported_and_not_changed(self, desk: Desk, change: Row, told: str) -> None:
        group = desk.row("Group", "Users")
        group.update(change)
        before = dict(group)
        (step,) = [step for step in set_up(desk) if step.action is Action.REPORT]
        assert (step.name, told in step.detail) == ("Users", True)
        assert "follow_up" not in str(change) or "90 days" in step.remedy
        assert group == before

    @pytest.mark.parametrize(
        ("rule", "days"), [("new_ticket_after_certain_time", 90), ("yes", None), ("yes", 10)]
    )
    def test_that_take_follow_ups_long_enough_are_not(
        self, desk: Desk, rule: str, days: int | None
    ) -> None:
        limit = {"follow_up_possible": rule, "reopen_time_in_days": days}
        desk.row("Group", "Users").update(limit)
        assert [step for step in set_up(desk) if step.action is Action.REPORT] == []

    def test_that_the_bridge_may_not_work_in_are_reported(self, desk: Desk) -> None:
        bridge = desk.box.model.access.actor(BRIDGE).user
        bridge["group_ids"] = {"1": ["full"], "2": ["read"]}
        (step,) = [step for step in set_up(desk) if step.action is Action.REPORT]
        assert (step.name, "cannot be charged" in step.detail) == ("Second Level", True)

    def test_may_be_open_to_the_bridge_by_a_role(self, desk: Desk) -> None:
        desk.box.model.access.actor(BRIDGE).user["group_ids"] = {"1": ["full"]}
        desk.row("Role", "Agent")["group_ids"] = {"2": ["full"]}
        assert [step for step in desk.setup().plan(WANTED) if step.action is Action.REPORT] == []

    def test_that_no_token_may_list_are_left_out(self, desk: Desk) -> None:
        body = b'{"error": "Not authorized (token)!"}'
        desk.box.model.faults.add(Fault("GET", "/api/v1/groups", status=403, body=body))
        desk.box.model.access.actor(BRIDGE).user["group_ids"] = {"1": ["full"]}
        assert [step for step in desk.setup().plan(WANTED) if step.action is Action.REPORT] == []

    def test_that_are_not_in_use_do_not_matter(self, desk: Desk) -> None:
        desk.row("Group", "Second Level").update(active=False, email_address_id=None)
        assert [step for step in desk.setup().plan(WANTED) if step.action is Action.REPORT] == []


def wrong_token(desk: Desk) -> ZammadSetup:
    return desk.setup(token="canary-wrong")


def wrong_setup_token(desk: Desk) -> ZammadSetup:
    return desk.setup(setup_token="canary-wrong")


def no_agent(desk: Desk) -> ZammadSetup:
    desk.box.model.access.add_token("customer", "carla@acme.example", "ticket.customer")
    return desk.setup(token="customer")


def too_much(desk: Desk) -> ZammadSetup:
    return desk.setup(token=Token.SETUP)


def no_setup_token(desk: Desk) -> ZammadSetup:
    return desk.setup(setup_token=None)


def no_group(desk: Desk) -> ZammadSetup:
    desk.box.model.access.actor(BRIDGE).user["group_ids"] = {}
    return desk.setup()


def a_missing_trigger(desk: Desk) -> ZammadSetup:
    gone = desk.row("Trigger", f"{TRIGGER_PREFIX}merged")
    del desk.box.model.store.tables["Trigger"][gone["id"]]
    return desk.setup()


def a_missing_field(desk: Desk) -> ZammadSetup:
    desk.box.model.attributes.drop("Ticket", "points_sla_state")
    return desk.setup()


def a_default(desk: Desk) -> ZammadSetup:
    desk.row("Attribute", "points_charged")["data_option"]["default"] = 0
    return desk.setup()


def a_missing_field_and_no_token(desk: Desk) -> ZammadSetup:
    desk.box.model.attributes.drop("Ticket", "points_sla_state")
    return desk.setup(setup_token=None)


def down(desk: Desk) -> ZammadSetup:
    desk.fault(Fault("*", "*", status=502), after=4)
    return desk.setup()


Spoil = Callable[[Desk], ZammadSetup]

WRONG: list[tuple[Spoil, Severity, str, str]] = [
    # what is spoilt, how bad that is, what is said of it, what is to be done about it
    (wrong_token, Severity.PROBLEM, "does not know the access token", "check"),
    (wrong_setup_token, Severity.PROBLEM, "does not know the setup token", "admin.object"),
    (no_agent, Severity.PROBLEM, "ticket.agent", "role of an agent"),
    (too_much, Severity.WARNING, "may also administer", "setup_token"),
    (no_setup_token, Severity.WARNING, "there is no setup token", "setup_token"),
    (no_group, Severity.PROBLEM, "full access to no group", "make it an agent"),
    (a_missing_trigger, Severity.PROBLEM, "merged is missing", "points-bridge setup support"),
    (a_missing_field, Severity.PROBLEM, "points_sla_state is missing", "setup support"),
    (a_missing_field_and_no_token, Severity.PROBLEM, "points_sla_state", "setup support"),
    (a_default, Severity.WARNING, "lacks an empty default", "setup support"),
    (down, Severity.PROBLEM, "502", "whether it runs"),
]


class TestTheCheck:
    @pytest.fixture(autouse=True)
    def sound(self, desk: Desk) -> None:
        desk.row("Group", "Second Level")["email_address_id"] = 1
        set_up(desk)

    @staticmethod
    def check(setup: ZammadSetup, now: datetime = NOW) -> list[Problem]:
        return setup.check(WANTED, lambda: now)

    def test_finds_nothing_where_all_is_well(self, desk: Desk) -> None:
        assert self.check(desk.setup()) == []

    @pytest.mark.parametrize(
        ("spoil", "severity", "what", "remedy"), WRONG, ids=[one[0].__name__ for one in WRONG]
    )
    def test_finds_what_is_wrong_and_says_what_to_do(
        self, desk: Desk, spoil: Spoil, severity: Severity, what: str, remedy: str
    ) -> None:
        found = self.check(spoil(desk))
        assert [one for one in found if (one.severity, what in one.what) == (severity, True)], found
        assert any(remedy in one.remedy for one in found if what in one.what)
        assert "canary" not in repr(found)

    @pytest.mark.parametrize(
        ("ahead", "severity"),
        [
            (timedelta(seconds=31), Severity.WARNING),
            (timedelta(seconds=-31), Severity.WARNING),
            (timedelta(minutes=6), Severity.PROBLEM),
        ],
    )
    def test_finds_a_clock_that_is_wrong(
        self, desk: Desk, ahead: timedelta, severity: Severity
    ) -> None:
        (found,) = self.check(desk.setup(), NOW - ahead)
        assert (found.severity, found.where) == (severity, "clock")
        assert "NTP" in found.remedy

    def test_does_not_compare_an_address_that_nobody_named(self, desk: Desk) -> None:
        desk.row("Webhook", layout.WEBHOOK)["endpoint"] = "https://elsewhere.example"
        assert desk.setup().check(Wanted(None), lambda: NOW) == []

    def test_changes_nothing(self, desk: Desk) -> None:
        before = len(desk.box.model.calls)
        self.check(desk.setup())
        assert {call.method for call in desk.box.model.calls[before:]} == {"GET"}


class TestTheProbe:
    def test_is_accepted_by_the_adapter_and_is_about_no_ticket(self, desk: Desk) -> None:
        probe = desk.setup().probe()
        assert probe
        headers = {name.lower(): value for name, value in probe.headers.items()}
        delivery = HttpDelivery(headers, probe.body, NOW)
        adapter = Zammad(ZammadConfig(URL, Token.BRIDGE, (SECRET,)))
        adapter.verify(delivery)
        assert adapter.parse(delivery) is None
        assert "sha1" not in repr(probe)

    def test_needs_a_secret(self, desk: Desk) -> None:
        assert desk.setup(secret=None).probe() is None


class TestTheTrials:
    @pytest.fixture
    def fired(self, desk: Desk) -> Callable[[], list[tuple[str, str]]]:
        set_up(desk)

        def deliveries() -> list[tuple[str, str]]:
            return [(one.trigger, str(one.ticket_id)) for one in desk.box.webhooks.deliveries]

        return deliveries

    def test_fire_every_trigger_once_and_leave_no_open_ticket(
        self, desk: Desk, fired: Callable[[], list[tuple[str, str]]]
    ) -> None:
        acted = []
        *trials, untried = desk.setup(setup_token=Token.ADMIN).trials()
        for trial in trials:
            assert trial.act is not None
            acted.append((trial.event, trial.act()))
            assert acted[-1] in fired()
        assert (untried.act, "no organisation" in untried.reason) == (None, True)
        assert {untried.event, *(event for event, _ in acted)} == {
            TRIGGER_PREFIX + name for name in trigger_conditions(4)
        }
        states = {row["state_id"] for row in desk.rows("Ticket") if row["id"] != desk.ticket}
        assert states == {4, 5}
        assert {row["organization_id"] for row in desk.rows("Ticket")[1:]} == {None}

    def test_of_a_merge_that_did_not_come_about_await_nothing(self, desk: Desk) -> None:
        """Nothing would arrive, and the receiver would be suspected."""
        set_up(desk)
        trials = {one.event: one.act for one in desk.setup(setup_token=Token.ADMIN).trials()}
        refused = Fault("PUT", "/api/v1/ticket_merge/*", status=200, body=b'{"result": "failed"}')
        desk.box.model.faults.add(refused)
        created = trials[f"{TRIGGER_PREFIX}created"]
        assert created
        created()
        for event, said in (("merged", "does not merge"), ("received a merge", "did not come")):
            act = trials[f"{TRIGGER_PREFIX}{event}"]
            assert act
            with pytest.raises(HelpdeskRefused, match=said):
                act()

    def test_of_the_bridges_own_user_prove_only_what_has_no_guard(
        self, desk: Desk, fired: Callable[[], list[tuple[str, str]]]
    ) -> None:
        trials = desk.setup().trials()
        possible = [trial for trial in trials if trial.act]
        assert [trial.event.removeprefix(TRIGGER_PREFIX) for trial in possible] == [
            "created",
            "merged",
            "received a merge",
        ]
        assert all("own user" in trial.reason for trial in trials[:-1] if trial.act is None)
        assert all((trial.event, trial.act()) in fired() for trial in possible if trial.act)
        states = {row["state_id"] for row in desk.rows("Ticket") if row["id"] != desk.ticket}
        assert states == {4, 5}

    @pytest.mark.parametrize("login", [ADMIN, BRIDGE])
    def test_are_refused_where_a_ticket_would_cost_points(self, desk: Desk, login: str) -> None:
        desk.box.model.access.actor(login).user["organization_id"] = 1
        with pytest.raises(HelpdeskRefused, match="cost it points"):
            desk.setup(setup_token=Token.ADMIN).trials()

    def test_need_a_group(self, desk: Desk) -> None:
        desk.box.model.access.actor(ADMIN).user["group_ids"] = {}
        with pytest.raises(HelpdeskRefused, match="no group"):
            desk.setup(setup_token=Token.ADMIN).trials()

    def test_need_the_first_ticket(self, desk: Desk) -> None:
        second = desk.setup(setup_token=Token.ADMIN).trials()[1]
        assert second.act is not None
        with pytest.raises(HelpdeskRefused, match="no test ticket"):
            second.act()


def test_no_failure_tells_a_secret(desk: Desk) -> None:
    """Whatever answers, and wherever it fails."""
    desk.box.model.access.add_token("canary-token", AGENT, "ticket.agent", "admin.webhook")
    setup = desk.setup(token="canary-token", setup_token="canary-token")
    told = [repr(setup)]
    for step in desk.setup().plan(WANTED):
        echo = f'{{"error": "no {SECRET} for you"}}'.encode()
        desk.fault(Fault("*", "*", status=403, body=echo))
        with pytest.raises(BridgeError) as failed:
            step.apply() if step.changes else setup.plan(WANTED)
        told.append(f"{failed.value!r} {failed.value}")
    assert "canary" not in " ".join(told)
