"""Zendesk's limits on updates of tickets, kept before anything is sent; no time passes here."""

from collections.abc import Mapping

import pytest
from responses import RequestsMock

from bridge.adapters.zendesk.http import (
    UPDATES_PER_MINUTE,
    UPDATES_PER_ORGANIZATION,
    UPDATES_PER_TICKET,
    UpdateBudget,
)
from bridge.errors import HelpdeskUnavailable
from bridge.ticket import TicketUpdate
from tests.adapters.contract import FIELDS
from tests.adapters.zendesk_desk import TICKET, Clock, Desk, with_api_token, zendesk

RECORDED = "total=20; remaining={}; resets={}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget(clock: Clock) -> UpdateBudget:
    return UpdateBudget(clock)


def wait(budget: UpdateBudget, ticket_id: str = "1") -> float | None:
    """The seconds to wait before this ticket can be updated; 0 where it was counted now."""
    try:
        budget.spend(ticket_id)
    except HelpdeskUnavailable as unavailable:
        return unavailable.retry_after
    return 0.0


def test_an_account_has_a_hundred_updates_a_minute(budget: UpdateBudget, clock: Clock) -> None:
    """Rate limits, "Update Ticket": 100 requests per minute and account."""
    for number in range(UPDATES_PER_MINUTE):
        clock.now += 0.25
        assert wait(budget, str(number)) == 0
    assert wait(budget, "another") == pytest.approx(60 - 99 * 0.25)
    clock.now += 60 - 99 * 0.25
    assert wait(budget, "another") == 0
    assert wait(budget, "another") == pytest.approx(0.25)


def test_a_ticket_has_thirty_updates_in_ten_minutes(budget: UpdateBudget, clock: Clock) -> None:
    """Rate limits, "Update Ticket": 30 updates per 10 minutes per user per ticket."""
    for _ in range(UPDATES_PER_TICKET):
        clock.now += 10
        assert wait(budget, "1") == 0
    assert wait(budget, "1") == pytest.approx(600 - 29 * 10)
    assert wait(budget, "2") == 0
    clock.now += 600 - 29 * 10
    assert wait(budget, "1") == 0


def test_an_organisation_has_five_updates_a_minute(budget: UpdateBudget, clock: Clock) -> None:
    """Rate limits, "Update Organization": 5 requests per minute per organization."""

    def wait_for(organization_id: str) -> float | None:
        try:
            budget.spend_on_organization(organization_id)
        except HelpdeskUnavailable as unavailable:
            return unavailable.retry_after
        return 0.0

    for _ in range(UPDATES_PER_ORGANIZATION):
        clock.now += 1
        assert wait_for("1") == 0
    assert wait_for("1") == pytest.approx(60 - 4)
    assert wait_for("2") == 0
    assert wait(budget) == 0
    clock.now += 60 - 4
    assert wait_for("1") == 0


def test_what_was_refused_is_not_counted(budget: UpdateBudget, clock: Clock) -> None:
    for _ in range(UPDATES_PER_TICKET):
        wait(budget)
    refused = [wait(budget) for _ in range(100)]
    assert refused == [600] * 100
    assert wait(budget, "2") == 0


@pytest.mark.parametrize("name", ["zendesk-rate-limit", "zendesk-ratelimit"])
def test_the_limit_that_zendesk_names_is_the_one_that_counts(
    budget: UpdateBudget, name: str
) -> None:
    """As recorded from an account on trial."""
    budget.heed({f"{name}-tickets-update": RECORDED.format(19, 59)})
    assert [wait(budget, str(number)) for number in range(20)] == [0] * 20
    assert wait(budget, "another") == 60


@pytest.mark.parametrize(
    "headers",
    [
        {"zendesk-rate-limit-tickets-update": RECORDED.format(0, 17)},
        {"zendesk-ratelimit-tickets-update": RECORDED.format(0, 17)},
        {"ratelimit-remaining": "0", "ratelimit-reset": "17"},
        {"rate-limit-remaining": "0", "rate-limit-reset": "17"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_what_others_used_up_is_waited_for(
    budget: UpdateBudget, clock: Clock, headers: Mapping[str, str]
) -> None:
    budget.heed(headers)
    assert wait(budget) == 17
    clock.now += 17
    assert wait(budget) == 0


def test_of_two_limits_that_are_used_up_the_longer_is_waited_for(budget: UpdateBudget) -> None:
    update = {"zendesk-ratelimit-tickets-update": RECORDED.format(0, 42)}
    budget.heed(update | {"ratelimit-remaining": "0", "ratelimit-reset": "5"})
    assert wait(budget) == 42


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"zendesk-rate-limit-tickets-update": RECORDED.format(0, 580)},
        {"zendesk-rate-limit-tickets-update": "total=0; remaining=1; resets=1"},
        {"zendesk-rate-limit-tickets-update": "total=x; remaining=0; resets=9"},
        {"zendesk-rate-limit-tickets-update": ""},
        {"ratelimit-remaining": "0"},
        {"ratelimit-remaining": "-1", "ratelimit-reset": "9"},
        {"ratelimit-remaining": "\u0660", "ratelimit-reset": "9"},
        {"ratelimit-remaining": "697", "ratelimit-reset": "48"},
    ],
)
def test_what_says_nothing_of_the_accounts_limit_changes_nothing(
    budget: UpdateBudget, headers: Mapping[str, str]
) -> None:
    budget.heed(headers)
    assert [wait(budget, str(number)) for number in range(99)] == [0] * 99


def test_at_the_limit_nothing_is_sent(vendor: RequestsMock, clock: Clock) -> None:
    desk = Desk()
    desk.headers = {"Zendesk-RateLimit-tickets-update": RECORDED.format(0, 42)}
    desk.serve(vendor)
    adapter = zendesk(with_api_token("secret"), clock)
    adapter.write(TicketUpdate(TICKET, FIELDS))
    calls = len(vendor.calls)
    with pytest.raises(HelpdeskUnavailable) as unavailable:
        adapter.write(TicketUpdate(TICKET, FIELDS))
    assert unavailable.value.retry_after == 42
    assert len(vendor.calls) == calls
    clock.now += 42
    adapter.write(TicketUpdate(TICKET, FIELDS))
    assert len(desk.put) == 2
