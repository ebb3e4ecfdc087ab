"""What every adapter must do, whatever its vendor: inherit `AdapterContract`, fill in its hooks.

A vendor's test module provides payloads and a small stand-in for its API; the judgements are here.
HTTP is mocked below the client, so that any implementation can be judged. An adapter that speaks no
HTTP inherits `AnyAdapterContract`.
"""

import re
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sized
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import pytest
import requests
from responses import RequestsMock

from bridge.adapters.base import Adapter
from bridge.errors import (
    BridgeError,
    HelpdeskRefused,
    HelpdeskUnavailable,
    PayloadNotUnderstood,
    TicketNotFound,
    WebhookRejected,
)
from bridge.ticket import (
    AccountFields,
    Actor,
    Delivery,
    Fields,
    HttpDelivery,
    Note,
    PointsState,
    SlaState,
    Status,
    StatusChange,
    TicketUpdate,
)

SECRET = "canary-secret-0123456789"
TOKEN = "canary-token-9876543210"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

FIELDS = Fields(
    state=PointsState.CHARGED,
    charged=10,
    balance=90,
    next_expiry=date(2027, 11, 22),
    response_due=NOW + timedelta(hours=1, seconds=7),
    sla=SlaState.RUNNING,
    free_reopen_until=None,
)
ACCOUNT = AccountFields(balance=90, next_expiry=date(2027, 11, 22))
RECEIPT = Note(mark="receipt:1", subject="Points", text="10 points were charged.", public=False)
MESSAGE = Note(mark="held:1", subject="Points", text="Please buy points.", public=True)

Operation = Callable[[Adapter, str], object]
OPERATIONS: Mapping[str, Operation] = {
    "fetch": lambda adapter, ticket_id: adapter.fetch(ticket_id),
    "history": lambda adapter, ticket_id: adapter.history(ticket_id),
    "write": lambda adapter, ticket_id: adapter.write(TicketUpdate(ticket_id, FIELDS)),
}
CALLS: Mapping[str, Operation] = {
    **OPERATIONS,
    "show account": lambda adapter, _id: adapter.show_account("organization:2", ACCOUNT),
}

UNAVAILABLE: Mapping[str, dict[str, Any]] = {
    "429": {"status": 429, "json": {"error": "slow down"}},
    "500": {"status": 500, "json": {"error": "Error ID 1"}},
    "502": {"status": 502, "body": "<html>Bad gateway</html>"},
    "503": {"status": 503, "body": ""},
    "504": {"status": 504, "body": "<html>Timeout</html>"},
    "no connection": {"body": requests.ConnectionError(f"GET https://x/?token={TOKEN}")},
    "no answer": {"body": requests.ReadTimeout("read")},
    "cut off": {"body": requests.exceptions.ChunkedEncodingError("cut")},
}
REFUSED: Mapping[str, dict[str, Any]] = {
    "401": {"status": 401, "json": {"error": "no"}},
    "403": {"status": 403, "json": {"error": "no"}},
    "422": {"status": 422, "json": {"error": "no"}},
    "another 404": {"status": 404, "body": "<html>nginx</html>"},
    "redirect": {"status": 302, "headers": {"Location": "https://elsewhere.example/"}},
    "no content": {"status": 204},
    "a web page": {"status": 200, "body": "<html>Maintenance</html>"},
    "null": {"status": 200, "body": "null"},
    "a list": {"status": 200, "body": "[1]"},
    "a string": {"status": 200, "body": '"ok"'},
    "an empty object": {"status": 200, "body": "{}"},
    "not a number": {"status": 200, "body": '{"id": NaN}'},
    "too deep": {"status": 200, "body": "[" * 100_000},
}
POISON: Mapping[str, bytes] = {
    "empty": b"",
    "cut off": b'{"ticket":{"id":5',
    "too deep": b"[" * 100_000,
    "deep objects": b'{"ticket":' * 100_000,
    "a number of 5000 digits": b'{"ticket":{"id":' + b"1" * 5_000 + b"}}",
    "not a number": b'{"ticket":{"id":NaN}}',
    "infinite": b'{"ticket":{"id":Infinity}}',
    "not UTF-8": b'{"ticket":{"id":5,"title":"\xff"}}',
    "UTF-16": '{"ticket":{"id":5}}'.encode("utf-16"),
    "NUL": b"\x00",
    "null": b"null",
    "a list": b"[]",
    "a number": b"5",
    "a string": b'"\\ud800"',
    "two documents": b"{}{}",
    "a form": b"payload=%7B%7D",
}


class Vendor(Protocol):
    """Whatever stands for the vendor: a mock of HTTP, or a helpdesk in memory."""

    @property
    def calls(self) -> Sized:
        """What it was asked."""


V = TypeVar("V", bound=Vendor)


class AnyAdapterContract(ABC, Generic[V]):
    """What every adapter must do, whatever it speaks. The hooks come first.

    What they return must be fit for `SECRET` and `TOKEN`.
    """

    signature_header: ClassVar[str]
    ticket_id: ClassVar[str]
    status_field: ClassVar[str]
    """The vendor's name for the field that shows `Fields.state`."""
    organization: ClassVar[str]
    """The `Customer.ref` of an organisation that `serve` has."""
    balance_field: ClassVar[str]
    """The vendor's name for the field of an organisation that shows `AccountFields.balance`."""

    @abstractmethod
    def adapter(self, *secrets: str) -> Adapter:
        """An adapter that accepts these webhook secrets and calls with `TOKEN`."""

    @abstractmethod
    def signed(self, body: bytes, secret: str = SECRET) -> HttpDelivery:
        """The delivery of a body, signed as the vendor does."""

    @abstractmethod
    def about_a_ticket(self) -> tuple[bytes, Delivery]:
        """A body, and how `signed` of it must be read."""

    @abstractmethod
    def about_something_else(self) -> bytes:
        """A body that the vendor may send and that is not about a ticket."""

    @abstractmethod
    def serve(
        self, vendor: V, *, marks: tuple[str, ...] = (), lost_field: str | None = None
    ) -> None:
        """The vendor's API with ticket `ticket_id`, on which the bridge left these marks.

        `lost_field` is unknown to it, and left out silently, or refused, as the vendor does. The
        organisation remembers what is put onto it.
        """

    @abstractmethod
    def account_shown(self, vendor: V) -> AccountFields:
        """What the organisation's record shows."""

    @abstractmethod
    def serve_no_ticket(self, vendor: V) -> None:
        """The vendor's API without ticket `ticket_id`."""

    @abstractmethod
    def notes_sent(self, vendor: V) -> list[str]:
        """The texts of the notes that the vendor was sent."""

    # Webhooks

    def test_what_the_helpdesk_signed_is_accepted(self) -> None:
        self.adapter(SECRET).verify(self.signed(self.about_a_ticket()[0]))

    @pytest.mark.parametrize("secrets", [("old", SECRET), (SECRET, "new")])
    def test_both_secrets_are_accepted_during_a_rotation(self, secrets: tuple[str, ...]) -> None:
        self.adapter(*secrets).verify(self.signed(self.about_a_ticket()[0]))

    @pytest.mark.parametrize(
        "forge",
        [
            lambda _given: None,
            lambda _given: "",
            lambda given: given[:5],
            lambda given: given[:-1],
            lambda given: given + "0",
            lambda given: given[::-1],
            lambda given: "sha512=" + given,
            lambda _given: "ü" * 45,
            lambda given: given + "\ud800",
        ],
        ids=[
            "none",
            "empty",
            "no digest",
            "truncated",
            "too long",
            "wrong",
            "other algorithm",
            "not ASCII",
            "lone surrogate",
        ],
    )
    def test_a_forged_signature_is_rejected(self, forge: Callable[[str], str | None]) -> None:
        good = self.signed(self.about_a_ticket()[0])
        headers = dict(good.headers)
        given = headers.pop(self.signature_header)
        if (forged := forge(given)) is not None:
            headers[self.signature_header] = forged
        with pytest.raises(WebhookRejected):
            self.adapter(SECRET).verify(replace(good, headers=headers))

    def test_the_signature_of_another_secret_is_rejected(self) -> None:
        with pytest.raises(WebhookRejected):
            self.adapter(SECRET).verify(self.signed(self.about_a_ticket()[0], "somebody else's"))

    @pytest.mark.parametrize("changed", [b" ", b"\n", b"{}"])
    def test_a_changed_body_is_rejected(self, changed: bytes) -> None:
        good = self.signed(self.about_a_ticket()[0])
        with pytest.raises(WebhookRejected):
            self.adapter(SECRET).verify(replace(good, body=good.body + changed))

    @pytest.mark.parametrize("secrets", [(), ("",), (" ",)])
    def test_without_a_secret_nothing_is_accepted(self, secrets: tuple[str, ...]) -> None:
        signed = self.signed(self.about_a_ticket()[0], secrets[0] if secrets else "")
        with pytest.raises(WebhookRejected):
            self.adapter(*secrets).verify(signed)

    def test_a_delivery_names_its_ticket_and_itself(self) -> None:
        body, expected = self.about_a_ticket()
        assert self.adapter(SECRET).parse(self.signed(body)) == expected

    def test_what_is_not_about_a_ticket_is_ignored(self) -> None:
        assert self.adapter(SECRET).parse(self.signed(self.about_something_else())) is None

    @pytest.mark.parametrize("body", POISON.values(), ids=POISON)
    def test_poison_is_not_understood_however_well_signed(self, body: bytes) -> None:
        delivery = self.signed(body)
        adapter = self.adapter(SECRET)
        adapter.verify(delivery)
        with pytest.raises(PayloadNotUnderstood):
            adapter.parse(delivery)

    # The vendor answers

    def test_a_ticket_is_read_in_our_words(self, vendor: V) -> None:
        self.serve(vendor, marks=("receipt:1", "held:2"))
        ticket = self.adapter(SECRET).fetch(self.ticket_id)
        assert ticket.id == self.ticket_id
        assert ticket.marks == {"receipt:1", "held:2"}
        instants = [ticket.created_at, ticket.updated_at, *(a.at for a in ticket.answers)]
        assert all(at.tzinfo is UTC for at in instants)
        assert list(ticket.answers) == sorted(ticket.answers, key=lambda answer: answer.at)
        assert re.fullmatch(r"(organization|person):\d+", ticket.customer.ref)

    def test_reading_again_takes_one_call(self, vendor: V) -> None:
        self.serve(vendor)
        adapter = self.adapter(SECRET)
        first = adapter.fetch(self.ticket_id)
        calls = len(vendor.calls)
        assert adapter.fetch(self.ticket_id) == first
        assert len(vendor.calls) == calls + 1

    def test_the_history_holds_the_changes_in_time_order(self, vendor: V) -> None:
        self.serve(vendor)
        changes = self.adapter(SECRET).history(self.ticket_id)
        turns = [change for change in changes if isinstance(change, StatusChange)]
        assert turns
        assert all(change.before is not change.after for change in turns)
        assert any(change.actor is Actor.AGENT for change in turns)
        assert all(change.at.tzinfo is UTC for change in changes)

    def test_every_change_has_a_number_of_its_own_that_grows(self, vendor: V) -> None:
        """What is not above the last number seen is taken as seen: two must never share one."""
        self.serve(vendor, marks=("receipt:1",))
        seqs = [change.seq for change in self.adapter(SECRET).history(self.ticket_id)]
        assert len(seqs) > 1
        assert all(before < after for before, after in pairwise(seqs))

    def test_a_change_keeps_its_number_whatever_happens_later(self, vendor: V) -> None:
        self.serve(vendor)
        adapter = self.adapter(SECRET)
        before = adapter.history(self.ticket_id)
        adapter.write(TicketUpdate(self.ticket_id, FIELDS, Status.CLOSED, note=RECEIPT))
        assert adapter.history(self.ticket_id)[: len(before)] == before

    @pytest.mark.parametrize("status", [None, Status.OPEN, Status.PENDING, Status.CLOSED])
    @pytest.mark.parametrize("note", [None, RECEIPT, MESSAGE], ids=["bare", "internal", "public"])
    def test_an_update_is_one_call_that_may_carry_everything(
        self, vendor: V, status: Status | None, note: Note | None
    ) -> None:
        self.serve(vendor)
        adapter = self.adapter(SECRET)
        adapter.fetch(self.ticket_id)
        calls = len(vendor.calls)
        update = TicketUpdate(self.ticket_id, FIELDS, status, pending_until=NOW, note=note)
        assert adapter.write(update)
        assert len(vendor.calls) == calls + 1
        assert self.notes_sent(vendor) == ([note.text] if note else [])

    @pytest.mark.parametrize("note", [RECEIPT, MESSAGE], ids=["internal", "public"])
    def test_a_repeated_update_leaves_out_the_note_that_arrived(
        self, vendor: V, note: Note
    ) -> None:
        """Note.mark: "a retry looks for it before it writes again"."""
        self.serve(vendor, marks=(note.mark,))
        self.adapter(SECRET).write(TicketUpdate(self.ticket_id, FIELDS, note=note, repeat=True))
        assert self.notes_sent(vendor) == []

    @pytest.mark.parametrize("note", [RECEIPT, MESSAGE], ids=["internal", "public"])
    def test_a_repeated_update_carries_the_note_that_did_not_arrive(
        self, vendor: V, note: Note
    ) -> None:
        self.serve(vendor, marks=("another",))
        self.adapter(SECRET).write(TicketUpdate(self.ticket_id, FIELDS, note=note, repeat=True))
        assert self.notes_sent(vendor) == [note.text]

    def test_a_field_that_the_vendor_did_not_store_is_refused_by_name(self, vendor: V) -> None:
        self.serve(vendor, lost_field=self.status_field)
        with pytest.raises(HelpdeskRefused, match=self.status_field):
            self.adapter(SECRET).write(TicketUpdate(self.ticket_id, FIELDS))

    @pytest.mark.parametrize("fields", [ACCOUNT, AccountFields(0), AccountFields(999_990)])
    def test_an_organisation_shows_its_account_after_one_call(
        self, vendor: V, fields: AccountFields
    ) -> None:
        self.serve(vendor)
        adapter = self.adapter(SECRET)
        adapter.show_account(self.organization, ACCOUNT)
        calls = len(vendor.calls)
        adapter.show_account(self.organization, fields)
        assert len(vendor.calls) == calls + 1
        assert self.account_shown(vendor) == fields

    def test_a_field_of_the_organisation_that_was_not_stored_is_refused_by_name(
        self, vendor: V
    ) -> None:
        self.serve(vendor, lost_field=self.balance_field)
        with pytest.raises(HelpdeskRefused, match=self.balance_field):
            self.adapter(SECRET).show_account(self.organization, ACCOUNT)

    @pytest.mark.parametrize(
        "customer",
        [
            "person:8",
            "",
            "organization:",
            "organization:-1",
            "organization:1/../2",
            "organization:\u0665",
        ],
    )
    def test_what_is_no_organisation_shows_no_account(self, vendor: V, customer: str) -> None:
        with pytest.raises(HelpdeskRefused):
            self.adapter(SECRET).show_account(customer, ACCOUNT)
        assert len(vendor.calls) == 0

    @pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
    def test_an_unknown_ticket_is_not_found(self, vendor: V, operation: Operation) -> None:
        self.serve_no_ticket(vendor)
        with pytest.raises(TicketNotFound):
            operation(self.adapter(SECRET), self.ticket_id)


class AdapterContract(AnyAdapterContract[RequestsMock]):
    """The suite of an adapter that speaks HTTP."""

    # The vendor fails

    @pytest.mark.parametrize(
        "ticket_id", ["", "-1", "5/../../users/1", "5?all", "\u0665", "1" * 5_000]
    )
    @pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
    def test_what_can_be_no_ticket_id_is_not_asked_for(
        self, vendor: RequestsMock, operation: Operation, ticket_id: str
    ) -> None:
        with pytest.raises(TicketNotFound):
            operation(self.adapter(SECRET), ticket_id)
        assert len(vendor.calls) == 0

    @pytest.mark.parametrize("answer", UNAVAILABLE.values(), ids=UNAVAILABLE)
    @pytest.mark.parametrize("operation", CALLS.values(), ids=CALLS)
    def test_a_passing_failure_is_reported_and_never_retried_in_place(
        self, vendor: RequestsMock, operation: Operation, answer: dict[str, Any]
    ) -> None:
        self._fail(vendor, operation, answer, HelpdeskUnavailable)
        assert len(vendor.calls) == 1

    @pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED)
    @pytest.mark.parametrize("operation", CALLS.values(), ids=CALLS)
    def test_an_answer_that_cannot_be_used_is_final(
        self, vendor: RequestsMock, operation: Operation, answer: dict[str, Any]
    ) -> None:
        failed = self._fail(vendor, operation, answer, HelpdeskRefused)
        assert not isinstance(failed, TicketNotFound)

    def test_the_wait_that_the_vendor_asks_for_is_handed_on(self, vendor: RequestsMock) -> None:
        answer = {"status": 429, "body": "", "headers": {"Retry-After": "17"}}
        self._always(vendor, answer)
        with pytest.raises(HelpdeskUnavailable) as unavailable:
            self.adapter(SECRET).fetch(self.ticket_id)
        assert unavailable.value.retry_after == 17

    def test_an_adapter_does_not_show_its_secrets(self) -> None:
        adapter = self.adapter(SECRET)
        shown = repr(adapter) + str(adapter) + repr(vars(adapter))
        assert SECRET not in shown
        assert TOKEN not in shown

    def _always(self, vendor: RequestsMock, answer: dict[str, Any]) -> None:
        for method in ("GET", "PUT", "POST"):
            vendor.add(method, re.compile(".*"), **answer)

    def _fail(
        self,
        vendor: RequestsMock,
        operation: Operation,
        answer: dict[str, Any],
        expected: type[BridgeError],
    ) -> BridgeError:
        self._always(vendor, answer)
        with pytest.raises(expected) as failed:
            operation(self.adapter(SECRET), self.ticket_id)
        told = "".join(traceback.format_exception(failed.value)) + repr(failed.value)
        assert TOKEN not in told
        assert SECRET not in told
        return failed.value
