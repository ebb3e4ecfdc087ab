"""Paperdesk, a helpdesk that does not exist: how little a further vendor takes.

Its API is four calls: `GET /tickets/5` tells all of a ticket, `GET /tickets/5/changes` its states
in time order, `PUT /tickets/5` takes `shown`, `status` and `note` and answers with the ticket, and
`PUT /firms/2` takes `shown` and answers with the firm. Its webhook is `{"ticket": 5, "nr": 17}`,
signed in `X-Paper-Seal`.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, TypeVar

from bridge import ticket as ours
from bridge.adapters.answers import organization_id
from bridge.adapters.base import Adapter
from bridge.adapters.http import Failure, JsonClient, decode_json
from bridge.adapters.signatures import verify_hmac
from bridge.adapters.vendor import Vendor, revealed
from bridge.errors import BridgeError, HelpdeskRefused, PayloadNotUnderstood, TicketNotFound
from tests.adapters.paperdesk.settings import PaperdeskSettings

T = TypeVar("T")


class Paperdesk(Adapter):
    def __init__(self, settings: PaperdeskSettings) -> None:
        self._settings = settings
        token = f"Paper {settings.token.get_secret_value()}"
        self._http = JsonClient(settings.url, authorization=token, explain=_explain)

    def verify(self, delivery: ours.HttpDelivery) -> None:
        given, one = delivery.headers.get("x-paper-seal"), self._settings
        secrets = revealed(one.webhook_secret, one.webhook_secret_previous)
        verify_hmac(delivery.body, given, secrets, digest="sha256", encoding="hex")

    def parse(self, delivery: ours.HttpDelivery) -> ours.Delivery | None:
        try:
            body = decode_json(delivery.body)
        except ValueError as error:
            raise PayloadNotUnderstood("the body is not JSON") from error
        match body:
            case {"ticket": int(ticket), "nr": int(number)} if 0 < ticket < 10**12:
                return ours.Delivery(id=str(number), ticket_id=str(ticket), event="changed")
            case {"pigeon": _}:
                return None
        raise PayloadNotUnderstood("the body names no ticket")

    def fetch(self, ticket_id: str) -> ours.Ticket:
        return _understood(_ticket, self._http.get(_path(ticket_id)))

    def history(self, ticket_id: str) -> tuple[ours.Change, ...]:
        return _understood(_changes, self._http.get(f"{_path(ticket_id)}/changes"))

    def shows(self, ticket: ours.Ticket, fields: ours.Fields) -> bool:
        refreshed: Any = {name: ticket.shown.get(name) for name in ("balance", "next_expiry")}
        return ticket.shown.items() >= _shown(replace(fields, **refreshed)).items()

    def write(self, update: ours.TicketUpdate) -> bool:
        note = update.note
        if note and update.repeat and note.mark in self.fetch(update.ticket_id).marks:
            note = None
        body: dict[str, Any] = {"shown": _shown(update.fields), "status": update.status}
        if note:
            body["note"] = {"mark": note.mark, "text": note.text, "public": note.public}
        self._put(_path(update.ticket_id), body)
        return True

    def show_account(self, customer: str, fields: ours.AccountFields) -> None:
        firm = organization_id("Paperdesk", customer)
        self._put(f"/firms/{firm}", {"shown": _shown(fields)})

    def _put(self, path: str, body: dict[str, Any]) -> None:
        stored = _understood(lambda answer: answer["shown"], self._http.put(path, body))
        if lost := [name for name, value in body["shown"].items() if stored.get(name) != value]:
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


def _ticket(paper: dict[str, Any]) -> ours.Ticket:
    return ours.Ticket(
        id=str(paper["id"]),
        number=str(paper["id"]),
        status=ours.Status(paper["status"]),
        created_at=_at(paper["created"]),
        updated_at=_at(paper["changed"]),
        channel=ours.Channel.OTHER,
        opened_by_agent=False,
        customer=ours.Customer(f"organization:{int(paper['firm'])}", paper["firm_name"]),
        requester=ours.Requester(paper["writer"]),
        answers=tuple(ours.Answer(_at(at), "clerk") for at in sorted(paper["answered"])),
        close_hint=_at(paper["closed"]) if paper["closed"] else None,
        marks=frozenset(paper["marks"]),
        shown=paper["shown"],
    )


def _changes(rows: list[dict[str, Any]]) -> tuple[ours.Change, ...]:
    if not isinstance(rows, list):
        raise TypeError(rows)
    parts = map(itemgetter("nr", "at", "by", "from", "to"), rows)
    return tuple(
        ours.StatusChange(nr, _at(at), ours.Actor(by), by, ours.Status(old), ours.Status(new))
        for nr, at, by, old, new in parts
    )


def _shown(fields: ours.Fields | ours.AccountFields) -> dict[str, str | int | None]:
    values = ((n, getattr(fields, n.replace("summary", "line"))) for n in fields.__match_args__)
    return {name: v if v is None or isinstance(v, int) else str(v) for name, v in values}


PAPERDESK = Vendor(PaperdeskSettings, lambda _name, settings: Paperdesk(settings))
