"""Setting a Zendesk up, on the stand-in over loopback: what is made, what stays, what is told."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta

import pytest

from bridge.adapters.provisioning import Action, Wanted
from bridge.adapters.resources import MARKER
from bridge.adapters.zendesk.adapter import Zendesk
from bridge.adapters.zendesk.setup import layout
from bridge.adapters.zendesk.setup.layout import TRIGGER_PREFIX, trigger_conditions
from bridge.adapters.zendesk.values import ACCOUNT_FIELD_TYPES, FIELD_TYPES
from bridge.errors import HelpdeskRefused, HelpdeskUnavailable
from bridge.sandbox.zendesk import Fault
from bridge.ticket import Fields, PointsState, SlaState, TicketUpdate
from tests.adapters.zendesk_account import (
    CHANGED,
    CREATED,
    ENDPOINT,
    HOOKS,
    NOW,
    SECRET,
    WANTED,
    Desk,
    Row,
    changes,
    named,
    opened_account,
    set_up,
    take_away,
)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with opened_account() as desk:
        yield desk


class TestAnEmptyZendesk:
    def test_is_set_up_once_and_then_there_is_nothing_to_do(self, desk: Desk) -> None:
        first = set_up(desk)
        assert {step.action for step in first} == {Action.MAKE}
        assert [name for _, name in changes(first)][: len(FIELD_TYPES)] == list(FIELD_TYPES)
        second = desk.setup().plan(WANTED)
        assert {step.action for step in second} == {Action.KEEP}
        assert len(second) == len(first) - len(desk.kept)

    def test_has_the_same_state_after_a_second_run(self, desk: Desk) -> None:
        set_up(desk)
        before = desk.state()
        for step in desk.setup().plan(WANTED):
            step.apply()
        assert desk.state() == before

    def test_gets_triggers_that_use_its_webhook(self, desk: Desk) -> None:
        set_up(desk)
        rows = {row["title"].removeprefix(TRIGGER_PREFIX): row for row in desk.rows("triggers")}
        assert {event: row["conditions"] for event, row in rows.items()} == trigger_conditions()
        hook = desk.row("webhooks", layout.WEBHOOK)
        assert {row["actions"][0]["value"][0] for row in rows.values()} == {hook["id"]}
        assert hook["endpoint"] == ENDPOINT

    def test_gets_a_webhook_for_the_events_that_no_trigger_tells(self, desk: Desk) -> None:
        """ "plus event webhooks for merged, deleted, undeleted, spam" """
        set_up(desk)
        hook = desk.row("webhooks", layout.EVENTS)
        assert {kind.rpartition(".")[2] for kind in hook["subscriptions"]} >= {
            "merged",
            "soft_deleted",
            "undeleted",
            "marked_as_spam",
        }
        assert hook["endpoint"] == ENDPOINT

    def test_gets_a_view_sorted_by_what_is_due_first(self, desk: Desk) -> None:
        set_up(desk)
        (view,) = [row for row in desk.state()["views"] if row["title"] == "Points: due"]
        assert (view["output"]["sort_by"], view["output"]["sort_order"]) == (
            "points_response_due_date",
            "asc",
        )

    @pytest.mark.parametrize(
        ("fields", "found"),
        [
            (Fields(PointsState.CHARGED, 10, 0, None, NOW, SlaState.AT_RISK), ["Points: due"]),
            (Fields(PointsState.CHARGED, 10, 0, None, NOW, SlaState.BREACHED), ["Points: due"]),
            (Fields(PointsState.CHARGED, 10, 0, sla=SlaState.BREACHED), []),
            (Fields(PointsState.CHARGED, 10, 0, sla=SlaState.MET), []),
            (Fields(PointsState.AWAITING_POINTS, 0, 0), ["Points: waiting"]),
            (Fields(PointsState.REVIEW, 10, 0, sla=SlaState.MET), ["Points: review"]),
        ],
        ids=["due", "late", "answered late", "answered", "waiting", "review"],
    )
    def test_gets_views_of_what_is_due_waits_or_is_for_review(
        self, desk: Desk, fields: Fields, found: list[str]
    ) -> None:
        set_up(desk)
        model = desk.box.model
        model.add_customer("Carla", "carla@acme.example")
        ticket = model.customer_mails("carla@acme.example", "Help", "Now.")
        model.customer_mails("carla@acme.example", "Another", "Now.")
        Zendesk(desk.config()).write(TicketUpdate(str(ticket), fields))
        views = {row["title"]: model.rules.tickets(row) for row in desk.rows("views")}
        assert len(views) == 3
        assert {title: [one["id"] for one in rows] for title, rows in views.items() if rows} == (
            {title: [ticket] for title in found}
        )

    def test_renames_the_view_of_an_earlier_version_and_leaves_its_columns(
        self, desk: Desk
    ) -> None:
        set_up(desk)
        row = desk.row("views", "Points: due")
        row |= {"title": "Support points: first response due", "output": {"columns": ["subject"]}}
        assert changes(set_up(desk)) == [(Action.CHANGE, "Points: due")]
        assert desk.row("views", "Points: due")["output"] == {"columns": ["subject"]}
        assert len(desk.rows("views")) == 3

    def test_leaves_a_view_of_that_name_that_somebody_else_made(self, desk: Desk) -> None:
        set_up(desk)
        row = desk.row("views", "Points: due")
        row |= {"title": "Support points: first response due", "description": "mine"}
        assert changes(set_up(desk)) == [(Action.MAKE, "Points: due")]
        assert desk.row("views", "Support points: first response due")["description"] == "mine"

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
        plan = desk.setup(desk.config(zone_field="time_zone")).plan(WANTED)
        (step,) = named(plan, "time_zone", "organisation field")
        assert (step.action, step.required) == (Action.MAKE, False)

    def test_gets_fields_for_points_on_organisations_where_they_are_to_be_shown(
        self, desk: Desk
    ) -> None:
        keys = set(ACCOUNT_FIELD_TYPES)
        assert not keys & {step.name for step in desk.setup().plan(WANTED) if "org" in step.kind}
        for step in desk.setup(desk.config(show_balance=True)).plan(WANTED):
            if step.changes:
                step.apply()
        shown = {row["key"]: row["type"] for row in desk.rows("organization_fields")}
        assert {key: shown[key] for key in keys} == ACCOUNT_FIELD_TYPES
        desk.row("organization_fields", "Points: balance")["type"] = "text"
        plan = desk.setup(desk.config(show_balance=True)).plan(WANTED)
        (step,) = named(plan, "points_balance", "organisation field")
        assert (step.action, "holds no integer" in step.detail) == (Action.REPORT, True)

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


def test_open_tickets_are_found_by_the_time_of_their_creation(desk: Desk) -> None:
    model = desk.box.model
    model.add_customer("Carla", "carla@acme.example")
    tickets = [
        model.customer_mails("carla@acme.example", f"No. {n}", "Please.") for n in range(250)
    ]
    model.agent_solves(tickets[0])
    found = list(desk.setup().open_tickets(NOW - timedelta(seconds=1)))
    assert found == [str(ticket) for ticket in tickets[1:]]
    assert list(desk.setup().open_tickets(NOW)) == []


CUTS = {
    "500": Fault("*", "*", status=500),
    "500 after the work was done": Fault("*", "*", status=500, carried_out=True),
    "connection lost": Fault("*", "*", drop=True),
    "connection lost after the work was done": Fault("*", "*", drop=True, carried_out=True),
}


def cut_everywhere(
    desk: Desk, fault: Fault, prepare: Callable[[], object], act: Callable[[], object]
) -> int:
    """Cut every single call of `act` in turn, and run it again where it meets something new.

    How many calls it made.
    """
    prepare()
    start = len(desk.box.model.calls)
    act()
    expected, calls = desk.state(), list(desk.box.model.calls[start:])
    met: list[object] = []
    for cut, call in enumerate(calls):
        if call.method == "GET" and (fault.carried_out or fault.drop == cut % 2):
            continue  # nothing is carried out by it, and it fails in either way in turn
        desk.renew()
        prepare()
        desk.box.model.faults.add(Fault("*", "*"), times=cut)
        desk.box.model.faults.add(fault, times=2 if fault.drop else 1)
        with pytest.raises(HelpdeskUnavailable):
            act()
        desk.box.model.faults.clear()
        if (left := desk.state()) in met:
            continue  # from there it went on before: two reads leave the same
        met.append(left)
        act()
        assert desk.state() == expected, f"cut at call {cut}"
    return len(calls)


@pytest.mark.parametrize("fault", CUTS.values(), ids=CUTS)
class TestAnInterruption:
    def test_of_a_setup_is_made_good_by_the_next_run(self, desk: Desk, fault: Fault) -> None:
        made = len(FIELD_TYPES) + 3 + 2 + 2 + 3
        assert cut_everywhere(desk, fault, lambda: None, lambda: set_up(desk)) > made

    def test_of_a_removal_is_made_good_by_the_next_run(self, desk: Desk, fault: Fault) -> None:
        assert cut_everywhere(desk, fault, lambda: set_up(desk), lambda: take_away(desk)) > 3
        assert desk.rows("webhooks") == desk.rows("triggers") == desk.rows("views") == []


def test_fields_are_hidden_until_the_next_setup(desk: Desk) -> None:
    set_up(desk)
    for step in desk.setup().removal(hide_fields=True):
        step.apply()
    assert not any(desk.row("ticket_fields", key)["active"] for key in FIELD_TYPES)
    assert desk.setup().removal(hide_fields=True) == ()
    set_up(desk)
    assert all(desk.row("ticket_fields", key)["active"] for key in FIELD_TYPES)


@pytest.mark.parametrize("cut", range(0, 40, 3))
def test_a_connection_that_zendesk_closes_ends_no_setup(desk: Desk, cut: int) -> None:
    desk.box.model.faults.add(Fault("*", "*"), times=cut)
    desk.box.model.faults.add(Fault("[GPD][EUAT]*", "/api/v2/*", drop=True))
    set_up(desk)
    assert changes(desk.setup().plan(WANTED)) == []


class TestDrift:
    @pytest.mark.parametrize(
        ("table", "name", "damage"),
        [
            ("triggers", CREATED, {"active": False}),
            ("triggers", CHANGED, {"conditions": trigger_conditions()["created"]}),
            ("triggers", CHANGED, {"actions": [{"field": "status", "value": "open"}]}),
            ("webhooks", layout.WEBHOOK, {"endpoint": "https://old.example"}),
            ("webhooks", layout.WEBHOOK, {"status": "inactive"}),
            ("webhooks", layout.EVENTS, {"subscriptions": ["zen:event-type:ticket.merged"]}),
            ("views", "Points: due", {"active": False}),
            ("views", "Points: due", {"conditions": {"all": [], "any": []}}),
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

    @pytest.mark.parametrize(
        ("table", "name", "harmless"),
        [
            ("webhooks", layout.EVENTS, {"subscriptions": [*reversed(layout.EVENT_TYPES)]}),
            ("views", "Points: due", {"output": {"sort_by": None, "columns": ["subject"]}}),
            ("triggers", CREATED, {"position": 99, "category_id": "7"}),
        ],
    )
    def test_of_what_admins_may_choose_is_none(
        self, desk: Desk, table: str, name: str, harmless: Row
    ) -> None:
        set_up(desk)
        desk.row(table, name).update(harmless)
        assert changes(desk.setup().plan(WANTED)) == []

    def test_is_none_where_zendesk_shows_the_same_in_another_form(self, desk: Desk) -> None:
        """Its page names conditions without an operator, and ids are numbers or texts."""
        set_up(desk)
        row = desk.row("triggers", CHANGED)
        first, guard = row["conditions"]["all"]
        row["conditions"]["all"] = [guard | {"value": 5}, {k: first[k] for k in ("field", "value")}]
        assert changes(desk.setup().plan(WANTED)) == []

    @pytest.mark.parametrize(
        "damage", [{"active": False}, {"actions": []}, {"conditions": {"all": [], "any": []}}]
    )
    def test_of_a_trigger_is_mended_with_both_of_its_arrays(self, desk: Desk, damage: Row) -> None:
        """Zendesk: "Updating a condition or action updates both the conditions and actions arrays,
        clearing all existing values of both arrays."
        """
        set_up(desk)
        before = desk.state()
        desk.row("triggers", CHANGED).update(damage)
        set_up(desk)
        assert desk.state() == before

    def test_is_none_where_channels_are_shown_as_words(self, desk: Desk) -> None:
        """An account was seen to show `web` for the number that it had been sent, and to refuse
        the word.
        """
        set_up(desk)
        desk.box.model.rules.channels_as_words = True
        assert changes(desk.setup().plan(WANTED)) == []
        desk.row("triggers", CHANGED)["active"] = False
        assert changes(set_up(desk)) == [(Action.CHANGE, CHANGED)]
        assert changes(desk.setup().plan(WANTED)) == []

    @pytest.mark.parametrize("value", ["web", "6", "mobile_sdk"])
    def test_of_the_guard_to_another_channel_is_seen(self, desk: Desk, value: str) -> None:
        set_up(desk)
        desk.row("triggers", CHANGED)["conditions"]["all"][1]["value"] = value
        assert changes(desk.setup().plan(WANTED)) == [(Action.CHANGE, CHANGED)]

    def test_of_an_option_has_a_name_that_people_use(self, desk: Desk) -> None:
        set_up(desk)
        options = desk.row("ticket_fields", "points_state")["custom_field_options"]
        names = {option["value"]: option["name"] for option in options}
        assert names["points_state_free_reopen"] == "free re-open"
        assert names["points_state_awaiting_points"] == "awaiting points"

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
        hook = desk.add_webhook(description=MARKER)
        desk.add_trigger(CHANGED, hook, MARKER)
        desk.add_trigger(f"{TRIGGER_PREFIX}tagged", hook, MARKER)
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
            desk.add_webhook(name=layout.EVENTS, subscription="zen:event-type:ticket.merged"),
        ]
        theirs += [desk.add_trigger(CREATED, theirs[0]), desk.add_trigger("mine", theirs[2])]
        before = deepcopy(theirs)
        reported = [s for s in set_up(desk) if s.action is Action.REPORT and not s.required]
        assert sorted((step.kind, step.name) for step in reported) == [
            ("trigger", CREATED),
            ("webhook", "by hand"),
            ("webhook", layout.WEBHOOK),
            ("webhook", layout.EVENTS),
        ]
        assert changes(desk.setup().plan(WANTED)) == []
        take_away(desk)
        assert theirs == before
        assert len(desk.rows("webhooks")) == 4
        assert len(desk.rows("triggers")) == 2

    def test_that_go_elsewhere_are_no_matter(self, desk: Desk) -> None:
        desk.add_webhook(name="shop", endpoint="https://shop.example")
        assert [step for step in set_up(desk) if step.action is Action.REPORT] == []

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
        kinds = ["trigger", "trigger", "webhook", "webhook", "view", "view", "view"]
        assert [step.kind for step in take_away(desk)] == kinds
        assert (desk.rows("ticket_fields"), desk.rows("organization_fields")) == fields
        assert desk.setup().removal() == ()

    def test_can_be_followed_by_a_setup(self, desk: Desk) -> None:
        set_up(desk)
        before = desk.state()
        take_away(desk)
        set_up(desk)
        assert desk.state() == before


class TestSecrets:
    """Zendesk makes the signing secrets, and takes none: "webhooks with their secret"."""

    def test_are_kept_for_both_webhooks(self, desk: Desk) -> None:
        set_up(desk)
        assert desk.kept == {hook.secret: desk.secret(hook.name) for hook in HOOKS}
        assert len(set(desk.kept.values())) == 2

    def test_are_kept_before_a_trigger_can_use_them(self, desk: Desk) -> None:
        kinds = [step.kind for step in desk.setup().plan(WANTED)]
        last = len(kinds) - 1 - kinds[::-1].index("signing secret")
        assert last < kinds.index("trigger")

    @pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
    def test_that_were_rotated_are_kept_anew(self, desk: Desk, hook: layout.Hook) -> None:
        set_up(desk)
        desk.box.model.hooks.rotate(desk.row("webhooks", hook.name)["id"])
        assert changes(set_up(desk)) == [(Action.CHANGE, hook.name)]
        assert desk.kept[hook.secret] == desk.secret(hook.name)
        assert changes(desk.setup().plan(WANTED)) == []

    def test_in_the_environment_are_not_written_over(self, desk: Desk) -> None:
        desk.environ = {"webhook_secret": SECRET}
        plan = set_up(desk)
        (step,) = named(plan, layout.WEBHOOK, "signing secret")
        assert (step.action, step.required) == (Action.REPORT, True)
        assert "unset POINTS_BRIDGE_SUPPORT_WEBHOOK_SECRET" in step.remedy
        assert desk.kept.keys() == {"event_webhook_secret"}
        desk.environ = {"webhook_secret": desk.secret()}
        assert {step.action for step in desk.setup().plan(WANTED)} == {Action.KEEP}

    def test_are_shown_to_nobody(self, desk: Desk) -> None:
        desk.environ = {"webhook_secret": SECRET}
        shown = repr([set_up(desk), desk.setup().plan(WANTED), desk.setup()])
        secrets = [SECRET, *(desk.secret(hook.name) for hook in HOOKS)]
        assert not any(secret in shown for secret in secrets)


class TestAZendeskWithoutEvents:
    """Whether every plan of Zendesk's has events of tickets is not known: they are optional."""

    def test_is_set_up_all_the_same(self, desk: Desk) -> None:
        def refuse_events() -> None:
            spec = "subscriptions: is not included in the list"
            body = f'{{"errors": [{{"code": "InvalidWebhook", "title": "{spec}"}}]}}'.encode()
            desk.box.model.faults.add(Fault("POST", "/api/v2/webhooks", status=400, body=body))

        for step in desk.setup().plan(WANTED):
            if step.name == layout.EVENTS:
                assert not step.required
                refuse_events()
                with pytest.raises(HelpdeskRefused, match=r"is not included|has no webhook"):
                    step.apply()
                desk.box.model.faults.clear()
            elif step.changes:
                step.apply()
        assert [name for _, name in changes(desk.setup().plan(WANTED))] == [layout.EVENTS] * 2
