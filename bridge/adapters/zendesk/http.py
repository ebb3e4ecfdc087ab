"""Zenpy, tamed: paths and bodies are zenpy's, every promise about a call is ours.

Zenpy sends an update up to four times, sleeps through rate limits, drops times of day and empties
fields that it cannot serialise. So it is given a session with which it can neither repeat a call
nor follow a redirect, no cache, JSON values only, and no answer to interpret (docs/adr/0006).
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import urlencode

import requests
from zenpy.lib.api import TicketApi
from zenpy.lib.api_objects import Ticket as ZenpyTicket
from zenpy.lib.cache import ZenpyCacheManager
from zenpy.lib.endpoint import EndpointFactory

from bridge.adapters.answers import short_reason
from bridge.adapters.http import Failure, GuardedSession, decoded
from bridge.adapters.zendesk.access import (
    API_TOKENS_END,
    Clock,
    ZendeskConfig,
    account_url,
    credential,
    runtime_scope,
)
from bridge.adapters.zendesk.pages import every_page
from bridge.errors import BridgeError, HelpdeskRefused, HelpdeskUnavailable, TicketNotFound

UPDATES_PER_MINUTE = 100
UPDATES_PER_TICKET = 30
"""In ten minutes, by one user (Zendesk's page "Rate limits", for an account without add-on)."""

UPDATES_PER_ORGANIZATION = 5
"""In a minute (the same page)."""

_MINUTE, _TEN_MINUTES = 60.0, 600.0
_LONG_AGO = float("-inf")
_SIDELOADS = ("users", "organizations", "comment_count", "metric_sets")
_LIMITS = re.compile(r"total=([0-9]{1,6}); *remaining=([0-9]{1,6}); *resets=([0-9]{1,6})")
_SPELLINGS = ("rate-limit", "ratelimit")

_T = TypeVar("_T")


class Conflict(HelpdeskUnavailable):
    """409: the ticket was changed since it was read. Nothing was written."""


class _NotSignedIn(HelpdeskRefused):
    """401: the credential is not, or no longer, valid. Nothing was carried out."""


class ZendeskClient:
    """The calls that the adapter makes. Shared by threads; each has its own zenpy and connections.

    Every method answers with decoded JSON, or fails in our error tree. Nothing is sent twice, but
    for what Zendesk answered 401 to, and did not carry out: that is sent once more, with a new
    token. Asking for a token has a deadline of its own.
    """

    def __init__(self, config: ZendeskConfig, clock: Clock = monotonic) -> None:
        """Connect to nothing yet.

        Raises:
            SettingsError: the address or the credentials cannot be used.
        """
        scope = runtime_scope(config)
        self._credential = credential(config, clock, scope)
        self._open = partial(
            GuardedSession,
            account_url(config.url),
            sign=self._credential.sign,
            deadline=config.deadline,
            explain=partial(_explain, scope),
        )
        self._budget = UpdateBudget(clock)
        self._local = threading.local()

    def me(self) -> object:
        """The user that the calls act as. Repeatable, as all but `update`."""
        return self._read(EndpointFactory("users").me())

    def ticket_fields(self) -> Sequence[object]:
        """The pages of the list of ticket fields."""
        endpoint = EndpointFactory("ticket_fields")
        return self._pages("ticket_fields", endpoint(cursor_pagination=True))

    def ticket(self, ticket_id: str) -> object:
        """A ticket, its users and organisation, its metrics and the number of its comments."""
        return self._read(EndpointFactory("tickets")(id=ticket_id, include=_SIDELOADS))

    def audits(self, ticket_id: str) -> Sequence[object]:
        """The pages of a ticket's audits, oldest first, with their users: a call for each 100."""
        endpoint = EndpointFactory("tickets").audits
        url = endpoint(id=ticket_id, include="users", cursor_pagination=True)
        return self._pages("audits", url)

    def record(self, kind: str, id_: str) -> object:
        """One of the `organizations` or `users`."""
        return self._read(EndpointFactory(kind)(id=id_))

    def update(self, ticket_id: str, change: Mapping[str, object]) -> object:
        """One PUT. `change` holds JSON values only: zenpy mangles everything else.

        Raises:
            Conflict: `safe_update` found the ticket changed.
            HelpdeskUnavailable: as ever; and before anything is sent when Zendesk's limits on
                updates are used up, until `retry_after`.
        """
        self._budget.spend(ticket_id)
        ticket = ZenpyTicket(id=int(ticket_id), **change)
        return self._call(lambda zenpy: zenpy.update(ticket))

    def update_organization(self, organization_id: str, fields: Mapping[str, object]) -> object:
        """One PUT of an organisation's own fields, by their keys. Repeatable.

        Raises:
            HelpdeskUnavailable: as `update`.
        """
        self._budget.spend_on_organization(organization_id)
        url = EndpointFactory("organizations")(id=organization_id)
        body = {"organization": {"organization_fields": dict(fields)}}
        return self._call(lambda zenpy: zenpy.replace(url, body))

    def _read(self, url: Any) -> object:
        return self._call(lambda zenpy: zenpy.read(url))

    def _pages(self, name: str, url: Any) -> Sequence[object]:
        def read(params: Mapping[str, str]) -> object:
            url.params = params
            return self._read(url)

        return every_page(name, url.params, read)

    def _call(self, operation: Callable[["_Zenpy"], _T]) -> _T:
        used = self._credential.value()
        try:
            return operation(self._zenpy())
        except _NotSignedIn:
            if not self._credential.drop(used):
                raise
        return operation(self._zenpy())

    def _zenpy(self) -> "_Zenpy":
        zenpy: _Zenpy | None = getattr(self._local, "zenpy", None)
        if zenpy is None:
            session = self._open()
            session.hooks["response"].append(self._heed)
            zenpy = self._local.zenpy = _Zenpy(session)
        return zenpy

    def _heed(self, response: requests.Response, **_options: object) -> None:
        self._budget.heed(response.headers)


class _Zenpy(TicketApi):  # type: ignore[misc]  # zenpy has no types
    """Zenpy's API of tickets, for one thread, gone round where it hurts."""

    def __init__(self, session: GuardedSession) -> None:
        unused = ("domain", "subdomain", "timeout", "ratelimit", "ratelimit_budget")
        config = dict.fromkeys((*unused, "ratelimit_request_interval"))
        cache = ZenpyCacheManager(disabled=True)
        super().__init__(config | {"session": session, "cache": cache})

    def read(self, url: Any) -> object:
        """GET one of zenpy's endpoints."""
        return self._get(self._build_url(url))

    def replace(self, url: Any, body: Mapping[str, object]) -> object:
        """PUT to one of zenpy's endpoints."""
        return self._put(self._build_url(url), payload=body)

    def _build_url(self, endpoint: Any, api_prefix: str | None = None) -> str:
        # Zenpy lets the environment choose the host, knows https only, and quotes no value, not
        # even a cursor, which is base64.
        path = f"{self.session.base_url}/{api_prefix or self.api_prefix}/{endpoint.path}"
        return f"{path}?{urlencode(endpoint.params)}" if endpoint.params else path

    def _process_response(self, response: requests.Response, _mapping: object = None) -> object:
        # Its objects lose side-loaded records, and call Zendesk for them behind one's back.
        return decoded(response)


class UpdateBudget:
    """Zendesk's limits on updates of tickets, kept before they are hit. Thread-safe.

    It counts what this process sends; what others use up is heard of from Zendesk's headers.
    """

    def __init__(self, clock: Clock = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._spent: deque[tuple[float, str]] = deque()
        self._on_organizations: deque[tuple[float, str]] = deque()
        self._per_minute = UPDATES_PER_MINUTE
        self._shut_until = _LONG_AGO

    def spend(self, ticket_id: str) -> None:
        """Count an update that is about to be sent.

        Raises:
            HelpdeskUnavailable: it would exceed a limit; `retry_after` in seconds.
        """
        with self._lock:
            now, spent = self._clock(), self._spent
            _forget(spent, now - _TEN_MINUTES)
            free_at = max(
                self._shut_until,
                _free_at([at for at, _ in reversed(spent)], self._per_minute, _MINUTE),
                _free_at(_of_one(spent, ticket_id), UPDATES_PER_TICKET, _TEN_MINUTES),
            )
            _take(spent, ticket_id, now, free_at, "tickets")

    def spend_on_organization(self, organization_id: str) -> None:
        """Count an update of an organisation that is about to be sent. Raises as `spend`."""
        with self._lock:
            now, spent = self._clock(), self._on_organizations
            _forget(spent, now - _MINUTE)
            of_one = _of_one(spent, organization_id)
            free_at = max(self._shut_until, _free_at(of_one, UPDATES_PER_ORGANIZATION, _MINUTE))
            _take(spent, organization_id, now, free_at, "organisations")

    def heed(self, headers: Mapping[str, str]) -> None:
        """Take in what an answer says of the limit on updates, and of that on all calls.

        What resets later than in a minute is the limit of one ticket, and shuts no other.
        """
        with self._lock:
            for total, remaining, resets in _told(headers):
                if resets <= _MINUTE:
                    self._per_minute = total or self._per_minute
                    if not remaining:
                        self._shut_until = max(self._shut_until, self._clock() + resets)


def _forget(spent: deque[tuple[float, str]], before: float) -> None:
    while spent and spent[0][0] <= before:
        spent.popleft()


def _of_one(spent: deque[tuple[float, str]], record_id: str) -> list[float]:
    return [at for at, id_ in reversed(spent) if id_ == record_id]


def _take(
    spent: deque[tuple[float, str]], record_id: str, now: float, free_at: float, records: str
) -> None:
    if free_at > now:
        raise HelpdeskUnavailable(
            f"Zendesk's limit on updates of {records} is used up", retry_after=free_at - now
        )
    spent.append((now, record_id))


def _told(headers: Mapping[str, str]) -> Iterator[tuple[int, int, int]]:
    """Total, what remains, and seconds to the reset, of each limit; total 0 where not of updates.

    Recorded: `zendesk-rate-limit-tickets-update: total=20; remaining=19; resets=59`, and
    `ratelimit-remaining: 697` with `ratelimit-reset: 48`. Both spellings of each occur.
    """
    for name in _SPELLINGS:
        if told := _LIMITS.search(headers.get(f"zendesk-{name}-tickets-update", "")):
            total, remaining, resets = map(int, told.groups())
            yield total, remaining, resets
        left, reset = headers.get(f"{name}-remaining", ""), headers.get(f"{name}-reset", "")
        if re.fullmatch("[0-9]{1,6}:[0-9]{1,6}", f"{left}:{reset}"):
            yield 0, int(left), int(reset)


def _free_at(latest: list[float], limit: int, window: float) -> float:
    """When a window that takes `limit` has room, given the times of updates, the latest first."""
    return next(islice(latest, limit - 1, None), _LONG_AGO) + window


def _explain(scope: str, failure: Failure) -> BridgeError | None:
    """Zendesk's reading of a failure; 429 and 5xx are left to the common table."""
    where, status = failure.where, failure.status
    code, reason = _code(failure.body), reason_given(failure.body)
    if status == 401:
        return _NotSignedIn(
            f"{where}: Zendesk does not accept the credentials; are they revoked? API tokens"
            f" end on {API_TOKENS_END}",
            status=status,
        )
    if status == 403:
        return HelpdeskRefused(
            f"{where}: Zendesk forbids it; the calls must be an agent's with access to all tickets,"
            f" with the OAuth scope {scope!r}",
            status=status,
        )
    if status == 404 and code == "RecordNotFound" and "/tickets/" in where:
        return TicketNotFound(f"{where}: Zendesk knows no such ticket", status=status)
    if status == 409:
        return Conflict(
            f"{where}: the ticket was changed meanwhile", retry_after=failure.retry_after
        )
    if status in {400, 404, 422}:
        return HelpdeskRefused(f"{where}: answers {status}: {reason or code}", status=status)
    return None


def _code(body: object) -> str:
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, str) else ""


def reason_given(body: object) -> str:
    """Whatever sentence the body holds: `error`, `errors` and `details` have no one shape."""
    return short_reason(" ".join(_texts(body, depth=5)))


def _texts(node: object, depth: int) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif depth and isinstance(node, dict | list):
        for item in node.values() if isinstance(node, dict) else node:
            yield from _texts(item, depth - 1)
