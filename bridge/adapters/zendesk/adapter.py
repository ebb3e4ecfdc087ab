"""Zendesk Support: webhooks in, tickets read and written over its REST API.

What is relied on here is what Zendesk documents, and what others recorded of it; which page or
recording each shape follows is said in tests/adapters/payloads/zendesk/README.md.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from html import escape
from threading import Lock

from bridge.adapters.answers import (
    MARK_KEY,
    is_there,
    json_object,
    label,
    organization_id,
    record_of,
    ticket_id_in,
    ticket_path,
)
from bridge.adapters.base import Adapter
from bridge.adapters.displays import missing, shows
from bridge.adapters.signatures import verify_hmac
from bridge.adapters.zendesk.access import ZendeskConfig
from bridge.adapters.zendesk.audits import Audits
from bridge.adapters.zendesk.http import Conflict, ZendeskClient
from bridge.adapters.zendesk.ticket import (
    CLOSED_FOR_GOOD,
    MeAnswer,
    OrganizationAnswer,
    Snapshot,
    TicketFieldsPage,
    TicketRow,
    UpdateAnswer,
    checked,
    status,
)
from bridge.adapters.zendesk.values import (
    FIELD_TYPES,
    account_values,
    compare,
    field_key,
    same,
    ticket_values,
)
from bridge.errors import HelpdeskRefused, WebhookRejected
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

__all__ = ["Zendesk", "ZendeskConfig"]

_SIGNATURE = "x-zendesk-webhook-signature"
_SIGNED_AT = "x-zendesk-webhook-signature-timestamp"
_INVOCATION = "x-zendesk-webhook-invocation-id"
_TOLERANCE = timedelta(minutes=5)
_TICKET_EVENT = "zen:event-type:ticket."
_INVOCATION_ID = re.compile(r"[0-9A-Za-z-]{8,64}", re.ASCII)
_ID = re.compile(r"[0-9]{1,19}", re.ASCII)
_REMEMBERED_TICKETS = 1024
_PLACEHOLDER = re.compile(r"\{(?=[{%])")
_STATUS_WRITTEN = {Status.OPEN: "open", Status.PENDING: "pending", Status.CLOSED: "solved"}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What an update must know of the ticket that it is based on."""

    updated_at: datetime
    assigned: bool
    closed_for_good: bool


class Zendesk(Adapter):
    """One configured Zendesk account. See `Adapter` for the contract."""

    def __init__(self, config: ZendeskConfig, client: ZendeskClient | None = None) -> None:
        """Connect to nothing yet. Raises SettingsError as `ZendeskClient`."""
        self._config = config
        self.shows_accounts = config.show_balance
        self._http = client or ZendeskClient(config)
        self._bot_id: int | None = None
        self._field_ids: Mapping[str, int] | None = None
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._lock = Lock()

    def verify(self, delivery: HttpDelivery) -> None:
        """HMAC-SHA256 over the time of signing and the raw body, of five minutes ago at most.

        Every attempt is signed anew. Zendesk names no tolerance, and signs no other header.
        """
        signed_at = delivery.headers.get(_SIGNED_AT, "")
        verify_hmac(
            signed_at.encode(errors="replace") + delivery.body,
            delivery.headers.get(_SIGNATURE),
            self._config.webhook_secrets,
            digest="sha256",
            encoding="base64",
        )
        at = _instant(signed_at)
        if at is None or abs(delivery.received_at - at) > _TOLERANCE:
            raise WebhookRejected("the delivery was not signed just now; is a clock wrong?")

    def parse(self, delivery: HttpDelivery) -> Delivery | None:
        """A trigger's `{"event": ..., "ticket_id": ...}`, or an event of Zendesk's own.

        Its id is that of the invocation, the same on every retry. Nobody signs it; but effects are
        keyed by what happened, and not by who told it.
        """
        body = json_object(delivery.body)
        event, ticket_id = body.get("event"), body.get("ticket_id")
        if "type" in body:
            event, detail = body["type"], body.get("detail")
            if not (isinstance(event, str) and event.startswith(_TICKET_EVENT)):
                return None
            ticket_id = detail.get("id") if isinstance(detail, dict) else None
        return Delivery(_delivery_id(delivery), _ticket_id(ticket_id), _event(event))

    def fetch(self, ticket_id: str) -> Ticket:
        """One GET, and a second one when there is more to the ticket than its opening text.

        The second is for the audits (one for each 100 of them): who answered, which notes are ours,
        whether it was merged. Twice in the adapter's life there is another: for the list of ticket
        fields, so that an update is one call, and for who we are.
        """
        snapshot = self._read(ticket_path("Zendesk", ticket_id))
        ids = self._load_fields() if self._field_ids is None else self._field_ids
        row, config = snapshot.ticket, self._config
        ticket = Ticket(
            id=ticket_id,
            number=ticket_id,
            status=status(row.status),
            created_at=row.created_at,
            updated_at=row.updated_at,
            channel=snapshot.channel,
            opened_by_agent=snapshot.opened_by_agent,
            customer=snapshot.customer(
                config.zone_field, config.country_field, config.subdivision_field
            ),
            requester=snapshot.requester,
            close_hint=snapshot.solved_at,
            follow_up_of=snapshot.follow_up_of,
            closed_for_good=row.status == CLOSED_FOR_GOOD,
            shown=snapshot.shown(ids),
        )
        if not snapshot.needs_audits:
            return ticket
        audits, bot_id = Audits(self._http.audits(ticket_id)), self._bot()
        return replace(
            ticket,
            status=Status.MERGED if audits.merged else ticket.status,
            answers=audits.answers(row.requester_id, bot_id),
            marks=audits.marks(bot_id),
        )

    def history(self, ticket_id: str) -> tuple[Change, ...]:
        """From the ticket's audits, which nobody can edit: one call for each 100 of them."""
        return Audits(self._http.audits(ticket_path("Zendesk", ticket_id))).changes(self._bot())

    def shows(self, ticket: Ticket, fields: Fields) -> bool:
        """By the fields as `fetch` read them."""
        return shows(ticket_values, fields, ticket.shown, same)

    def write(self, update: TicketUpdate) -> bool:
        """One PUT, which is one audit there. Its answer is the ticket as it was stored.

        It waits for one GET if the ticket was neither read nor written lately: Zendesk refuses an
        update of a ticket that has changed since. Then, and on a repeat, the ticket is read again,
        and its audits where there is a note to look for. A ticket that is closed for good is left
        alone: it takes nothing any more, and the ledger is the truth.
        """
        ticket_id = ticket_path("Zendesk", update.ticket_id)
        try:
            return self._update(update)
        except HelpdeskRefused as refused:
            closed = refused.status == 422 and self._see(ticket_id).closed_for_good
            if not closed:
                raise
            return False

    def knows(self, customer: str) -> bool:
        """One GET of the record."""
        return is_there(lambda: self._http.record(*record_of(customer)))

    def show_account(self, customer: str, fields: AccountFields) -> None:
        """One PUT, of which Zendesk takes five in a minute for one organisation."""
        organization, wanted = organization_id("Zendesk", customer), account_values(fields)
        answer = self._http.update_organization(organization, wanted)
        row = checked(OrganizationAnswer, answer).organization
        compare("organisation", wanted, row.organization_fields)

    def _update(self, update: TicketUpdate) -> bool:
        with self._lock:
            known = None if update.repeat else self._seen.get(update.ticket_id)
        try:
            return self._put(update, known or self._see(update.ticket_id))
        except Conflict:
            again = replace(update, repeat=True)
            return self._put(again, self._see(update.ticket_id))

    def _put(self, update: TicketUpdate, seen: _Seen) -> bool:
        if seen.closed_for_good:
            return False
        ids, wanted, note = self._fields(), ticket_values(update.fields), update.note
        change: dict[str, object] = {
            "custom_fields": [
                {"id": ids[key], "value": value} for key, value in wanted.items() if key in ids
            ],
            "safe_update": True,
            "updated_stamp": _stamp(seen.updated_at),
            **self._status(update.status, seen),
        }
        # Looked for after the ticket was read: a copy that arrives in between makes this one stale.
        if note and not (update.repeat and self._has_note(update.ticket_id, note.mark)):
            change |= _comment(note)
        answer = checked(UpdateAnswer, self._http.update(update.ticket_id, change)).ticket
        self._remember(update.ticket_id, answer)
        stored = {field.id: field.value for field in answer.custom_fields}
        compare("ticket", wanted, {key: stored[id_] for key, id_ in ids.items() if id_ in stored})
        if update.status and status(answer.status) is not update.status:
            raise HelpdeskRefused(
                "Zendesk stored another status than it was sent: does a trigger change it?"
            )
        return True

    def _read(self, ticket_id: str) -> Snapshot:
        snapshot = Snapshot(self._http.ticket(ticket_id), ticket_id)
        self._remember(ticket_id, snapshot.ticket)
        return snapshot

    def _see(self, ticket_id: str) -> _Seen:
        return _seen(self._read(ticket_id).ticket)

    def _remember(self, ticket_id: str, row: TicketRow) -> None:
        with self._lock:
            self._seen[ticket_id] = _seen(row)
            self._seen.move_to_end(ticket_id)
            if len(self._seen) > _REMEMBERED_TICKETS:
                self._seen.popitem(last=False)

    def _bot(self) -> int:
        if self._bot_id is None:
            self._bot_id = checked(MeAnswer, self._http.me()).user.id
        return self._bot_id

    def _has_note(self, ticket_id: str, mark: str) -> bool:
        return mark in Audits(self._http.audits(ticket_id)).marks(self._bot())

    def _status(self, wanted: Status | None, seen: _Seen) -> dict[str, object]:
        if wanted is None:
            return {}
        if wanted not in _STATUS_WRITTEN:
            raise HelpdeskRefused(f"Zendesk has no status to write that means {wanted}")
        written: dict[str, object] = {"status": _STATUS_WRITTEN[wanted]}
        if wanted is Status.CLOSED and not seen.assigned:
            # Zendesk solves no ticket that is nobody's.
            written["assignee_id"] = self._bot()
        return written

    def _fields(self) -> Mapping[str, int]:
        ids = self._field_ids
        if ids is None or missing(FIELD_TYPES, ids):
            ids = self._load_fields()
        if lacking := [f"{key} ({FIELD_TYPES[key]})" for key in missing(FIELD_TYPES, ids)]:
            raise HelpdeskRefused(
                f"Zendesk has no active ticket field {', '.join(lacking)};"
                " run `points-bridge setup`"
            )
        return ids

    def _load_fields(self) -> Mapping[str, int]:
        pages = [checked(TicketFieldsPage, page) for page in self._http.ticket_fields()]
        fields = sorted((f for page in pages for f in page.ticket_fields), key=lambda f: -f.id)
        # The oldest of several wins.
        self._field_ids = {
            key: field.id
            for field in fields
            if field.active and FIELD_TYPES.get(key := field_key(field.title)) == field.type
        }
        return self._field_ids


def _seen(row: TicketRow) -> _Seen:
    return _Seen(row.updated_at, row.assignee_id is not None, row.status == CLOSED_FOR_GOOD)


def _delivery_id(delivery: HttpDelivery) -> str:
    invocation = delivery.headers.get(_INVOCATION, "")
    if _INVOCATION_ID.fullmatch(invocation):
        return invocation
    signed_at = delivery.headers.get(_SIGNED_AT, "").encode(errors="replace")
    return sha256(signed_at + delivery.body).hexdigest()


def _ticket_id(named: object) -> str:
    """A placeholder in a trigger's body, and the id in an event, are text; "" and "0" are none."""
    text = str(named) if type(named) in {int, str} else ""
    return ticket_id_in(int(text) if _ID.fullmatch(text) else None)


def _event(named: object) -> str:
    return label(named.removeprefix("zen:event-type:") if isinstance(named, str) else "")


def _stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _comment(note: Note) -> dict[str, object]:
    """As markup of our own: a `body` is Markdown to Zendesk, and a name in it might be a link."""
    paragraphs = escape(_harmless(note.text)).replace("\n\n", "</p><p>").replace("\n", "<br>")
    return {
        "comment": {"html_body": f"<p>{paragraphs}</p>", "public": note.public},
        "metadata": {MARK_KEY: note.mark},
    }


def _harmless(text: str) -> str:
    """Zendesk replaces {{...}} in an agent's texts by what it finds under that name."""
    return _PLACEHOLDER.sub("{ ", text)


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None
