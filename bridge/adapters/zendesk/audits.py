"""Zendesk's audits of a ticket, put into the bridge's words. No I/O.

The history that nobody can edit: who did what, and what was written.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import BeforeValidator

from bridge.adapters.answers import MARK_KEY, Instant, Row, change_seq
from bridge.adapters.zendesk.ticket import (
    STAFF,
    Custom,
    User,
    Via,
    checked,
    or_empty,
    status,
)
from bridge.ticket import (
    Actor,
    Answer,
    Change,
    CustomerChange,
    GroupChange,
    Merge,
    Message,
    OrganizationChange,
    Status,
    StatusChange,
)

_AUTOMATIC = frozenset({"rule", "8", "system", "automatic_solution_suggestions", "22"})
_MERGE = frozenset({"merge", "19"})
_COMMENTS = frozenset({"Comment", "VoiceComment"})
_STATUS_EVENTS = frozenset({"Create", "Change"})
_MOVES = {
    "requester_id": CustomerChange,
    "organization_id": OrganizationChange,
    "group_id": GroupChange,
}


class _Event(Row):
    type: str
    via: Via | None = None
    author_id: int | None = None
    public: bool | None = None
    field_name: str | None = None
    value: object = None
    previous_value: object = None


class _Metadata(Row):
    custom: Custom = {}


class _Audit(Row):
    id: int
    created_at: Instant
    author_id: int
    via: Via = Via()
    metadata: Annotated[_Metadata, BeforeValidator(or_empty)] = _Metadata()
    events: tuple[_Event, ...]


class _AuditsPage(Row):
    audits: tuple[_Audit, ...]
    users: tuple[User, ...] = ()


class Audits:
    """Everything that was ever done to a ticket, oldest first."""

    def __init__(self, pages: Sequence[object]) -> None:
        """Read the pages of `GET /api/v2/tickets/{id}/audits` with their users.

        Raises:
            HelpdeskRefused: one of them makes no sense.
        """
        read = [checked(_AuditsPage, page) for page in pages]
        self._audits = sorted((a for page in read for a in page.audits), key=lambda a: a.id)
        self._staff = {u.id for page in read for u in page.users if u.role in STAFF}

    @property
    def merged(self) -> bool:
        """Whether the ticket ended by being merged into another one."""
        return any(two[1] is Status.MERGED for two in self._turns()[-1:])

    def _turns(self) -> list[tuple[Status, Status]]:
        found = (_statuses(audit) for audit in self._audits)
        return [two for two in found if two and two[0] is not two[1]]

    def answers(self, requester_id: int, bot_id: int) -> tuple[Answer, ...]:
        """The public comments of agents, in time order; not the text that the ticket opened with.

        An agent who is the ticket's requester asks here, and does not answer. A comment that was
        made private later was an answer.
        """
        people = self._staff - {requester_id, bot_id}
        return tuple(
            Answer(at=audit.created_at, agent=str(author))
            for audit in self._audits[1:]
            for author in _speakers(audit)
            if author in people
        )

    def marks(self, bot_id: int) -> frozenset[str]:
        """The marks of the notes that the bridge itself left."""
        ours = (a.metadata.custom.get(MARK_KEY) for a in self._audits if a.author_id == bot_id)
        return frozenset(mark for mark in ours if isinstance(mark, str))

    def changes(self, bot_id: int) -> tuple[Change, ...]:
        """What was done and by whom; from solved to closed nothing changes for us.

        A ticket is born open: one that was created in another status changed at once.
        """
        return tuple(
            replace(change, seq=change_seq(audit.id, place))
            for audit in self._audits
            for place, change in enumerate(self._read(audit, bot_id))
        )

    def _read(self, audit: _Audit, bot_id: int) -> Iterator[Change]:
        """All that one save changed: the status first, then the rest as it stands there."""
        by = (audit.id, audit.created_at, self._actor(audit, bot_id), str(audit.author_id))
        statuses = _statuses(audit)
        if statuses and statuses[0] is not statuses[1]:
            yield StatusChange(*by, *statuses)
            if statuses[1] is Status.MERGED:
                yield Merge(*by, into=None)
        for event in audit.events:
            if event.type == "Change" and event.field_name in _MOVES:
                ids = _text(event.previous_value), _text(event.value)
                yield _MOVES[event.field_name](*by, *ids)
            elif event.type in _COMMENTS:
                yield Message(*by, public=bool(event.public))

    def _actor(self, audit: _Audit, bot_id: int) -> Actor:
        if audit.author_id == bot_id:
            return Actor.US
        if audit.author_id <= 0 or audit.via.channel in _AUTOMATIC:
            return Actor.SYSTEM
        return Actor.AGENT if audit.author_id in self._staff else Actor.CUSTOMER


def _speakers(audit: _Audit) -> Iterator[int]:
    """Who wrote the public comments of an audit; not what a rule, a bot or a merge wrote."""
    for event in audit.events:
        via = event.via or audit.via
        by_machine = via.channel in _AUTOMATIC or _is_merge(audit.via)
        if event.type in _COMMENTS and event.public and not by_machine:
            yield audit.author_id if event.author_id is None else event.author_id


def _statuses(audit: _Audit) -> tuple[Status, Status] | None:
    """The statuses before and after an audit: before its first event, after its last."""
    events = [e for e in audit.events if e.field_name == "status" and e.type in _STATUS_EVENTS]
    if not events:
        return None
    before = Status.OPEN if events[0].type == "Create" else status(events[0].previous_value)
    after = status(events[-1].value)
    merged = after is Status.CLOSED and _is_merge(audit.via)
    return before, Status.MERGED if merged else after


def _text(id_: object) -> str | None:
    """An id, which Zendesk's events show as text."""
    return str(id_) if id_ not in (None, "") else None


def _is_merge(via: Via) -> bool:
    return via.channel in _MERGE or via.source.rel == "merge"
