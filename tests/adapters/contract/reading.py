"""How an adapter reads tickets and their histories."""

import re
from datetime import UTC
from itertools import pairwise

import pytest

from bridge.errors import TicketNotFound
from bridge.ticket import Actor, Status, StatusChange, TicketUpdate
from tests.adapters.contract.cases import FIELDS, OPERATIONS, RECEIPT, SECRET, Operation
from tests.adapters.contract.hooks import Hooks, V


class ReadingContract(Hooks[V]):
    """In our words, by one call, and the same at every reading."""

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

    @pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
    def test_an_unknown_ticket_is_not_found(self, vendor: V, operation: Operation) -> None:
        self.serve_no_ticket(vendor)
        with pytest.raises(TicketNotFound):
            operation(self.adapter(SECRET), self.ticket_id)
