"""What is wrong with a Zammad, by its check: permissions, groups, secrets; and the test tickets."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import responses

from bridge.adapters.provisioning import Action, Problem, Severity, Wanted
from bridge.adapters.zammad.adapter import Zammad, ZammadConfig
from bridge.adapters.zammad.setup import admin, layout
from bridge.adapters.zammad.setup.layout import TRIGGER_PREFIX, trigger_conditions
from bridge.adapters.zammad.setup.provisioner import ZammadSetup
from bridge.errors import BridgeError, HelpdeskRefused
from bridge.sandbox.zammad import (
    ADMIN,
    AGENT,
    BRIDGE,
    Fault,
    RawRequest,
    Token,
)
from bridge.ticket import HttpDelivery
from tests.adapters.zammad_desk import (
    AUTO_REPLY,
    NOW,
    SECRET,
    URL,
    WANTED,
    Desk,
    Row,
    set_up,
)


@pytest.fixture
def desk(vendor: responses.RequestsMock) -> Desk:
    return Desk(vendor)


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

    def test_of_an_agent_are_asked_for_as_well(self, desk: Desk) -> None:
        """With those of an admin alone the plan was carried out, and no test ticket was made."""
        desk.box.model.access.add_token("admin", ADMIN, "admin")
        with pytest.raises(
            HelpdeskRefused, match=r"setup token needs the permission ticket\.agent"
        ):
            desk.setup(setup_token="admin").plan(WANTED)
        found = desk.setup(setup_token="admin").check(WANTED, lambda: NOW)
        assert any("the setup token needs: ticket.agent, admin." in one.remedy for one in found)

    def test_that_are_optional_are_told_with_where_to_tick_them(self, desk: Desk) -> None:
        admin = ("admin.object", "admin.webhook", "admin.trigger")
        desk.box.model.access.add_token("least", BRIDGE, "ticket.agent", *admin)
        plan = desk.setup(setup_token="least").plan(WANTED)
        (told,) = [step.detail for step in plan if step.kind == "overview"]
        assert "admin.overview" in told
        assert "make the token anew with that ticked (Profile, Token Access)" in told

    def test_without_a_setup_token_the_other_one_is_named(self, desk: Desk) -> None:
        with pytest.raises(HelpdeskRefused, match="there is no setup token"):
            desk.setup(setup_token=None).plan(WANTED)


ELSEWHERE = {
    "a page": Fault("*", "*", status=200, headers=(("Content-Type", "text/html"),), body=b"<p>"),
    "another program": Fault("*", "*", status=404, body=b'{"error": "not found"}'),
    "other JSON": Fault("*", "*", status=200, body=b'{"status": "live"}'),
    "a proxy that wants a password": Fault("*", "*", status=401, body=b"<p>Sign in</p>"),
}


class TestSomethingElse:
    """A wrong port or path: what answers there is no Zammad."""

    @pytest.mark.parametrize("fault", ELSEWHERE.values(), ids=ELSEWHERE)
    def test_is_told_with_what_to_compare(self, desk: Desk, fault: Fault) -> None:
        desk.box.model.faults.add(fault, times=2)
        with pytest.raises(HelpdeskRefused, match=r"that is no Zammad: compare .* port") as refused:
            desk.setup().plan(WANTED)
        (problem,) = desk.setup().check(WANTED, lambda: NOW)
        assert problem.what == str(refused.value)


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
        assert (step.name, step.action) == ("Second Level", Action.REPORT)
        assert "is open to the bridge's user for read alone" in step.detail
        bridge["group_ids"] = {"1": ["full"]}
        (step,) = [step for step in set_up(desk) if step.action is Action.REPORT]
        assert "is closed to the bridge's user, so its tickets cannot be charged" in step.detail
        assert "full access" in step.remedy

    def test_that_are_only_partly_open_are_told_without_a_setup_token(self, desk: Desk) -> None:
        bridge = desk.box.model.access.actor(BRIDGE).user
        bridge["group_ids"] = {"1": ["full"], "2": ["create", "read"]}
        found = desk.setup(setup_token=None).check(WANTED, lambda: NOW)
        (told,) = [one for one in found if "Second Level" in one.what]
        assert told.severity is Severity.WARNING
        assert "for create, read alone" in told.what

    def test_may_be_open_to_the_bridge_by_a_role(self, desk: Desk) -> None:
        desk.box.model.access.actor(BRIDGE).user["group_ids"] = {"1": ["full"]}
        desk.row("Role", "Agent")["group_ids"] = {"2": ["full"]}
        assert [step for step in desk.setup().plan(WANTED) if step.action is Action.REPORT] == []

    def test_that_no_token_may_list_are_told_to_be_unknown(self, desk: Desk) -> None:
        rights = [f"admin.{one}" for one in ("object", "webhook", "trigger", "overview")]
        desk.box.model.access.add_token("most", BRIDGE, "ticket.agent", *rights)
        plan = desk.setup(setup_token="most").plan(WANTED)
        (step,) = [step for step in plan if step.kind == "groups"]
        assert "are not known" in step.detail
        assert "admin.group" in step.detail

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


class TestZammadsOwnReplies:
    """Every Zammad comes with a trigger that tells customers "will be reviewed" at once."""

    NOTE = Problem(
        Severity.NOTE,
        "set-up",
        f"trigger {AUTO_REPLY} answers every new ticket, also one that is held for want of points",
        'let it ask for the points state: docs/zammad.md, "Zammad\'s own replies"',
    )

    def told(self, desk: Desk, **change: object) -> list[Problem]:
        desk.row("Group", "Second Level")["email_address_id"] = 1
        desk.row("Trigger", AUTO_REPLY).update({"active": True} | change)
        set_up(desk)
        return desk.setup().check(WANTED, lambda: NOW)

    def test_are_told_of_as_advice(self, desk: Desk) -> None:
        assert self.told(desk) == [self.NOTE]

    def test_in_every_form_that_a_zammad_writes_them_in(self, desk: Desk) -> None:
        rows = [{"name": "ticket.action", "operator": "is", "value": ["create"]}]
        inner = {"operator": "OR", "conditions": rows}
        mail = {"notification.email": {"recipient": ["ticket_customer"]}}
        condition = {"operator": "AND", "conditions": [inner]}
        assert self.told(desk, condition=condition, perform=mail) == [self.NOTE]

    @pytest.mark.parametrize(
        "change",
        [
            {"active": False},
            {"perform": {"notification.email": {"recipient": "ticket_owner"}}},
            {"perform": {"ticket.priority_id": {"value": "3"}}},
            {"perform": None},
            {"condition": None},
            {"condition": {"ticket.action": {"operator": "is", "value": "update"}}},
            {
                "condition": {
                    "operator": "AND",
                    "conditions": [
                        {"name": "ticket.action", "operator": "is", "value": "create"},
                        {"name": "ticket.points_state", "operator": "is", "value": ["charged"]},
                    ],
                }
            },
        ],
    )
    def test_not_of_those_that_are_silent_or_ask_for_the_points(
        self, desk: Desk, change: Row
    ) -> None:
        assert self.told(desk, **change) == []


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
        assert "there it is 2026-11-23 09:00:00Z, here 2026-11-23 0" in found.what

    def test_says_that_a_clock_cannot_be_compared(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A proxy may take the Date header away."""
        monkeypatch.setattr(admin, "http_date", lambda _header: None)
        (found,) = self.check(desk.setup())
        assert (found.severity, found.where) == (Severity.NOTE, "clock")
        assert "no Date header" in found.what

    def test_does_not_compare_an_address_that_nobody_named(self, desk: Desk) -> None:
        desk.row("Webhook", layout.WEBHOOK)["endpoint"] = "https://elsewhere.example"
        assert desk.setup().check(Wanted(None), lambda: NOW) == []

    def test_changes_nothing(self, desk: Desk) -> None:
        before = len(desk.box.model.calls)
        self.check(desk.setup())
        assert {call.method for call in desk.box.model.calls[before:]} == {"GET"}


class TestTheLogOfDeliveries:
    """ "on the real one 17 of the last 50 had failed" """

    @pytest.fixture(autouse=True)
    def sound(self, desk: Desk) -> None:
        desk.row("Group", "Second Level")["email_address_id"] = 1
        set_up(desk)

    @staticmethod
    def deliver(desk: Desk, *answers: int | None) -> None:
        """A mail whose delivery is answered like this, attempt by attempt; None: not at all."""
        waiting = list(answers)

        def answer(_request: RawRequest) -> int:
            status = waiting.pop(0) if waiting else 200
            if status is None:
                raise TimeoutError
            return status

        desk.box.webhooks.transport = answer
        desk.box.model.customer_mails("carla@acme.example", "Help", "Please.")
        desk.box.webhooks.drain()

    @staticmethod
    def told(desk: Desk, setup: ZammadSetup | None = None, days: int = 0) -> list[Problem]:
        now = NOW + timedelta(days=days)
        found = (setup or desk.setup()).check(WANTED, lambda: now)
        return [one for one in found if one.where == "deliveries"]

    @pytest.mark.parametrize(
        ("status", "seen", "remedy"),
        [
            (401, "was answered 401", "run `points-bridge setup support`"),
            (404, "was answered 404", "the helpdesk's name"),
            (302, "was answered 302", "let nothing redirect"),
            (503, "was answered 503", "is `points-bridge serve` running"),
            (None, "got no answer", "certificate"),
        ],
    )
    def test_that_are_lost_are_a_warning(
        self, desk: Desk, status: int | None, seen: str, remedy: str
    ) -> None:
        self.deliver(desk, 200)
        self.deliver(desk, *([status] * 5))
        (problem,) = self.told(desk)
        assert problem.severity is Severity.WARNING
        assert "of 2 deliveries to" in problem.what
        assert "1 failed, and 1 of those did not arrive later either" in problem.what
        assert seen in problem.what
        assert remedy in problem.remedy
        assert "carla" not in repr(problem)

    def test_that_arrived_at_a_later_attempt_are_a_note(self, desk: Desk) -> None:
        self.deliver(desk, 503, 503, 200)
        (problem,) = self.told(desk)
        assert (problem.severity, "and 0 of those" in problem.what) == (Severity.NOTE, True)

    def test_of_days_ago_do_not_matter_where_others_arrived(self, desk: Desk) -> None:
        self.deliver(desk, *([500] * 5))
        assert [one.severity for one in self.told(desk, days=2)] == [Severity.WARNING]
        self.deliver(desk, 200)
        assert self.told(desk, days=2) == []

    def test_to_other_places_do_not_matter(self, desk: Desk) -> None:
        self.deliver(desk, *([500] * 5))
        for row in desk.box.webhooks.http_log(99):
            row["url"] = "https://elsewhere.example"
        assert self.told(desk) == []

    def test_need_no_setup_token_to_be_left_out(self, desk: Desk) -> None:
        self.deliver(desk, *([500] * 5))
        assert self.told(desk, desk.setup(setup_token=None)) == []


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
