"""Zendesk's API as an admin uses it: lists, new records, changes, deletions; for one thread."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from time import monotonic

from pydantic import BaseModel, Field

from bridge.adapters.answers import told_apart
from bridge.adapters.headers import http_date
from bridge.adapters.http import Failure, GuardedSession, decoded
from bridge.adapters.resources import REPEATABLE, Json, shift
from bridge.adapters.zendesk.access import ZendeskConfig, account_url, credential
from bridge.adapters.zendesk.http import reason_given
from bridge.adapters.zendesk.pages import every_page
from bridge.adapters.zendesk.setup.layout import plain
from bridge.adapters.zendesk.ticket import checked
from bridge.errors import BridgeError, HelpdeskRefused

SETUP_SCOPE = "read write"
"""What an OAuth client must be allowed to set Zendesk up: fields have no scope of their own."""

_PAGE = "100"
_NO_ZENDESK = (
    "that is no Zendesk account: compare the helpdesk's url (its subdomain) with the address at"
    " which its agents sign in"
)
_MOST_FOUND = 1000


class Me(BaseModel):
    """Whom Zendesk takes us for; somebody it does not know has no id.

    `ticket_restriction` is the word for the tickets that it sees; None or blank: all.
    """

    id: int | None
    role: str = ""
    organization_id: int | None = None
    ticket_restriction: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerHeaders:
    """What an answer tells beside itself; None where it does not.

    `at` is the server's time (UTC, whole seconds); `remaining` of `limit` calls are left in this
    minute.
    """

    at: datetime | None
    limit: int | None
    remaining: int | None


class _MeAnswer(BaseModel):
    user: Me


class _SigningSecret(BaseModel):
    secret: str = Field(min_length=1, repr=False)


class _SecretAnswer(BaseModel):
    signing_secret: _SigningSecret


class ZendeskAdmin:
    """One account with one credential. Records are JSON objects that have an `id`.

    Every call raises `HelpdeskUnavailable` or `HelpdeskRefused`. Reading, changing and deleting may
    be repeated; after a failure of `create` nobody knows but the list.
    """

    def __init__(self, config: ZendeskConfig, scope: str) -> None:
        """Connect to nothing yet. `scope` is what the OAuth client's token is to be allowed.

        Raises:
            SettingsError: the address or the credential cannot be used.
        """
        base_url = account_url(config.url)
        self._api = f"{base_url}/api/v2"
        self._session = GuardedSession(
            base_url,
            sign=credential(config, monotonic, scope).sign,
            deadline=config.deadline,
            again=REPEATABLE,
            explain=partial(_explain, scope),
        )

    def me(self) -> tuple[Me, AnswerHeaders]:
        """Whose credential it is. Every Zendesk answers this, so that something else is found."""
        with told_apart(_NO_ZENDESK):
            response = self._session.get(f"{self._api}/users/me")
            user = checked(_MeAnswer, decoded(response)).user
        headers = response.headers
        around = AnswerHeaders(
            http_date(headers.get("Date", "")),
            _count(headers.get("x-rate-limit", "")),
            _count(headers.get("x-rate-limit-remaining", "")),
        )
        return user, around

    def rows(self, resource: str) -> list[Json]:
        """Every record of a resource, the oldest first: one call for each 100."""
        pages = every_page(
            resource,
            {"page[size]": _PAGE},
            lambda params: decoded(self._session.get(f"{self._api}/{resource}", params=params)),
        )
        rows = [row for page in pages for row in checked(list[Json], page.get(resource))]
        return sorted(filter(_has_id, rows), key=lambda row: row["id"])

    def tickets(self, query: str) -> Iterator[Json]:
        """The tickets that a search finds, the oldest first: a call for each 100, as asked for.

        It finds what was opened some minutes ago, and no more than the first 1000.
        """
        asked = {"query": f"type:ticket {query}", "sort_by": "created_at", "sort_order": "asc"}
        for page in range(1, _MOST_FOUND // int(_PAGE) + 1):
            place = {"per_page": _PAGE, "page": str(page)}
            response = self._session.get(f"{self._api}/search", params=asked | place)
            found = checked(Json, decoded(response))
            yield from filter(_has_id, checked(list[Json], found.get("results")))
            if not found.get("next_page"):
                return

    def create(self, resource: str, body: Mapping[str, object]) -> Json:
        """POST. The record as it was stored."""
        name = _singular(resource)
        response = self._session.post(f"{self._api}/{resource}", json={name: dict(body)})
        return checked(Json, checked(Json, decoded(response)).get(name))

    def update(self, resource: str, row_id: object, body: Mapping[str, object]) -> Json:
        """Change what `body` names. The record as it was stored; {} where Zendesk does not show it.

        A webhook is sent PATCH, which leaves alone what it does not name; Zendesk answers 204.
        """
        name = _singular(resource)
        method = "PATCH" if resource == "webhooks" else "PUT"
        url = f"{self._api}/{resource}/{row_id}"
        response = self._session.request(method, url, json={name: dict(body)})
        if response.status_code == 204:
            return {}
        return checked(Json, checked(Json, decoded(response)).get(name))

    def delete(self, resource: str, row_id: object) -> None:
        """DELETE; what is gone already is fine."""
        try:
            self._session.delete(f"{self._api}/{resource}/{row_id}")
        except HelpdeskRefused as error:
            if error.status != 404:
                raise

    @staticmethod
    def differing(row: Json, body: Json) -> list[str]:
        """The keys that differ. What a record does not show is no matter."""
        return [
            shift(row, body, key)
            for key, value in body.items()
            if key in row and plain(key, row[key]) != plain(key, value)
        ]

    def signing_secret(self, webhook_id: object) -> str:
        """The secret that Zendesk made for a webhook. Not for a log, an error or a person."""
        response = self._session.get(f"{self._api}/webhooks/{webhook_id}/signing_secret")
        return checked(_SecretAnswer, decoded(response)).signing_secret.secret

    def invocations(self, webhook_id: object) -> list[Json]:
        """The latest deliveries of a webhook, of seven days at most; in no promised order."""
        response = self._session.get(f"{self._api}/webhooks/{webhook_id}/invocations")
        page = checked(Json, decoded(response))
        return checked(list[Json], page.get("invocations"))

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Json:
        """Any other call; whether it may be repeated is the caller's to know. {} for no answer."""
        response = self._session.request(method, f"{self._api}/{path}", json=body)
        return checked(Json, decoded(response)) if response.content.strip() else {}


def _singular(resource: str) -> str:
    return resource.removesuffix("s")


def _has_id(row: Json) -> bool:
    if not isinstance(row.get("id"), int | str):
        raise HelpdeskRefused("Zendesk's answer has a record without an id")
    return True


def _explain(scope: str, failure: Failure) -> BridgeError | None:
    where, status = failure.where, failure.status
    if status == 401:
        return HelpdeskRefused(
            f"{where}: Zendesk does not accept the credentials; are they revoked?", status=status
        )
    if status == 403:
        return HelpdeskRefused(
            f"{where}: Zendesk forbids it; setting up needs an admin's credentials with the OAuth"
            f" scope {scope!r}: both are set where the client is made (Admin Center, Apps and"
            " integrations, APIs, OAuth clients)",
            status=status,
        )
    if status in {400, 422}:
        reason = reason_given(failure.body) or "no reason given"
        return HelpdeskRefused(f"{where}: answers {status}: {reason}", status=status)
    return None


def _count(header: str) -> int | None:
    return int(header) if header.isascii() and header.isdecimal() else None
