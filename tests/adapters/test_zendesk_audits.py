"""What the Zendesk adapter makes of a ticket's audits: answers, marks and history."""

from collections.abc import Callable
from typing import Any

import pytest
from responses import RequestsMock, matchers

from bridge.adapters.answers import IN_A_LINE
from bridge.errors import HelpdeskRefused
from bridge.ticket import Message, OrganizationChange, Status, StatusChange, Ticket
from tests.adapters.zendesk_desk import (
    AGENT,
    API,
    BOT,
    CARLA,
    TICKET,
    Desk,
    Json,
    comment,
    field_change,
    payload,
    status_change,
    zendesk,
)

Change = Callable[[Desk], object]


@pytest.fixture
def desk(vendor: RequestsMock) -> Desk:
    desk = Desk()
    desk.serve(vendor)
    return desk


def fetched() -> Ticket:
    return zendesk().fetch(TICKET)


# Answers


def answers(desk: Desk, *changes: Json, author: int = AGENT, **of_audit: Any) -> int:
    """How many answers the ticket has after an audit with a comment that is changed so."""
    for change in changes:
        desk.add_audit(author, {**comment(author), **change}, **of_audit)
    return len(fetched().answers)


@pytest.mark.parametrize("change", [{}, {"type": "VoiceComment"}, {"author_id": None}])
def test_a_public_comment_of_an_agent_is_an_answer(desk: Desk, change: Json) -> None:
    """Product rule 4.2: "First response = first public answer by a human agent"."""
    assert answers(desk, change) == 1


def test_an_answer_that_was_made_private_afterwards_was_one(desk: Desk) -> None:
    private = {"type": "CommentPrivacyChange", "comment_id": 1, "public": False}
    assert answers(desk, {}, private) == 1


RULE = {"channel": "rule", "source": {"from": {"id": 1}, "to": {}, "rel": "trigger"}}
MERGE = {"channel": "system", "source": {"from": {"ticket_id": 35001}, "to": {}, "rel": "merge"}}


@pytest.mark.parametrize(
    ("change", "of_audit"),
    [
        ({"public": False}, {}),
        ({"author_id": CARLA}, {}),
        ({"author_id": BOT}, {}),
        ({"author_id": -1}, {}),
        ({"type": "Notification"}, {}),
        ({"type": "an event of next year"}, {}),
        ({"via": RULE}, {}),
        ({}, {"via": RULE}),
        ({}, {"via": MERGE}),
        ({}, {"via": {"channel": "merge"}}),
    ],
)
def test_notes_customers_rules_merges_and_the_bridge_itself_answer_nothing(
    desk: Desk, change: Json, of_audit: Json
) -> None:
    assert answers(desk, change, **of_audit) == 0


def test_an_agent_who_asks_does_not_answer(desk: Desk) -> None:
    desk.ticket.update(requester_id=AGENT, submitter_id=AGENT)
    assert answers(desk, {}) == 0


def test_the_text_that_an_agent_opens_a_ticket_with_is_no_answer(desk: Desk) -> None:
    desk.ticket["submitter_id"] = AGENT
    desk.audits[0]["author_id"] = desk.audits[0]["events"][0]["author_id"] = AGENT
    desk.metrics["replies"] = 1
    assert answers(desk) == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda desk: desk.ticket.update(comment_count=2),
        lambda desk: desk.ticket.pop("comment_count"),
        lambda desk: desk.metrics.update(replies=1),
        lambda desk: desk.ticket.update(metric_set={"replies": 1}),
        lambda desk: desk.ticket.update(status="closed"),
    ],
    ids=["comments", "no count", "replies", "replies, embedded", "closed"],
)
def test_the_audits_are_read_when_there_may_be_more_than_the_opening_text(
    desk: Desk, vendor: RequestsMock, change: Change
) -> None:
    change(desk)
    fetched()
    assert any("/audits.json" in str(call.request.url) for call in vendor.calls)


@pytest.mark.parametrize("author", [AGENT, CARLA])
def test_a_mark_counts_only_in_the_bridges_own_audit(desk: Desk, author: int) -> None:
    desk.add_mark("forged", author)
    assert fetched().marks == frozenset()


@pytest.mark.parametrize("metadata", [None, {}, {"custom": None}, {"custom": {"points_bridge": 5}}])
def test_a_mark_of_another_form_is_none(desk: Desk, metadata: Json | None) -> None:
    desk.add_audit(BOT, comment(BOT), metadata=metadata)
    assert fetched().marks == frozenset()


# History


def changes() -> list[tuple[int, str, str, str]]:
    """Turns of the status, each with the last digits of its audit's id."""
    history = zendesk().history(TICKET)
    turns = [c for c in history if isinstance(c, StatusChange)]
    return [(c.seq // IN_A_LINE % 100, c.before.value, c.after.value, c.who) for c in turns]


def test_the_history_tells_each_change_that_matters(desk: Desk) -> None:
    """From new to open, and from solved to closed for good, nothing changes for us."""
    desk.answered()
    assert changes() == [
        (44, "open", "pending", str(AGENT)),
        (45, "pending", "closed", str(AGENT)),
        (46, "closed", "open", str(CARLA)),
        (47, "open", "closed", str(AGENT)),
    ]


def test_what_one_save_changed_is_told_change_by_change(desk: Desk) -> None:
    moved, solved = field_change("organization_id", "2", "3"), status_change("new", "solved")
    audit = desk.add_audit(AGENT, moved, comment(AGENT), solved)
    told = [one for one in zendesk().history(TICKET) if one.seq // IN_A_LINE == audit["id"]]
    assert [type(one) for one in told] == [StatusChange, OrganizationChange, Message]
    assert [one.seq % IN_A_LINE for one in told] == [0, 1, 2]


def test_a_ticket_that_was_merged_ended_so(desk: Desk) -> None:
    """Product rule 2.4: "A merge is not a closure"."""
    desk.audits = payload("audits_merged")["audits"]
    desk.ticket.update(status="closed", comment_count=2)
    assert fetched().status is Status.MERGED
    assert fetched().answers == ()
    assert [after for _, _, after, _ in changes()] == ["merged"]


def test_the_ticket_that_another_was_merged_into_goes_on(desk: Desk) -> None:
    desk.add_audit(AGENT, comment(AGENT, public=False), via=MERGE)
    assert fetched().status is Status.OPEN
    assert changes() == []


def test_a_ticket_that_was_created_as_solved_was_closed_at_once(desk: Desk) -> None:
    for event in desk.audits[0]["events"]:
        if event.get("field_name") == "status":
            event["value"] = "solved"
    assert changes() == [(41, "open", "closed", str(CARLA))]


def test_what_changes_and_changes_back_in_one_audit_did_not_change(desk: Desk) -> None:
    desk.add_audit(AGENT, status_change("new", "solved"), status_change("solved", "open"))
    assert changes() == []


def test_a_ticket_that_was_deleted_and_restored(desk: Desk) -> None:
    """As recorded: "deleted" is a value of the field status, and both changes are audits."""
    desk.add_audit(AGENT, status_change("open", "deleted"))
    desk.add_audit(AGENT, status_change("deleted", "open"))
    assert [(before, after) for _, before, after, _ in changes()] == [
        ("open", "removed"),
        ("removed", "open"),
    ]


def test_another_custom_status_of_the_same_category_is_no_change(desk: Desk) -> None:
    """Its ids are numbers there, unlike other ids."""
    custom = {"type": "Change", "field_name": "custom_status_id", "previous_value": 1, "value": 123}
    desk.add_audit(AGENT, custom)
    desk.add_audit(AGENT, status_change("open", "hold"), custom)
    assert [(before, after) for _, before, after, _ in changes()] == [("open", "pending")]


def test_more_than_a_hundred_audits_come_in_pages(vendor: RequestsMock) -> None:
    """Cursors are base64: zenpy would send "+" and "=" as they are."""
    audits, cursor = payload("audits")["audits"], "eyJv+Ij/o=="
    url = f"{API}/tickets/{TICKET}/audits.json"
    more = {"has_more": True, "after_cursor": cursor}
    page = {"include": "users", "page[size]": "100"}
    for answer, query in (
        ({"audits": audits[:5], "meta": more}, page),
        ({"audits": audits[5:], "meta": {"has_more": False}}, page | {"page[after]": cursor}),
    ):
        vendor.add("GET", url, json=answer, match=[matchers.query_param_matcher(query)])
    vendor.add("GET", f"{API}/users/me.json", json=payload("users_me"))
    assert len(changes()) == 4


@pytest.mark.parametrize(
    "meta", [{"has_more": True}, {"has_more": True, "after_cursor": "again and again"}]
)
def test_a_list_without_an_end_is_refused(vendor: RequestsMock, meta: Json) -> None:
    url = f"{API}/tickets/{TICKET}/audits.json"
    vendor.add("GET", url, json={"audits": [], "meta": meta})
    with pytest.raises(HelpdeskRefused):
        changes()
