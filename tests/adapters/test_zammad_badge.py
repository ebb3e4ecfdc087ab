"""Zammad's own badge beside the bridge's promise: where they differ, and why."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import responses

from bridge.adapters.provisioning import Problem, Promise, Severity
from bridge.policy.calendars import build_calendar
from bridge.policy.hours import add_business_time
from bridge.sandbox.zammad import BRIDGE, Token
from bridge.sandbox.zammad.escalation import destination
from tests.adapters.zammad_desk import NOW, WANTED, set_up
from tests.adapters.zammad_native import BERLIN, Native


@pytest.fixture
def desk(vendor: responses.RequestsMock) -> Native:
    return Native(vendor)


MORNING = datetime(2026, 11, 23, 9, tzinfo=UTC)
DUE = datetime(2026, 11, 23, 13, tzinfo=UTC)
Spoil = Callable[[Native, Promise], Promise]


@pytest.fixture
def promise(desk: Native) -> Promise:
    """What the bridge has promised on the only ticket, which Zammad computes as well."""
    set_up(desk)
    desk.box.model.agent_notes(desk.ticket, "Saved once more.")
    ticket = desk.box.model.ticket(desk.ticket)
    assert ticket["first_response_escalation_at"] == DUE
    return Promise(str(desk.ticket), ticket["number"], MORNING, DUE)


def badge(desk: Native, *promises: Promise, setup_token: str = Token.SETUP) -> list[Problem]:
    setup = desk.setup(setup_token=setup_token)
    found = setup.check(replace(WANTED, promises=promises), lambda: NOW)
    return [one for one in found if one.where in {"first response", "helpdesk"}]


def released_later(desk: Native, promise: Promise) -> Promise:
    return replace(
        promise, started_at=MORNING + timedelta(hours=2), due_at=DUE + timedelta(hours=2)
    )


def another_sla(desk: Native, promise: Promise) -> Promise:
    condition = {"ticket.state_id": {"operator": "is", "value": ["1", "2"]}}
    desk.foreign_sla("Gold", condition=condition, calendar_id=desk.row("Calendar", BERLIN)["id"])
    desk.box.model.agent_notes(desk.ticket, "Saved once more.")
    return promise


def account_elsewhere(desk: Native, promise: Promise) -> Promise:
    return replace(promise, due_at=datetime(2026, 11, 23, 18, tzinfo=UTC))


class TestTheBadge:
    def test_that_agrees_is_not_mentioned(self, desk: Native, promise: Promise) -> None:
        assert badge(desk, promise) == []
        assert badge(desk, replace(promise, due_at=DUE + timedelta(seconds=60))) == []

    @pytest.mark.parametrize(
        ("spoil", "cause", "remedy"),
        [
            (released_later, "its release or re-opening 2026-11-23 11:00Z", "points_response_due"),
            (another_sla, "the SLA Gold counts", "narrow that SLA's condition"),
            (account_elsewhere, "other hours or holidays", "points-bridge setup support"),
        ],
    )
    def test_that_differs_is_a_warning_with_both_times_and_the_reason(
        self, desk: Native, promise: Promise, spoil: Spoil, cause: str, remedy: str
    ) -> None:
        promise = spoil(desk, promise)
        ticket = desk.box.model.ticket(desk.ticket)
        (found,) = badge(desk, promise)
        assert found.severity is Severity.WARNING
        for told in (
            f"ticket {ticket['number']}",
            f"{ticket['first_response_escalation_at']:%Y-%m-%d %H:%M}Z by Zammad",
            f"{promise.due_at:%Y-%m-%d %H:%M}Z by the bridge",
            cause,
        ):
            assert told in found.what
        assert remedy in found.remedy

    def test_names_no_sla_where_the_token_may_list_none(
        self, desk: Native, promise: Promise
    ) -> None:
        (found,) = badge(desk, another_sla(desk, promise), setup_token=Token.AGENT)
        assert "Gold" not in found.what

    @pytest.mark.parametrize("end", ["answered", "closed", "deleted", "out of sight"])
    def test_that_is_blank_or_out_of_sight_is_not_mentioned(
        self, desk: Native, promise: Promise, end: str
    ) -> None:
        promise, model = account_elsewhere(desk, promise), desk.box.model
        assert badge(desk, promise) != []
        if end == "answered":
            model.agent_answers(desk.ticket, "Try this.")
        elif end == "closed":
            model.agent_closes(desk.ticket)
        elif end == "deleted":
            model.admin_deletes(desk.ticket)
        else:
            model.access.actor(BRIDGE).user["group_ids"] = {"2": ["full"]}
        assert badge(desk, promise) == []

    def test_is_not_looked_at_without_the_setting(self, desk: Native, promise: Promise) -> None:
        desk.native_slas = False
        assert badge(desk, account_elsewhere(desk, promise)) == []


def test_the_policy_and_the_stand_in_count_alike(desk: Native) -> None:
    """Two computations that share no line, through the calendars that were made."""
    set_up(desk)
    for name, *place in (
        ("America/Toronto, CA", "America/Toronto", "CA", None),
        ("Europe/Berlin, DE, BY", "Europe/Berlin", "DE", "BY"),
    ):
        ours, theirs = build_calendar(*place), desk.calendars()[name]
        for hour in range(0, 24 * 366 * 2, 7):
            start = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=hour, seconds=hour)
            due = add_business_time(start, 4 * 3600, ours).at
            assert destination(start, timedelta(hours=4), theirs) == due, start
