"""How an adapter writes: fields, a status and a note in one call, what was stored compared."""

from dataclasses import replace

import pytest

from bridge.errors import HelpdeskRefused
from bridge.ticket import AccountFields, Note, Status, TicketUpdate
from tests.adapters.contract.cases import ACCOUNT, FIELDS, MESSAGE, NOW, RECEIPT, SECRET
from tests.adapters.contract.hooks import Hooks, V


class WritingContract(Hooks[V]):
    """Everything in one call, and a note never twice."""

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

    def test_a_ticket_shows_what_was_written_until_the_ledger_says_otherwise(
        self, vendor: V
    ) -> None:
        """Product rule 6.6: none is written "to refresh a balance"."""
        self.serve(vendor)
        adapter = self.adapter(SECRET)
        assert not adapter.shows(adapter.fetch(self.ticket_id), FIELDS)
        adapter.write(TicketUpdate(self.ticket_id, FIELDS))
        ticket = adapter.fetch(self.ticket_id)
        assert adapter.shows(ticket, replace(FIELDS, balance=1, next_expiry=None))
        assert not adapter.shows(ticket, replace(FIELDS, charged=0))
        assert not adapter.shows(ticket, replace(FIELDS, summary="charged 20 · $balance left"))

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
