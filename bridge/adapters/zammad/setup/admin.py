"""Zammad's API as an admin uses it: lists, new records, changes, deletions; for one thread."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import count

from bridge.adapters.answers import told_apart
from bridge.adapters.headers import http_date
from bridge.adapters.http import (
    Failure,
    GuardedSession,
    checked_base_url,
    decoded,
    signing,
)
from bridge.adapters.resources import REPEATABLE, Json, shift
from bridge.adapters.zammad.adapter import ZammadConfig, reason_given
from bridge.adapters.zammad.ticket import checked
from bridge.errors import BridgeError, HelpdeskRefused

_API = "/api/v1"
_PAGE = 100
_MOST_PAGES = 100
_MOST_FOUND = 200  # a search gives no more at once

#: The permission that each resource needs, where it is not that of an agent.
PERMISSIONS = {
    "object_manager_attributes": "admin.object",
    "webhooks": "admin.webhook",
    "triggers": "admin.trigger",
    "overviews": "admin.overview",
    "core_workflows": "admin.core_workflow",
    "groups": "admin.group",
    "calendars": "admin.calendar",
    "slas": "admin.sla",
}

HOW_TO_PERMIT = (
    "make the token anew with that ticked (Profile, Token Access), or edit it where this Zammad"
    " can, and give the user a role that has it (Manage, Roles)"
)
_NO_ZAMMAD = (
    "that is no Zammad: compare scheme, host, port and path of the helpdesk's url with the address"
    " at which its agents sign in"
)


class ZammadAdmin:
    """One Zammad with one token. Records are JSON objects with a whole number `id`.

    Every call raises `HelpdeskUnavailable` or `HelpdeskRefused`. Reading, changing and deleting may
    be repeated; after a failure of `create` nobody knows but the list.
    """

    def __init__(self, config: ZammadConfig, token: str, label: str) -> None:
        """Connect to nothing yet. `label` is what errors call the token.

        Raises:
            SettingsError: the url or the token cannot be used.
        """
        self._base = checked_base_url(config.url) + _API
        self._session = GuardedSession(
            checked_base_url(config.url),
            sign=signing(f"Token token={token}"),
            deadline=config.deadline,
            again=REPEATABLE,
            explain=lambda failure: _explain(failure, label),
        )

    def get(self, path: str, **params: str | list[str]) -> object:
        """The answer of a GET."""
        return decoded(self._session.get(f"{self._base}/{path}", params=params))

    def me(self) -> tuple[int, datetime | None]:
        """The id of the token's user, and the server's time (UTC, whole seconds) if it tells.

        Every Zammad answers this to a token that it knows, so that something else is found out.
        """
        with told_apart(_NO_ZAMMAD):
            response = self._session.get(f"{self._base}/users/me")
            me = _id(checked(Json, decoded(response)))
        return me, http_date(response.headers.get("Date", ""))

    def require_agent(self) -> None:
        """Insist on the permission `ticket.agent`; there is no ticket 0, and it is asked first."""
        try:
            self.get("ticket_history/0")
        except HelpdeskRefused as error:
            if error.status != 404:
                raise

    def rows(self, resource: str) -> list[Json]:
        """Every record of a resource, by id. Not every list of Zammad's has pages."""
        found: dict[int, Json] = {}
        for page in range(1, _MOST_PAGES + 1):
            answer = self.get(resource, page=str(page), per_page=str(_PAGE))
            rows = {_id(row): row for row in checked(tuple[Json, ...], answer)}
            new = rows.keys() - found.keys()
            found |= rows
            if len(new) < _PAGE:
                break
        return [found[id_] for id_ in sorted(found)]

    def tickets(self, condition: Mapping[str, tuple[str, str | list[str]]]) -> Iterator[Json]:
        """The tickets that fit, the oldest first: a call for each 200, and each as it is asked for.

        `condition` has an operator and a value for each attribute, as in triggers.
        """
        wanted = {
            f"condition[{name}]{key}": value
            for name, (operator, said) in condition.items()
            for key, value in (
                ("[operator]", operator),
                ("[value][]" if isinstance(said, list) else "[value]", said),
            )
        }
        order = {"expand": "true", "sort_by": "created_at", "order_by": "asc"}
        for page in count(1):
            place = {"limit": str(_MOST_FOUND), "page": str(page)}
            answer = self.get("tickets/search", **wanted, **order, **place)
            rows = checked(tuple[Json, ...], answer)
            yield from rows
            if len(rows) < _MOST_FOUND:
                return

    def create(self, path: str, body: Mapping[str, object]) -> Json:
        """POST."""
        return checked(Json, decoded(self._session.post(f"{self._base}/{path}", json=body)))

    def put(self, path: str, body: Mapping[str, object]) -> Json:
        """PUT."""
        return checked(Json, decoded(self._session.put(f"{self._base}/{path}", json=body)))

    def update(self, path: str, row_id: object, body: Mapping[str, object]) -> Json:
        """PUT of a record. As it was stored."""
        return self.put(f"{path}/{row_id}", body)

    def delete(self, path: str, row_id: object) -> None:
        """DELETE; what is gone already is fine."""
        try:
            self._session.delete(f"{self._base}/{path}/{row_id}")
        except HelpdeskRefused as error:
            if error.status != 404:
                raise

    @staticmethod
    def differing(row: Json, body: Json) -> list[str]:
        """The keys that differ. What this Zammad does not know is no matter."""
        names = {"signature_token": "secret"}
        return [
            names.get(key) or shift(row, body, key)
            for key, value in body.items()
            if key in row and _plain(row[key]) != _plain(value)
        ]


def _plain(value: object) -> object:
    """Ids count the same as numbers and as texts: Zammad's own pages send texts."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return str(value) if type(value) is int else value


def _explain(failure: Failure, label: str) -> BridgeError | None:
    where, status = failure.where, failure.status
    reason = reason_given(failure.body)
    if status in {401, 403} and not reason:
        said = f"{where}: answers {status} ({failure.by}); {_NO_ZAMMAD}"
        return HelpdeskRefused(f"{said}, and look at what stands before it", status=status)
    if status == 401:
        return HelpdeskRefused(
            f"{where}: Zammad does not know the {label}; create a new one", status=status
        )
    if status == 403:
        needed = next((p for name, p in PERMISSIONS.items() if f"/{name}" in where), "ticket.agent")
        return HelpdeskRefused(
            f"{where}: Zammad forbids it; the {label} needs the permission {needed}, and so does"
            f" its user: {HOW_TO_PERMIT}",
            status=status,
        )
    if status == 422:
        return HelpdeskRefused(f"{where}: {reason or 'no reason given'}", status=status)
    return None


def _id(row: Json) -> int:
    id_ = row.get("id")
    if type(id_) is not int:
        raise HelpdeskRefused("Zammad's answer has a record without an id")
    return id_
