"""What the Zendesk adapter writes: one PUT, based on the ticket as it was seen."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from responses import RequestsMock

from bridge.adapters.zendesk.adapter import Zendesk
from bridge.adapters.zendesk.values import FIELD_TYPES
from bridge.errors import HelpdeskRefused
from bridge.ticket import Fields, PointsState, SlaState, Status, TicketUpdate
from tests.adapters.contract import FIELDS, MESSAGE, RECEIPT, SECRET
from tests.adapters.zendesk_desk import (
    AGENT,
    BOT,
    TICKET,
    Desk,
    Json,
    comment,
    methods,
    with_oauth,
    zendesk,
)

UPDATE = TicketUpdate(TICKET, FIELDS, note=RECEIPT)


@pytest.fixture
def desk(vendor: RequestsMock) -> Desk:
    desk = Desk()
    desk.serve(vendor)
    return desk


def write(update: TicketUpdate = UPDATE, adapter: Zendesk | None = None) -> None:
    (adapter or zendesk()).write(update)


# What is sent


def test_one_update_carries_fields_status_and_note(desk: Desk) -> None:
    write(replace(UPDATE, status=Status.PENDING, note=MESSAGE))
    [sent] = desk.put
    assert sent.pop("custom_fields")
    assert sent == {
        "id": 35436,
        "status": "pending",
        "comment": {"html_body": f"<p>{MESSAGE.text}</p>", "public": True},
        "metadata": {"points_bridge": MESSAGE.mark},
        "safe_update": True,
        "updated_stamp": "2026-11-20T09:00:00Z",
    }


def test_an_opened_ticket_costs_one_read_and_one_write(desk: Desk, vendor: RequestsMock) -> None:
    adapter = zendesk(with_oauth(SECRET))
    adapter.fetch(TICKET)
    write(adapter=adapter)
    once_in_a_life = ["POST tokens", "GET ticket_fields.json"]
    assert [call for call in methods(vendor) if call not in once_in_a_life] == [
        "GET 35436.json",
        "PUT 35436.json",
    ]


def test_tags_are_never_sent(desk: Desk) -> None:
    """`tags` replaces the list; the option of a drop-down is a tag that Zendesk adds by itself."""
    write(replace(UPDATE, status=Status.CLOSED))
    assert not {"tags", "additional_tags", "remove_tags"} & desk.put[0].keys()


EMPTY = Fields(PointsState.AWAITING_POINTS, 0, 0)
FULL = Fields(
    state=PointsState.FREE_REOPEN,
    charged=10,
    balance=1_990,
    next_expiry=date(2027, 3, 1),
    response_due=datetime(2026, 11, 24, 1, 30, 7, 999_999, timezone(timedelta(hours=2))),
    sla=SlaState.AT_RISK,
    free_reopen_until=date(2027, 2, 20),
    zone="Pacific/Auckland",
    summary="free re-open · $balance left",
)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        (
            FULL,
            {
                "points_state": "points_state_free_reopen",
                "points_charged": 10,
                "points_balance": 1_990,
                "points_next_expiry": "2027-03-01",
                "points_summary": "free re-open · 1990 left",
                "points_response_due": "2026-11-24 12:30+13:00 Pacific/Auckland",
                "points_response_due_date": "2026-11-24",
                "points_sla_state": "points_sla_state_at_risk",
                "points_free_reopen_until": "2027-02-20",
            },
        ),
        (
            EMPTY,
            {
                **dict.fromkeys(FIELD_TYPES),
                "points_state": "points_state_awaiting_points",
                "points_charged": 0,
                "points_balance": 0,
            },
        ),
    ],
    ids=["full", "empty"],
)
def test_every_field_is_sent_as_its_type_wants_it(
    desk: Desk, fields: Fields, shown: dict[str, object]
) -> None:
    write(TicketUpdate(TICKET, fields))
    sent = {field["id"]: field["value"] for field in desk.put[0]["custom_fields"]}
    assert sent == {desk.field_id(key): value for key, value in shown.items()}


@pytest.mark.parametrize("state", PointsState)
@pytest.mark.parametrize("sla", SlaState)
def test_every_state_has_an_option_of_its_own(
    desk: Desk, state: PointsState, sla: SlaState
) -> None:
    """Tag values must be unique over all fields of an account."""
    write(TicketUpdate(TICKET, replace(FIELDS, state=state, sla=sla)))
    options = [
        option["value"] for field in desk.fields for option in field.get("custom_field_options", [])
    ]
    assert len(set(options)) == len(options)
    assert {desk.shown("points_state"), desk.shown("points_sla_state")} <= set(options)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("{{ticket.requester.email}}", "{ {ticket.requester.email}}"),
        ("{% if x %}", "{ % if x %}"),
        ("{{{{x", "{ { { {x"),
        ("{}", "{}"),
    ],
)
def test_placeholders_are_not_zendesks_to_fill(desk: Desk, text: str, sent: str) -> None:
    """ "Texts ... never echo ... the helpdesk's placeholder syntax"."""
    write(replace(UPDATE, note=replace(MESSAGE, text=text)))
    assert desk.put[0]["comment"]["html_body"] == f"<p>{sent}</p>"


def test_a_text_is_no_markup_whatever_names_are_in_it(desk: Desk) -> None:
    """Zendesk: "Markdown formatting is supported in body but not in html_body"."""
    text = "Hello,\n\n**A** & [B](https://x) <i>C</i>\nend"
    write(replace(UPDATE, note=replace(MESSAGE, text=text)))
    assert desk.put[0]["comment"] == {
        "html_body": "<p>Hello,</p><p>**A** &amp; [B](https://x) &lt;i&gt;C&lt;/i&gt;<br>end</p>",
        "public": True,
    }


@pytest.mark.parametrize(("assignee", "sent"), [(None, BOT), (AGENT, None)])
def test_a_ticket_is_solved_by_its_assignee_or_else_by_the_bridge(
    desk: Desk, assignee: int | None, sent: int | None
) -> None:
    """Zendesk solves no ticket that has no assignee."""
    desk.ticket["assignee_id"] = assignee
    write(replace(UPDATE, status=Status.CLOSED))
    assert (desk.put[0]["status"], desk.put[0].get("assignee_id")) == ("solved", sent)


@pytest.mark.parametrize("status", [Status.MERGED, Status.REMOVED])
def test_a_status_that_nobody_can_write_is_refused(desk: Desk, status: Status) -> None:
    with pytest.raises(HelpdeskRefused):
        write(replace(UPDATE, status=status))
    assert desk.put == []


# What comes back


@pytest.mark.parametrize("as_text", [True, False])
def test_an_integer_may_come_back_as_text(desk: Desk, as_text: bool) -> None:
    desk.integers_as_text = as_text
    write()


def shows(key: str, value: object) -> Callable[[Desk], Callable[[Json], object]]:
    def install(desk: Desk) -> Callable[[Json], object]:
        return lambda ticket: [
            field.update(value=value)
            for field in ticket["custom_fields"]
            if field["id"] == desk.field_id(key)
        ]

    return install


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("points_state", None),
        ("points_state", "points_state_declined"),
        ("points_charged", "1"),
        ("points_charged", True),
        ("points_balance", ""),
        ("points_response_due", "2026-11-23"),
        ("points_free_reopen_until", "2027-01-01"),
    ],
)
def test_a_value_that_was_not_stored_is_refused_by_name(
    desk: Desk, key: str, value: object
) -> None:
    desk.trigger = shows(key, value)(desk)
    with pytest.raises(HelpdeskRefused, match=rf"\b{key}:"):
        write()


@pytest.mark.parametrize(
    "change",
    [
        lambda field: field.update(active=False),
        lambda field: field.update(type="text"),
        lambda field: field.update(title="Balance"),
    ],
    ids=["inactive", "another type", "another title"],
)
def test_a_field_that_is_missing_is_refused_with_the_remedy_and_found_once_it_is_there(
    desk: Desk, change: Callable[[Json], object]
) -> None:
    field = next(f for f in desk.fields if f["id"] == desk.field_id("points_balance"))
    good = dict(field)
    change(field)
    adapter = zendesk()
    adapter.fetch(TICKET)
    with pytest.raises(HelpdeskRefused, match=r"points_balance \(integer\).*points-bridge setup"):
        write(adapter=adapter)
    assert desk.put == []
    field.update(good)
    write(adapter=adapter)
    assert desk.shown("points_balance") == str(FIELDS.balance)


def test_a_summary_that_no_setup_has_made_yet_is_done_without(desk: Desk) -> None:
    """The bridge may be newer than its last set-up, and its writes go on, at no further call."""
    unmade = desk.field_id("points_summary")
    desk.lose("points_summary")
    adapter = zendesk()
    write(adapter=adapter)
    write(adapter=adapter)
    assert unmade not in {field["id"] for sent in desk.put for field in sent["custom_fields"]}
    assert desk.shown("points_balance") == str(FIELDS.balance)


def rename(desk: Desk, title: str) -> None:
    next(f for f in desk.fields if f["id"] == desk.field_id("points_state"))["title"] = title


@pytest.mark.parametrize("title", ["points_state", "Points: State", "POINTS STATE (do not edit)"])
def test_a_title_may_be_written_for_people(desk: Desk, title: str) -> None:
    rename(desk, title)
    write()
    assert desk.shown("points_state") == "points_state_charged"


@pytest.mark.parametrize(
    "title", ["", "points", "Old points state", "Points states", "(points state)"]
)
def test_a_title_that_says_something_else_is_not_ours(desk: Desk, title: str) -> None:
    rename(desk, title)
    with pytest.raises(HelpdeskRefused, match="points_state"):
        write()


def test_of_two_fields_with_one_title_the_older_is_ours(desk: Desk) -> None:
    [copied] = [f for f in desk.fields if f["id"] == desk.field_id("points_state")]
    desk.fields.insert(0, {**copied, "id": copied["id"] + 10**6})
    write()
    assert desk.shown("points_state") == "points_state_charged"


def test_a_status_that_a_trigger_changes_at_once_is_refused(desk: Desk) -> None:
    desk.trigger = lambda ticket: ticket.update(status="open")
    with pytest.raises(HelpdeskRefused, match="trigger"):
        write(replace(UPDATE, status=Status.CLOSED))


def test_a_ticket_that_a_trigger_closes_for_good_was_solved(desk: Desk) -> None:
    desk.trigger = lambda ticket: ticket.update(status="closed")
    write(replace(UPDATE, status=Status.CLOSED))


def test_an_update_is_not_taken_for_an_answer(desk: Desk) -> None:
    """The bridge's own public replies are no agent's answers."""
    adapter = zendesk()
    write(replace(UPDATE, note=MESSAGE), adapter)
    desk.add_audit(AGENT, comment(AGENT))
    ticket = adapter.fetch(TICKET)
    assert [answer.agent for answer in ticket.answers] == [str(AGENT)]
    assert ticket.marks == {MESSAGE.mark}
    assert ticket.updated_at == datetime(2026, 11, 20, 9, 0, 1, tzinfo=UTC)
