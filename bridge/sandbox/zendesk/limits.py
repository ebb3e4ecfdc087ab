"""Zendesk's rate limits, counted by the sandbox's clock in windows that begin with a first call.

The figures are those of Zendesk's page "Rate limits", for an account without add-ons.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.sandbox.deliveries import Clock
from bridge.sandbox.zendesk.records import ApiError, Record

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Left:
    """What a budget has left in its window, which ends in `resets` seconds."""

    total: int
    remaining: int
    resets: int

    def __str__(self) -> str:
        return f"total={self.total}; remaining={self.remaining}; resets={self.resets}"


@dataclass(slots=True)
class Limits:
    """The budgets of one account. Change an attribute to have another plan.

    Attributes:
        account: calls of the API in a minute; 700 is Enterprise's.
        webhooks: calls of the webhook API in a minute: a bucket of its own.
        ticket_updates: updates of tickets in a minute, of the whole account.
        updates_of_one: updates of one ticket by one user in ten minutes.
        organization_updates: updates of one organisation in a minute.
        user_updates: updates of one user in a minute.
        exports: incremental exports in a minute.
    """

    clock: Clock
    account: int = 700
    webhooks: int = 100
    ticket_updates: int = 100
    updates_of_one: int = 30
    organization_updates: int = 5
    user_updates: int = 5
    exports: int = 10
    _windows: dict[Hashable, tuple[datetime, int]] = field(default_factory=dict, init=False)

    def call(self, *, of_webhooks: bool) -> Left:
        """Count a call of the API.

        Raises:
            ApiError: 429.
        """
        if of_webhooks:
            return self._spend("webhooks", self.webhooks)
        return self._spend("account", self.account)

    def update_ticket(self, ticket_id: int, user_id: int) -> Left:
        """Count an update of a ticket. Returns what the account has left.

        Raises:
            ApiError: 429.
        """
        key = ("ticket", ticket_id, user_id)
        self._spend(key, self.updates_of_one, window=10 * MINUTE)
        return self._spend("ticket updates", self.ticket_updates)

    def update_by_hand(self) -> None:
        """Count an agent's own update: it is never refused, and what it uses the API lacks."""
        now = self.clock()
        started, used = self._windows.get("ticket updates", (now, 0))
        fresh = now - started >= MINUTE
        self._windows["ticket updates"] = (now, 1) if fresh else (started, used + 1)

    def update_organization(self, organization_id: int) -> None:
        """Count an update of an organisation.

        Raises:
            ApiError: 429.
        """
        self._spend(("organization", organization_id), self.organization_updates)

    def update_user(self, user_id: int) -> None:
        """Count an update of a user.

        Raises:
            ApiError: 429.
        """
        self._spend(("user", user_id), self.user_updates)

    def export(self) -> None:
        """Count an incremental export.

        Raises:
            ApiError: 429.
        """
        self._spend("exports", self.exports)

    def _spend(self, key: Hashable, total: int, *, window: timedelta = MINUTE) -> Left:
        now = self.clock()
        started, used = self._windows.get(key, (now, 0))
        if now - started >= window:
            started, used = now, 0
        resets = math.ceil((started + window - now).total_seconds())
        if used >= total:
            reason = "Number of allowed API requests per minute exceeded"
            body: Record = {"error": "APIRateLimitExceeded", "description": reason}
            raise ApiError(429, body, {"Retry-After": str(resets)})
        self._windows[key] = (started, used + 1)
        return Left(total, total - used - 1, resets)
