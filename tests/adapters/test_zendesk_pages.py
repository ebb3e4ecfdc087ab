"""Lists of Zendesk's, read to their end however it gives them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from responses import RequestsMock, matchers

from bridge.adapters.zendesk.adapter import Zendesk, ZendeskConfig
from bridge.adapters.zendesk.pages import every_page
from bridge.adapters.zendesk.setup.admin import ZendeskAdmin
from bridge.errors import HelpdeskRefused
from bridge.sandbox.serve import serve
from bridge.sandbox.zendesk import Client, ZendeskSandbox
from bridge.ticket import Message, Status, StatusChange
from tests.adapters.zendesk_desk import API, TICKET, Json, payload, with_api_token, zendesk

ASKED = {"page[size]": "100"}


class Server:
    """Gives prepared pages, and notes what they were asked for."""

    def __init__(self, *pages: object) -> None:
        self._pages: Iterator[object] = iter(pages)
        self.asked: list[Mapping[str, str]] = []

    def __call__(self, params: Mapping[str, str]) -> object:
        self.asked.append(dict(params))
        return next(self._pages)


def read(server: Server) -> list[object]:
    return [row for page in every_page("rows", ASKED, server) for row in page["rows"]]


def test_a_cursor_is_followed_while_there_is_more() -> None:
    more = {"has_more": True, "after_cursor": "eyJv+Ij/o=="}
    server = Server({"rows": [1], "meta": more}, {"rows": [2], "meta": {"has_more": False}})
    assert read(server) == [1, 2]
    assert server.asked == [ASKED, ASKED | {"page[after]": "eyJv+Ij/o=="}]


def test_without_meta_the_next_page_is_followed_by_its_query_alone() -> None:
    link = "https://elsewhere.example/api/v2/rows.json?page=2&per_page=100&include=users%2Cgroups"
    server = Server(
        {"rows": [1], "count": 2, "next_page": link}, {"rows": [2], "count": 2, "next_page": None}
    )
    assert read(server) == [1, 2]
    assert server.asked == [ASKED, {"page": "2", "per_page": "100", "include": "users,groups"}]


@pytest.mark.parametrize("end", [{}, {"count": 2, "next_page": None}, {"meta": None}])
def test_without_meta_and_a_next_page_the_list_is_whole(end: Json) -> None:
    assert read(Server({"rows": [1, 2], **end})) == [1, 2]


@pytest.mark.parametrize("meta", [{}, {"meta": None}])
def test_a_list_that_ends_before_its_count_is_no_list(meta: Json) -> None:
    with pytest.raises(HelpdeskRefused, match="has 130 of them, but shows 2"):
        read(Server({"rows": [1, 2], "count": 130, "next_page": None, **meta}))


@pytest.mark.parametrize("page", [[], None, "rows", 7])
def test_what_is_no_page_is_refused(page: object) -> None:
    with pytest.raises(HelpdeskRefused, match="makes no sense"):
        read(Server(page))


def test_a_list_without_an_end_is_refused() -> None:
    def again(_params: Mapping[str, str]) -> object:
        return {"rows": [], "next_page": "https://acme.zendesk.com/api/v2/rows?page=2"}

    with pytest.raises(HelpdeskRefused, match="more than 100 pages"):
        every_page("rows", ASKED, again)


# Where they are read


def numbered(vendor: RequestsMock, path: str, name: str, *pages: list[Json]) -> None:
    """A list that takes no notice of cursors: every page but the last names the next one."""
    for number, rows in enumerate(pages, 1):
        link = f"{API}/{path}?page={number + 1}" if number < len(pages) else None
        answer = {name: rows, "next_page": link, "count": sum(map(len, pages))}
        query = {"page": str(number)} if number > 1 else dict(ASKED)
        by_query = matchers.query_param_matcher(query, strict_match=number > 1)
        vendor.add("GET", f"{API}/{path}", json=answer, match=[by_query])


def test_audits_without_meta_are_read_to_their_end(vendor: RequestsMock) -> None:
    audits = payload("audits")["audits"]
    numbered(vendor, f"tickets/{TICKET}/audits.json", "audits", audits[:5], audits[5:])
    vendor.add("GET", f"{API}/users/me.json", json=payload("users_me"))
    history = zendesk().history(TICKET)
    assert len([change for change in history if isinstance(change, StatusChange)]) == 4


def test_an_admins_lists_without_meta_are_read_to_their_end(vendor: RequestsMock) -> None:
    rows: list[Json] = [{"id": number} for number in range(3)]
    numbered(vendor, "triggers", "triggers", rows[:2], rows[2:])
    assert ZendeskAdmin(with_api_token(), "read").rows("triggers") == rows


def test_the_audits_of_an_archived_ticket_are_read_whole() -> None:
    """ "Audits for Archived Tickets do not support pagination for this endpoint." """
    opened = datetime(2026, 3, 2, 9, tzinfo=UTC)
    now = [opened]
    box = ZendeskSandbox(lambda: now[0], transport=lambda _request: 200)
    ticket = box.model.customer_mails("carla@acme.example", "Help", "Please.")
    for number in range(110):
        box.model.agent_notes(ticket, f"Note {number}")
    box.model.agent_solves(ticket)
    box.model.agent_sets(ticket, status="closed")
    now[0] += timedelta(days=121)
    assert box.model.is_archived(box.model.ticket(ticket))
    with serve(box.app) as url:
        config = ZendeskConfig(url, (), Client.BRIDGE.value, Client.BRIDGE.secret)
        history = Zendesk(config).history(str(ticket))
    assert len([change for change in history if isinstance(change, Message)]) > 100
    (solved,) = (change for change in history if isinstance(change, StatusChange))
    assert (solved.before, solved.after, solved.at) == (Status.OPEN, Status.CLOSED, opened)
