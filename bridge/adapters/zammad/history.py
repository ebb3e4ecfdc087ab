"""Zammad's own history of a ticket, put into the bridge's words. No I/O.

`GET /api/v1/ticket_history/{id}` holds lines about the ticket and about its articles, and as assets
the users, roles and articles that they name.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

from bridge.adapters.answers import Instant, Row, change_seq
from bridge.adapters.zammad.ticket import Article, Person, Role, checked, is_agent
from bridge.errors import HelpdeskRefused
from bridge.ticket import (
    Actor,
    Change,
    CustomerChange,
    GroupChange,
    Merge,
    Message,
    OrganizationChange,
    Status,
    StatusChange,
)

#: Zammad itself: its scheduler, triggers, and what follows from changes of other records.
_SYSTEM_USER = 1
_MOVES = {
    "customer": CustomerChange,
    "organization": OrganizationChange,
    "group": GroupChange,
}


class _Line(Row):
    """`id_from` and `id_to` belong to what the attribute refers to."""

    id: int
    o_id: int
    object: str
    type: str = ""
    attribute: str | None = None
    id_from: int | None = None
    id_to: int | None = None
    created_at: Instant
    created_by_id: int


class _Assets(Row):
    articles: dict[int, Article] = Field(alias="TicketArticle", default={})
    people: dict[int, Person] = Field(alias="User", default={})
    roles: dict[int, Role] = Field(alias="Role", default={})


class _Answer(Row):
    history: tuple[_Line, ...]
    assets: Annotated[
        _Assets, BeforeValidator(lambda given: given if isinstance(given, dict) else {})
    ] = _Assets()


class History:
    """All that was done to one ticket."""

    def __init__(self, answer: object, ticket_id: str, bot_id: int) -> None:
        """Read the answer.

        Raises:
            HelpdeskRefused: it has another shape.
        """
        read = checked(_Answer, answer)
        self._lines = sorted(read.history, key=lambda line: line.id)
        self._assets = read.assets
        self._ticket_id = int(ticket_id)
        self._bot_id = bot_id

    def changes(self, status_of: Callable[[int], Status]) -> tuple[Change, ...]:
        """The changes in time order. `status_of` says what a state means, by its id.

        From new to open nothing changes.
        """
        return tuple(change for line in self._lines for change in self._read(line, status_of))

    def _read(self, line: _Line, status_of: Callable[[int], Status]) -> Iterator[Change]:
        if line.object == "Ticket::Article" and line.type == "created":
            article = self._assets.articles.get(line.o_id)
            if article:
                yield Message(*self._by(line), not article.internal, article.automatic)
        elif (line.object, line.o_id) != ("Ticket", self._ticket_id):
            return
        elif line.attribute == "state":
            before, after = (status_of(id_) for id_ in _states(line))
            if before is not after:
                yield StatusChange(*self._by(line), before, after)
        elif line.attribute in _MOVES:
            ids = _text(line.id_from), _text(line.id_to)
            yield _MOVES[line.attribute](*self._by(line), *ids)
        elif line.type == "merged_into":
            yield Merge(*self._by(line), _text(line.id_to))

    def _by(self, line: _Line) -> tuple[int, datetime, Actor, str]:
        who = line.created_by_id
        return change_seq(line.id), line.created_at, self._actor(who), str(who)

    def _actor(self, user_id: int) -> Actor:
        if user_id == self._bot_id:
            return Actor.US
        if user_id == _SYSTEM_USER:
            return Actor.SYSTEM
        person = self._assets.people.get(user_id)
        agent = person is not None and is_agent(person, self._assets.roles)
        return Actor.AGENT if agent else Actor.CUSTOMER


def _states(line: _Line) -> tuple[int, int]:
    if line.id_from is None or line.id_to is None:
        raise HelpdeskRefused(f"Zammad's history entry {line.id} names no states")
    return line.id_from, line.id_to


def _text(id_: int | None) -> str | None:
    return None if id_ is None else str(id_)
