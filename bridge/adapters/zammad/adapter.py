"""Zammad, 5.5 and later: webhooks in, tickets read and written over its REST API.

What is relied on here was recorded from a running Zammad; tests/adapters/payloads/zammad holds it.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock

from bridge.adapters.answers import (
    MARK_KEY,
    is_there,
    json_object,
    label,
    organization_id,
    record_of,
    short_reason,
    ticket_id_in,
    ticket_path,
)
from bridge.adapters.base import Adapter
from bridge.adapters.displays import shows
from bridge.adapters.http import Failure, JsonClient
from bridge.adapters.signatures import verify_hmac
from bridge.adapters.zammad.history import History
from bridge.adapters.zammad.ticket import (
    Article,
    Snapshot,
    State,
    User,
    checked,
    marks,
)
from bridge.adapters.zammad.values import (
    Value,
    account_values,
    as_json,
    compare,
    next_minute,
    same,
    ticket_values,
)
from bridge.errors import BridgeError, HelpdeskRefused, PayloadNotUnderstood, TicketNotFound
from bridge.ticket import (
    AccountFields,
    Change,
    Delivery,
    Fields,
    HttpDelivery,
    Note,
    Status,
    Ticket,
    TicketUpdate,
)

_API = "/api/v1"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_REMEMBERED_TICKETS = 1024
_STATE_TYPE_OF = {Status.OPEN: 2, Status.PENDING: 3, Status.CLOSED: 5}


@dataclass(frozen=True, slots=True)
class ZammadConfig:
    """One Zammad.

    The token needs the permission `ticket.agent`, its user full access to the served groups. The
    three fields are custom attributes of the organisation (and of the user, for people without
    one); where Zammad has no such attribute, nothing is known. `show_balance`: whether
    organisations show their points. `deadline` in seconds, per call.
    """

    url: str
    token: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    zone_field: str = "support_timezone"
    country_field: str = "support_country"
    subdivision_field: str = "support_subdivision"
    show_balance: bool = True
    deadline: float = 20.0


class Zammad(Adapter):
    """One configured Zammad. See `Adapter` for the contract."""

    def __init__(self, config: ZammadConfig) -> None:
        """Connect to nothing yet. Raises SettingsError: the url or the token cannot be used."""
        self._config = config
        self.shows_accounts = config.show_balance
        self._http = JsonClient(
            config.url,
            authorization=f"Token token={config.token}",
            deadline=config.deadline,
            explain=_explain,
        )
        self._bot_id: int | None = None
        self._states: Mapping[int, State] = {}
        self._mail_to: OrderedDict[str, str | None] = OrderedDict()
        self._lock = Lock()

    def verify(self, delivery: HttpDelivery) -> None:
        """HMAC-SHA1 over the raw body. Zammad signs neither a time nor its own headers."""
        verify_hmac(
            delivery.body,
            delivery.headers.get("x-hub-signature"),
            self._config.webhook_secrets,
            digest="sha1",
            encoding="hex",
            prefix="sha1=",
        )

    def parse(self, delivery: HttpDelivery) -> Delivery | None:
        """The delivery's id (the same on every retry), its ticket, and the trigger's name."""
        id_ = delivery.headers.get("x-zammad-delivery", "")
        if not _UUID.fullmatch(id_):
            raise PayloadNotUnderstood("X-Zammad-Delivery is missing or not a UUID")
        body = json_object(delivery.body)
        if "ticket" not in body:
            return None
        ticket = body["ticket"]
        return Delivery(
            id=id_.lower(),
            ticket_id=ticket_id_in(ticket.get("id") if isinstance(ticket, dict) else None),
            event=label(_as_sent(delivery.headers.get("x-zammad-trigger", ""))),
        )

    def fetch(self, ticket_id: str) -> Ticket:
        """One GET, after two more in the adapter's life: who we are, and the list of states."""
        snapshot = self._read(ticket_id)
        bot_id, row, config = self._bot(), snapshot.ticket, self._config
        return Ticket(
            id=ticket_id,
            number=row.number,
            status=self._state(row.state_id).status,
            created_at=row.created_at,
            updated_at=row.updated_at,
            channel=snapshot.channel,
            opened_by_agent=snapshot.opened_by_agent,
            customer=snapshot.customer(
                config.zone_field, config.country_field, config.subdivision_field
            ),
            requester=snapshot.requester,
            answers=snapshot.answers(bot_id),
            close_hint=row.last_close_at or row.close_at,
            marks=marks(snapshot.articles, bot_id),
            shown=snapshot.shown,
        )

    def history(self, ticket_id: str) -> tuple[Change, ...]:
        """From Zammad's own history, which nobody can edit, in one GET."""
        answer = self._http.get(f"{_API}/ticket_history/{ticket_path('Zammad', ticket_id)}")
        return History(answer, ticket_id, self._bot()).changes(lambda id_: self._state(id_).status)

    def shows(self, ticket: Ticket, fields: Fields) -> bool:
        """By the attributes as `fetch` read them."""
        return shows(ticket_values, fields, ticket.shown, same)

    def write(self, update: TicketUpdate) -> bool:
        """One PUT, which is one transaction there. Its answer is the ticket as it was stored.

        Zammad answers 200 also where it stored something else than it was sent, so every value is
        compared. A public text waits for one GET if the ticket was not fetched since the last one.
        """
        path = f"{_API}/tickets/{ticket_path('Zammad', update.ticket_id)}"
        wanted = ticket_values(update.fields) | self._status_attributes(update)
        body: dict[str, object] = {name: as_json(value) for name, value in wanted.items()}
        note = update.note
        if note and not (update.repeat and self._has_note(update.ticket_id, note.mark)):
            body["article"] = self._article(update.ticket_id, note)
        compare("ticket", wanted, self._http.put(path, body))
        return True

    def knows(self, customer: str) -> bool:
        """One GET of the record."""
        path = "/".join(record_of(customer))
        return is_there(lambda: self._http.get(f"{_API}/{path}"))

    def show_account(self, customer: str, fields: AccountFields) -> None:
        """One PUT, whose answer is the organisation as it was stored; no trigger runs for it."""
        path = f"{_API}/organizations/{organization_id('Zammad', customer)}"
        wanted = account_values(fields)
        body = {name: as_json(value) for name, value in wanted.items()}
        compare("organisation", wanted, self._http.put(path, body))

    def _read(self, ticket_id: str) -> Snapshot:
        path = f"{_API}/tickets/{ticket_path('Zammad', ticket_id)}"
        snapshot = Snapshot(self._http.get(path, {"all": "true"}), ticket_id)
        with self._lock:
            self._mail_to[ticket_id] = snapshot.mail_to
            self._mail_to.move_to_end(ticket_id)
            if len(self._mail_to) > _REMEMBERED_TICKETS:
                self._mail_to.popitem(last=False)
        return snapshot

    def _bot(self) -> int:
        if self._bot_id is None:
            self._bot_id = checked(User, self._http.get(f"{_API}/users/me")).id
        return self._bot_id

    def _state(self, id_: int) -> State:
        states = self._states if id_ in self._states else self._load_states()
        if id_ not in states:
            raise HelpdeskRefused(f"Zammad's list of ticket states lacks state {id_}")
        return states[id_]

    def _load_states(self) -> Mapping[int, State]:
        rows = checked(tuple[State, ...], self._http.get(f"{_API}/ticket_states"))
        self._states = {row.id: row for row in rows}
        return self._states

    def _status_attributes(self, update: TicketUpdate) -> dict[str, Value]:
        if update.status is None:
            return {}
        states = self._states or self._load_states()
        type_id = _STATE_TYPE_OF.get(update.status)
        ids = [id_ for id_, s in states.items() if s.active and s.state_type_id == type_id]
        if not ids:
            raise HelpdeskRefused(f"Zammad has no active state that means {update.status}")
        if update.status is not Status.PENDING:
            return {"state_id": min(ids)}
        if update.pending_until is None:
            raise HelpdeskRefused("Zammad takes no pending state without a time")
        return {"state_id": min(ids), "pending_time": next_minute(update.pending_until)}

    def _has_note(self, ticket_id: str, mark: str) -> bool:
        path = f"{_API}/ticket_articles/by_ticket/{ticket_id}"
        articles = checked(tuple[Article, ...], self._http.get(path))
        return mark in marks(articles, self._bot())

    def _article(self, ticket_id: str, note: Note) -> dict[str, object]:
        article: dict[str, object] = {
            "subject": " ".join(_harmless(note.subject).split()),
            "body": _harmless(note.text),
            "content_type": "text/plain",
            "internal": not note.public,
            "type": "note",
            "preferences": {MARK_KEY: {"mark": note.mark}},
        }
        if note.public:
            # From an Agent it would count as the first response and stop Zammad's own clock.
            article["sender"] = "System"
            if to := self._recipient(ticket_id):
                article |= {"type": "email", "to": to}
        return article

    def _recipient(self, ticket_id: str) -> str | None:
        # Used once: a retry asks again, in case the group lost its address and Zammad said 500.
        with self._lock:
            if ticket_id in self._mail_to:
                return self._mail_to.pop(ticket_id)
        return self._read(ticket_id).mail_to


def _explain(failure: Failure) -> BridgeError | None:
    where, status = failure.where, failure.status
    reason = reason_given(failure.body)
    if status == 401:
        return HelpdeskRefused(
            f"{where}: Zammad does not know the access token; create a new one", status=status
        )
    if status == 403:
        return HelpdeskRefused(
            f"{where}: Zammad forbids it; the token needs the permission ticket.agent, and its"
            " user full access to the ticket's group",
            status=status,
        )
    known_path = reason and not reason.startswith("No route matches")
    if status == 404 and known_path and "/organizations/" not in where:
        return TicketNotFound(f"{where}: Zammad knows no such ticket", status=status)
    if status == 422:
        return HelpdeskRefused(f"{where}: {reason or 'no reason given'}", status=status)
    return None


def reason_given(body: object) -> str:
    """Why Zammad refuses, fit for a log; "" for no reason."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, str):
        return ""
    return short_reason(error)


def _as_sent(header: str) -> str:
    with suppress(UnicodeError):
        # A server hands on header bytes as Latin-1; Zammad sent the trigger's name as UTF-8.
        return header.encode("latin-1").decode()
    return header


def _harmless(text: str) -> str:
    """Zammad replaces #{...} in texts by what it finds under that name."""
    return text.replace("#{", "# {")
