"""What a Zammad has that differs from what it should: what is mended, what stays, what stops it."""

from dataclasses import replace

import pytest
import responses

from bridge.adapters.provisioning import Action
from bridge.adapters.zammad.adapter import Zammad, ZammadConfig
from bridge.adapters.zammad.setup import layout
from bridge.adapters.zammad.setup.layout import TRIGGER_PREFIX
from bridge.errors import HelpdeskRefused, HelpdeskUnavailable
from bridge.sandbox.zammad import ADMIN, Fault, Token
from bridge.ticket import Fields, PointsState, TicketUpdate
from tests.adapters.zammad_desk import (
    ATTRIBUTES,
    ENDPOINT,
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
    "the overview is sorted otherwise": ("Overview", "Points: due", {
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
        assert "activity" in named(plan, "points_state").detail
        options = row["data_option"]["options"]
        assert options.keys() == {*PointsState, "our_own"}
        assert (options["charged"], row["display"], row["active"]) == ("bezahlt", "Punkte", True)
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
        desk.row("Overview", "Points: due").update(role_ids=[1], view={}, active=False)
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
