"""A held ticket that people go on with, over HTTP, end to end."""

import json
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest

from bridge.demo.scene import ZAMMAD, Stand
from tests.e2e.conftest import Opens, inhabited
from tests.e2e.desks import DESKS, Desk, ZammadDesk
from tests.e2e.helpers import CARLA, DAY, HOUR, bought, dead, decided, on_hand, opened, sound

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=DESKS, ids=lambda kind: kind.__name__)
def desk(request: pytest.FixtureRequest, opens: Opens) -> Iterator[Desk]:
    """Either helpdesk, where held tickets are set to pending."""
    kind: type[Desk] = request.param
    with opens(pending(kind.stand)) as scene:
        yield inhabited(kind(scene))


@pytest.fixture
def zammad(opens: Opens) -> Iterator[ZammadDesk]:
    with opens(pending(ZAMMAD)) as scene:
        yield inhabited(ZammadDesk(scene))


def pending(stand: Stand) -> Stand:
    return replace(stand, table=f'{stand.table}held_status = "pending"\n')


def test_a_held_ticket_that_its_customer_writes_to_is_put_back_without_a_word(desk: Desk) -> None:
    """The helpdesk opens it; the hold goes on, three times a day."""
    ticket = opened(desk)
    assert desk.is_pending(ticket)
    for _ in range(3):
        desk.replies(ticket, "Hello?")
        assert not desk.is_pending(ticket)
        desk.settle()
        assert desk.is_pending(ticket)
        desk.wait(HOUR)
    assert len(desk.notes(ticket)) == 1
    desk.replies(ticket, "Hello?")
    desk.settle()
    assert not desk.is_pending(ticket)
    assert decided(desk, ticket) == ["held", "put_back", "put_back", "put_back"]
    assert dead(desk) == []


def test_an_agents_answer_to_a_held_ticket_is_work_without_points(desk: Desk) -> None:
    """For review, with a note: no reminder, no decline, and no points taken by themselves."""
    ticket = opened(desk)
    desk.answers(ticket, "Please restart it.")
    desk.settle()
    assert desk.shown(ticket, "state") == "review"
    mail, note = desk.notes(ticket)
    assert (mail.internal, note.internal) == (False, True)
    assert "An agent answered while this request waited for points" in note.body
    desk.replies(ticket, "Thank you, that helped.")
    desk.settle()
    assert not desk.is_pending(ticket)
    bought(desk, "Acme GmbH", 10)
    for _ in range(15):
        desk.wait(DAY)
    assert len(desk.notes(ticket)) == 2
    assert (desk.shown(ticket, "state"), on_hand(desk, "Acme GmbH")) == ("review", 10)
    assert not desk.is_closed(ticket)
    assert sound(desk)


def test_closed_with_an_answer_it_is_no_free_ride_and_a_thank_you_no_new_hold(desk: Desk) -> None:
    ticket = opened(desk)
    desk.answers(ticket, "Please restart it.", close=True)
    desk.settle()
    assert desk.shown(ticket, "state") == "review"
    assert desk.shown(ticket, "free_reopen_until") is None
    assert desk.replies(ticket, "Thank you.") == ticket
    desk.settle()
    assert decided(desk, ticket) == ["held", "flagged", "closed", "reopened"]
    assert desk.shown(ticket, "state") == "review"
    assert [note.internal for note in desk.notes(ticket)] == [False, True]


def test_a_held_ticket_that_is_closed_without_an_answer_is_declined(desk: Desk) -> None:
    ticket = opened(desk)
    desk.closes(ticket)
    desk.settle()
    assert decided(desk, ticket) == ["held", "declined"]
    assert desk.shown(ticket, "state") == "declined"


def test_a_release_is_told_once_and_no_clock_stops_by_it(desk: Desk) -> None:
    """ "told publicly that work has begun and by when an answer comes" """
    ticket = opened(desk)
    desk.wait(2 * HOUR)
    bought(desk, "Acme GmbH", 30)
    desk.wait(HOUR)
    held, released = desk.notes(ticket)
    assert (held.to, released.to) == (CARLA, CARLA)
    assert "We have begun to work on it" in released.body
    assert "by 2026-11-23 16:00 Europe/Berlin time." in released.body
    assert not desk.is_pending(ticket)
    assert (desk.shown(ticket, "sla_state"), desk.shown(ticket, "state")) == ("running", "charged")
    desk.wait(2 * HOUR)
    assert desk.shown(ticket, "sla_state") == "at_risk"
    assert len(desk.notes(ticket)) == 2


def test_a_name_is_neither_markup_nor_a_placeholder(desk: Desk) -> None:
    """ "never markup and never the helpdesk's placeholder syntax" """
    name = "**A** [b](https://c.example) <i>d</i> #{ticket.number} {{ticket.id}} $price"
    desk.adds(name, ("Eve", "eve@e.example"), support_timezone="Europe/Berlin")
    ticket = opened(desk, "eve@e.example")
    (mail,) = desk.notes(ticket)
    written = name.replace("#{", "# {") if desk.stand is ZAMMAD else name.replace("{{", "{ {")
    assert f"and {written} has 0 on hand" in mail.body
    assert escape(mail.body).replace("\n\n", "</p><p>") in mail.markup or not mail.markup


def test_zammads_own_reply_can_wait_for_the_points(zammad: ZammadDesk) -> None:
    """As docs/zammad.md says, with the conditions that stand there."""
    page = (ROOT / "docs/zammad.md").read_text("utf-8").partition("## Zammad's own replies")[2]
    trigger = zammad.model.store.tables["Trigger"][1]
    trigger["condition"] = json.loads(page.partition("```json")[2].partition("```")[0])
    trigger["perform"]["notification.email"]["recipient"] = "ticket_customer"
    held = opened(zammad)
    assert own_replies(zammad, held) == 0
    bought(zammad, "Acme GmbH", 20)
    assert own_replies(zammad, held) == 0
    assert own_replies(zammad, opened(zammad)) == 1
    zammad.touches(held)
    zammad.settle()
    assert own_replies(zammad, held) == 0


def own_replies(zammad: ZammadDesk, ticket: int) -> int:
    rows = zammad.model.store.articles(ticket)
    return sum(row["preferences"].get("perform_origin") == "trigger" for row in rows)
