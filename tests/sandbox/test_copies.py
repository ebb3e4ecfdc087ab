"""A copy of a stand-in: the same helpdesk, and another one from then on."""

from datetime import timedelta
from typing import Any

from bridge.sandbox.zammad import Fault, ZammadSandbox
from bridge.sandbox.zendesk import ZendeskSandbox

from .conftest import CARLA, Clock, Receiver


def tables(box: ZammadSandbox | ZendeskSandbox) -> dict[str, Any]:
    return {name: dict(rows) for name, rows in box.model.store.tables.items() if rows}


def test_a_copy_has_all_that_there_was_and_shares_nothing(sandbox: ZammadSandbox) -> None:
    first = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    twin = sandbox.copy(Clock())
    assert tables(twin) == tables(sandbox)
    second = twin.model.customer_mails(CARLA, "Broken too", "It is.")
    twin.model.agent_closes(first)
    assert second not in sandbox.model.store.tables["Ticket"]
    assert sandbox.model.ticket(first)["state_id"] == 1
    with sandbox.model.store.lock:
        assert twin.model.store.lock is not sandbox.model.store.lock


def test_a_copy_tells_of_what_happens_in_it_alone(
    zendesk: ZendeskSandbox, receiver: Receiver
) -> None:
    twin = zendesk.copy(Clock())
    twin.webhooks.transport = heard = Receiver()
    twin.model.customer_mails(CARLA, "Broken", "It is.")
    assert (zendesk.webhooks.drain(), twin.webhooks.drain()) == (0, 1)
    assert (len(receiver.requests), len(heard.requests)) == (0, 1)


def test_a_copy_goes_by_its_own_clock(zendesk: ZendeskSandbox) -> None:
    later = Clock()
    later.now += timedelta(days=7)
    twin = zendesk.copy(later)
    days = [
        box.model.ticket(box.model.customer_mails(CARLA, "Broken", "It is."))["created_at"].day
        for box in (zendesk, twin)
    ]
    assert days == [22, 29]


def test_a_copy_answers_its_own_calls(sandbox: ZammadSandbox) -> None:
    sandbox.model.faults.add(Fault("*", "*", 503))
    twin = sandbox.copy(Clock())
    statuses = [twin.app.test_client().get("/api/v1/users/me").status_code for _ in range(2)]
    assert statuses == [503, 403]
    assert sandbox.app.test_client().get("/api/v1/users/me").status_code == 503


def test_a_copy_sends_in_the_background_when_it_is_told_to(sandbox: ZammadSandbox) -> None:
    twin = sandbox.copy(Clock())
    twin.webhooks.transport = heard = Receiver()
    twin.webhooks.start()
    try:
        twin.model.customer_mails(CARLA, "Broken", "It is.")
        assert twin.webhooks.wait_until_idle(timeout=30)
    finally:
        twin.webhooks.stop()
    assert heard.triggers == ["created"]
