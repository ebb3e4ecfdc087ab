"""Paperdesk, a helpdesk that does not exist: how little a further vendor takes.

Its API is four calls: `GET /tickets/5` tells all of a ticket, `GET /tickets/5/changes` its states
in time order, `PUT /tickets/5` takes `shown`, `status` and `note` and answers with the ticket, and
`PUT /firms/2` takes `shown` and answers with the firm. Its webhook is `{"ticket": 5, "nr": 17}`,
signed in `X-Paper-Seal`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from bridge.adapters.answers import organization_id
from bridge.adapters.base import Adapter
from bridge.adapters.http import Failure, JsonClient, decode_json
from bridge.adapters.signatures import verify_hmac
from bridge.errors import BridgeError, HelpdeskRefused, PayloadNotUnderstood, TicketNotFound
from bridge.ticket import (
    AccountFields,
    Actor,
    Answer,
    Change,
    Channel,
    Customer,
    Delivery,
    Fields,
    HttpDelivery,
    Requester,
    Status,
    StatusChange,
    Ticket,
    TicketUpdate,
)

T = TypeVar("T")


@dataclass(frozen=True)
class PaperdeskConfig:
    url: str
    token: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)


class Paperdesk(Adapter):
    def __init__(self, config: PaperdeskConfig) -> None:
        self._config = config
        self._http = JsonClient(config.url, authorization=f"Paper {config.token}", explain=_explain)

    def verify(self, delivery: HttpDelivery) -> None:
        given = delivery.headers.get("x-paper-seal")
        secrets = self._config.webhook_secrets
        verify_hmac(delivery.body, given, secrets, digest="sha256", encoding="hex")

    def parse(self, delivery: HttpDelivery) -> Delivery | None:
        try:
            body = decode_json(delivery.body)
        except ValueError as error:
            raise PayloadNotUnderstood("the body is not JSON") from error
        match body:
            case {"ticket": int(ticket), "nr": int(number)} if 0 < ticket < 10**12:
                return Delivery(id=str(number), ticket_id=str(ticket), event="changed")
            case {"pigeon": _}:
                return None
        raise PayloadNotUnderstood("the body names no ticket")

    def fetch(self, ticket_id: str) -> Ticket:
        return _understood(_ticket, self._http.get(_path(ticket_id)))

    def history(self, ticket_id: str) -> tuple[Change, ...]:
        return _understood(_changes, self._http.get(f"{_path(ticket_id)}/changes"))

    def shows(self, ticket: Ticket, fields: Fields) -> bool:
        refreshed = {"balance", "next_expiry"}
        wanted = _shown(fields).items()
        return all(
            ticket.shown.get(name) == value for name, value in wanted if name not in refreshed
        )

    def write(self, update: TicketUpdate) -> None:
        note = update.note
        if note and update.repeat and note.mark in self.fetch(update.ticket_id).marks:
            note = None
        body: dict[str, Any] = {"shown": _shown(update.fields), "status": update.status}
        if note:
            body["note"] = {"mark": note.mark, "text": note.text, "public": note.public}
        self._put(_path(update.ticket_id), body)

    def show_account(self, customer: str, fields: AccountFields) -> None:
        firm = organization_id("Paperdesk", customer)
        self._put(f"/firms/{firm}", {"shown": _shown(fields)})

    def _put(self, path: str, body: dict[str, Any]) -> None:
        stored = _understood(lambda answer: answer["shown"], self._http.put(path, body))
        lost = [name for name, value in body["shown"].items() if stored.get(name) != value]
        if lost:
            raise HelpdeskRefused(f"Paperdesk did not store {lost[0]}: add it in its drawer")


def _explain(failure: Failure) -> BridgeError | None:
    if failure.status == 404 and failure.body == {"error": "no such paper"}:
        return TicketNotFound("Paperdesk does not know the ticket")
    return None


def _path(ticket_id: str) -> str:
    if not (ticket_id.isascii() and ticket_id.isdecimal() and len(ticket_id) < 12):
        raise TicketNotFound(f"{ticket_id[:20]!r} is no ticket's id in Paperdesk")
    return f"/tickets/{ticket_id}"


def _understood(read: Callable[[Any], T], answer: object) -> T:
    try:
        return read(answer)
    except (KeyError, TypeError, ValueError, AttributeError, LookupError) as error:
        raise HelpdeskRefused("Paperdesk's answer makes no sense") from error


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _ticket(paper: dict[str, Any]) -> Ticket:
    return Ticket(
        id=str(paper["id"]),
        number=str(paper["id"]),
        status=Status(paper["status"]),
        created_at=_at(paper["created"]),
        updated_at=_at(paper["changed"]),
        channel=Channel.OTHER,
        opened_by_agent=False,
        customer=Customer(f"organization:{int(paper['firm'])}", paper["firm_name"]),
        requester=Requester(paper["writer"]),
        answers=tuple(Answer(_at(at), "clerk") for at in sorted(paper["answered"])),
        close_hint=_at(paper["closed"]) if paper["closed"] else None,
        marks=frozenset(paper["marks"]),
        shown=paper["shown"],
    )


def _changes(rows: list[dict[str, Any]]) -> tuple[Change, ...]:
    if not isinstance(rows, list):
        raise TypeError(rows)
    return tuple(
        StatusChange(
            row["nr"],
            _at(row["at"]),
            Actor(row["by"]),
            row["by"],
            Status(row["from"]),
            Status(row["to"]),
        )
        for row in rows
    )


def _shown(fields: Fields | AccountFields) -> dict[str, str | int | None]:
    def plain(value: object) -> str | int | None:
        if value is None or isinstance(value, int):
            return value
        return value.isoformat() if isinstance(value, date) else str(value)

    return {name: plain(getattr(fields, name)) for name in fields.__dataclass_fields__}
