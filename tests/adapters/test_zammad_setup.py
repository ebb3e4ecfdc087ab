"""Setting a Zammad up, on the stand-in: what is made, also after a cut and for the last release."""

from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta

import pytest
import responses

from bridge.adapters.provisioning import Action, Plan, Severity
from bridge.adapters.zammad.adapter import Zammad, ZammadConfig
from bridge.adapters.zammad.setup import layout
from bridge.adapters.zammad.setup.layout import HIDING, TRIGGER_PREFIX, trigger_conditions
from bridge.adapters.zammad.setup.provisioner import ZammadSetup
from bridge.errors import HelpdeskRefused, HelpdeskUnavailable
from bridge.sandbox.zammad import AGENT, BRIDGE, Fault, Token
from bridge.sandbox.zammad.conditions import OPERATORS
from bridge.ticket import Fields, PointsState, SlaState, TicketUpdate
from tests.adapters.zammad_desk import (
    CUTS,
    ENDPOINT,
    NOW,
    SECRET,
    URL,
    WANTED,
    Desk,
    Row,
    carry_out,
    changes,
    named,
    set_up,
    take_away,
)


@pytest.fixture
def desk(vendor: responses.RequestsMock) -> Desk:
    return Desk(vendor)


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
        assert [step.kind for step in first if step.changes].count("ticket field") == 8
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
        overview = desk.row("Overview", "Points: due")
        assert overview["order"] == {"by": "points_response_due", "direction": "ASC"}
        assert 2 in overview["role_ids"]
        assert overview["condition"]["ticket.state_id"]["value"] == ["1", "2", "3", "7"]

    @pytest.mark.parametrize(
        ("fields", "found"),
        [
            (Fields(PointsState.CHARGED, 10, 0, None, NOW, SlaState.RUNNING), ["Points: due"]),
            (Fields(PointsState.CHARGED, 10, 0, None, NOW, SlaState.BREACHED), ["Points: due"]),
            (Fields(PointsState.CHARGED, 10, 0, sla=SlaState.BREACHED), []),
            (Fields(PointsState.CHARGED, 10, 0, sla=SlaState.MET), []),
            (Fields(PointsState.AWAITING_POINTS, 0, 0), ["Points: waiting"]),
            (Fields(PointsState.REVIEW, 10, 0, sla=SlaState.MET), ["Points: review"]),
        ],
        ids=["due", "late", "answered late", "answered", "waiting", "review"],
    )
    def test_gets_overviews_of_what_is_due_waits_or_is_for_review(
        self, desk: Desk, fields: Fields, found: list[str]
    ) -> None:
        set_up(desk)
        Zammad(ZammadConfig(URL, Token.BRIDGE, (SECRET,))).write(
            TicketUpdate(str(desk.ticket), fields)
        )
        ticket = desk.box.model.ticket(desk.ticket)

        def holds(condition: Row) -> bool:
            return all(
                OPERATORS[row["operator"]](ticket[name.removeprefix("ticket.")], row["value"])
                for name, row in condition.items()
            )

        rows = desk.rows("Overview")
        assert [row["name"] for row in rows if holds(row["condition"])] == found
        assert len(rows) == 3

    def test_gets_names_that_fit_into_a_menu_and_into_columns(self, desk: Desk) -> None:
        set_up(desk)
        assert max(len(row["name"]) for row in desk.rows("Overview")) <= 20
        assert max(len(one.display) for one in layout.TICKET_FIELDS) <= 26

    def test_gets_fields_that_are_read_only_in_the_browser(self, desk: Desk) -> None:
        """As recorded: `set_readonly` on the screens of editing and creating (269, 272)."""
        set_up(desk)
        workflow = desk.row("CoreWorkflow", layout.WORKFLOW)
        assert workflow["perform"].keys() == {f"ticket.{one.name}" for one in layout.TICKET_FIELDS}
        assert workflow["preferences"] == {"screen": ["create_middle", "edit"]}

    def test_gets_fields_that_hide_while_they_are_empty(self, desk: Desk) -> None:
        """As measured: `condition_saved` "not set" and `hide`; they come back when filled."""
        set_up(desk)
        hiding = [row for row in desk.rows("CoreWorkflow") if row["name"].startswith(HIDING)]
        hidden = {
            name.removeprefix("ticket."): condition
            for row in hiding
            for name in row["perform"]
            for condition in [row["condition_saved"]]
        }
        assert hidden.keys() == {one.name for one in layout.TICKET_FIELDS}
        assert hidden["points_next_expiry"] == {
            "ticket.points_next_expiry": {"operator": "not set", "value": []}
        }
        undecided = {"ticket.points_state": {"operator": "not set", "value": []}}
        assert hidden["points_charged"] == hidden["points_balance"] == undecided
        hide = {"operator": ["hide"], "hide": "true"}
        assert all(act == hide for row in hiding for act in row["perform"].values())

    def test_gets_the_summary_before_all_other_fields_that_were_added(self, desk: Desk) -> None:
        set_up(desk)
        rows = [row for row in desk.rows("Attribute") if row["object"] == "Ticket"]
        assert min(rows, key=lambda row: row["position"])["name"] == "points_summary"
        assert [one.name for one in layout.TICKET_FIELDS][:3] == [
            "points_summary",
            "points_state",
            "points_response_due",
        ]

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


def test_open_tickets_are_found_by_the_time_of_their_creation(desk: Desk) -> None:
    model, closed = desk.box.model, desk.ticket
    opened = [model.customer_mails("carla@acme.example", str(n), "Please.") for n in range(250)]
    model.agent_closes(closed)
    found = list(desk.setup().open_tickets(NOW - timedelta(seconds=1)))
    assert sorted(found) == sorted(str(ticket) for ticket in opened)
    assert list(desk.setup().open_tickets(NOW)) == []


class TestAnInterruptedSetup:
    @pytest.mark.parametrize("fault", CUTS.values(), ids=CUTS)
    def test_goes_on_from_any_call_to_the_same_end(
        self, vendor: responses.RequestsMock, fault: Fault
    ) -> None:
        """Every single call is cut in turn; then the command is run again, where it meets new."""
        whole = Desk(vendor, native_slas=True)
        set_up(whole)
        expected, calls = whole.state(), list(whole.box.model.calls)
        assert sum(call.method != "GET" for call in calls) == 36
        met: list[object] = []
        for cut, call in enumerate(calls):
            if call.method == "GET" and (fault.carried_out or fault.drop == cut % 2):
                continue  # nothing is carried out by it, and it fails in either way in turn
            vendor.reset()
            desk = Desk(vendor, native_slas=True)
            desk.fault(fault, after=cut)
            with pytest.raises(HelpdeskUnavailable):
                set_up(desk)
            if (left := deepcopy(desk.state())) in met:
                continue  # from there it went on before: two reads leave the same
            met.append(left)
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


class TestAConnectionThatZammadCloses:
    """Between two calls, as it does with idle ones: no set-up ends for that."""

    @pytest.mark.parametrize("cut", range(0, 60, 3))
    def test_is_tried_once_more_for_what_may_be_repeated(self, desk: Desk, cut: int) -> None:
        desk.box.model.faults.add(Fault("*", "*"), times=cut)
        desk.box.model.faults.add(Fault("[GPD][EUT]*", "*", drop=True))
        set_up(desk)
        assert changes(desk.setup().plan(WANTED)) == []

    def test_is_not_for_what_makes_something(self, desk: Desk) -> None:
        desk.box.model.faults.add(Fault("POST", "/api/v1/webhooks", drop=True, carried_out=True))
        with pytest.raises(HelpdeskUnavailable):
            set_up(desk)
        assert len(desk.rows("Webhook")) == 1


class TestHiding:
    def test_takes_fields_out_of_sight_until_the_next_setup(self, desk: Desk) -> None:
        set_up(desk)
        hidden = [
            step.name for step in desk.setup().removal(hide_fields=True) if "field" in step.kind
        ]
        assert {one.name for one in layout.TICKET_FIELDS} <= set(hidden)
        carry_out(desk.setup().removal(hide_fields=True))
        assert not any(row["active"] for row in desk.rows("Attribute") if row["name"] in hidden)
        assert changes(desk.setup().removal(hide_fields=True)) == []
        set_up(desk)
        assert all(row["active"] for row in desk.rows("Attribute") if row["name"] in hidden)

    def test_leaves_what_is_not_about_points(self, desk: Desk) -> None:
        set_up(desk)
        carry_out(desk.setup().removal(hide_fields=True))
        assert desk.row("Attribute", "support_timezone")["active"]


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


class TestAnInstallationOfTheLastRelease:
    """It had no summary, hid nothing, one overview, long names, seven triggers, points that began
    as 0, and its user was told of every write of its own."""

    @pytest.fixture
    def upgraded(self, desk: Desk) -> Plan:
        set_up(desk)
        new = desk.row("Trigger", f"{TRIGGER_PREFIX}organization changed")
        del desk.box.model.store.tables["Trigger"][new["id"]]
        desk.box.model.attributes.drop("Ticket", "points_summary")
        for name, display in layout._LONG_NAMES.items():
            desk.row("Attribute", name)["display"] = display
        overviews = desk.box.model.store.tables["Overview"]
        desk.row("Overview", "Points: due").update(
            name="Support points: first response due", condition={}, role_ids=[1]
        )
        for name in ("Points: waiting", "Points: review"):
            del overviews[desk.row("Overview", name)["id"]]
        for row in desk.rows("CoreWorkflow"):
            if row["name"].startswith(HIDING):
                del desk.box.model.store.tables["CoreWorkflow"][row["id"]]
        desk.bridge["preferences"] = deepcopy(desk.preferences)
        for row in desk.rows("Attribute"):
            if row["data_type"] == "integer":
                row["data_option"]["default"] = 0
        return set_up(desk)

    def test_is_upgraded_by_a_setup_alone(self, desk: Desk, upgraded: Plan) -> None:
        assert changes(upgraded) == [
            (Action.MAKE, "points_summary"),
            *[(Action.CHANGE, name) for name in ("points_response_due", "points_sla_state")],
            *[(Action.CHANGE, name) for name in ("points_charged", *["points_balance"] * 2)],
            (Action.MAKE, "of the fields"),
            (Action.MAKE, f"{TRIGGER_PREFIX}organization changed"),
            (Action.CHANGE, "Points: due"),
            *[(Action.MAKE, name) for name in ("Points: waiting", "Points: review")],
            *[(Action.MAKE, name) for name in layout.workflows() if name.startswith(HIDING)],
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

    def test_has_shorter_names_and_what_its_admin_chose(self, desk: Desk, upgraded: Plan) -> None:
        assert "name" in named(upgraded, "Points: due").detail
        assert desk.row("Overview", "Points: due")["role_ids"] == [1]
        assert len(desk.rows("Overview")) == 3
        assert "a short name" in named(upgraded, "points_sla_state").detail
        assert not named(upgraded, "points_sla_state").required
        assert desk.row("Attribute", "points_sla_state")["display"] == "Points: answer"

    def test_loses_its_overview_by_a_removal_under_the_old_name_too(self, desk: Desk) -> None:
        set_up(desk)
        desk.row("Overview", "Points: due")["name"] = "Support points: first response due"
        take_away(desk)
        assert desk.rows("Overview") == []

    def test_keeps_its_tickets_and_takes_the_summary_with_the_next_write(
        self, desk: Desk, upgraded: Plan
    ) -> None:
        """A field that is new is no reason to write: agents would be mailed of every ticket."""
        assert named(upgraded, "points_summary").action is Action.MAKE
        adapter = Zammad(ZammadConfig(URL, Token.BRIDGE, (SECRET,)))
        fields = Fields(PointsState.CHARGED, 10, 40, summary="charged 10 · $balance left")
        adapter.write(TicketUpdate(str(desk.ticket), replace(fields, summary="")))
        assert adapter.shows(adapter.fetch(str(desk.ticket)), fields)
        adapter.write(TicketUpdate(str(desk.ticket), fields))
        assert desk.box.model.ticket(desk.ticket)["points_summary"] == "charged 10 · 40 left"
        typed = replace(fields, summary="free for all")
        assert not adapter.shows(adapter.fetch(str(desk.ticket)), typed)

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
