"""What Zendesk says of a ticket, put into the bridge's words. No I/O.

Two answers are read: the ticket with what is side-loaded beside it, and its audits, the history
that nobody can edit. A ticket's tags and custom fields are never read as facts: agents write them,
and a follow-up inherits those of the ticket before it.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from bridge.adapters.answers import line, named, text_of, understood
from bridge.errors import HelpdeskRefused
from bridge.ticket import Answer, Channel, Customer, Requester, StateChange, Status

MARK_KEY = "points_bridge"
"""Our own key in the custom metadata of an audit."""

CLOSED_FOR_GOOD = "closed"
"""The status in which Zendesk takes no update any more."""

_STATUS = {
    "new": Status.OPEN,
    "open": Status.OPEN,
    "pending": Status.PENDING,
    "hold": Status.PENDING,
    "solved": Status.CLOSED,
    CLOSED_FOR_GOOD: Status.CLOSED,
    "deleted": Status.REMOVED,
}

# Zendesk's page "Via types": two vocabularies, and numbers.
_CHANNELS = {
    name: channel
    for channel, names in {
        Channel.EMAIL: "email mail 4",
        Channel.FORM: "web web_form 0 web_widget dropbox 17 closed_ticket 27",
        Channel.PORTAL: "helpcenter",
        Channel.PHONE: "voice voicemail 33 phone_call_inbound 34 phone_call_outbound 35"
        " api_voicemail api_phone_call_inbound api_phone_call_outbound",
        Channel.CHAT: "chat 29 chat_transcript chat_offline_message native_messaging messaging"
        " web_messaging sms text_message whatsapp facebook_messenger line",
    }.items()
    for name in names.split()
}
_AUTOMATIC = frozenset({"rule", "8", "system", "automatic_solution_suggestions", "22"})
_MERGE = frozenset({"merge", "19"})
_COMMENTS = frozenset({"Comment", "VoiceComment"})
_STATUS_EVENTS = frozenset({"Create", "Change"})
_STAFF = frozenset({"agent", "admin"})

_T = TypeVar("_T")


def _or_empty(given: object) -> object:
    return {} if given is None else given


_Instant = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]
_Custom = Annotated[dict[str, object], BeforeValidator(_or_empty)]
_Word = Annotated[str, BeforeValidator(lambda given: "" if given is None else str(given).lower())]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Field(_Row):
    id: int
    type: str
    title: str
    active: bool = True


class TicketFieldsPage(_Row):
    """A page of `GET /api/v2/ticket_fields`."""

    ticket_fields: tuple[_Field, ...]


class _Origin(_Row):
    ticket_id: int | None = None


class _Source(_Row):
    rel: str | None = None
    origin: Annotated[_Origin, BeforeValidator(_or_empty)] = Field(alias="from", default=_Origin())


class _Via(_Row):
    channel: _Word = ""
    source: Annotated[_Source, BeforeValidator(_or_empty)] = _Source()


class _User(_Row):
    id: int
    name: str = ""
    email: str | None = None
    role: str | None = None
    iana_time_zone: str | None = None
    user_fields: _Custom = {}


class MeAnswer(_Row):
    """The answer of `GET /api/v2/users/me`; whom Zendesk does not know has no id there."""

    user: _User


class _Organization(_Row):
    id: int
    name: str
    organization_fields: _Custom = {}


class OrganizationAnswer(_Row):
    """The answer of `PUT /api/v2/organizations/{id}`."""

    organization: _Organization


class _Metrics(_Row):
    replies: int | None = None
    solved_at: _Instant | None = None


class _Value(_Row):
    id: int
    value: object = None


class TicketRow(_Row):
    """A ticket as every answer has it."""

    id: int
    status: str
    via: _Via = _Via()
    created_at: _Instant
    updated_at: _Instant
    requester_id: int
    submitter_id: int | None = None
    assignee_id: int | None = None
    organization_id: int | None = None
    custom_fields: tuple[_Value, ...] = ()
    from_messaging_channel: bool = False
    comment_count: int | None = None
    metric_set: _Metrics | None = None


class UpdateAnswer(_Row):
    """The answer of `PUT /api/v2/tickets/{id}`."""

    ticket: TicketRow


class _TicketAnswer(_Row):
    ticket: TicketRow
    users: tuple[_User, ...] = ()
    organizations: tuple[_Organization, ...] = ()
    metric_sets: tuple[_Metrics, ...] = ()


class _Event(_Row):
    type: str
    via: _Via | None = None
    author_id: int | None = None
    public: bool | None = None
    field_name: str | None = None
    value: object = None
    previous_value: object = None


class _Metadata(_Row):
    custom: _Custom = {}


class _Audit(_Row):
    id: int
    created_at: _Instant
    author_id: int
    via: _Via = _Via()
    metadata: Annotated[_Metadata, BeforeValidator(_or_empty)] = _Metadata()
    events: tuple[_Event, ...]


class _AuditsPage(_Row):
    audits: tuple[_Audit, ...]
    users: tuple[_User, ...] = ()


class Snapshot:
    """A ticket and the people around it, at one instant."""

    def __init__(self, answer: object, ticket_id: str) -> None:
        """Read the answer of `GET /api/v2/tickets/{id}` with its side-loads.

        Raises:
            HelpdeskRefused: it is not a ticket, not this one, or lacks a record that it names.
        """
        read = checked(_TicketAnswer, answer)
        if str(read.ticket.id) != ticket_id:
            raise HelpdeskRefused(f"Zendesk answers with another ticket than {ticket_id}")
        self.ticket = ticket = read.ticket
        self._came_by = _CHANNELS.get(ticket.via.channel, Channel.OTHER)
        self._users = {user.id: user for user in read.users}
        self._organizations = {row.id: row for row in read.organizations}
        self._metrics = ticket.metric_set or next(iter(read.metric_sets), _Metrics())
        self._person = _named(self._users, ticket.requester_id, "user")

    @property
    def channel(self) -> Channel:
        """How the ticket came in. What an agent typed into the web form is the agent's."""
        if self._came_by is Channel.OTHER and self.ticket.from_messaging_channel:
            return Channel.CHAT
        by_agent = self._came_by is Channel.FORM and self.opened_by_agent
        return Channel.AGENT if by_agent else self._came_by

    @property
    def opened_by_agent(self) -> bool:
        """Somebody of the staff submitted it for the requester, and not by mail.

        A mail that an agent forwards is submitted by the agent, and names in mails are forged.
        """
        submitter = self._users.get(self.ticket.submitter_id or 0)
        if submitter is None or submitter is self._person or self._came_by is Channel.EMAIL:
            return False
        return submitter.role in _STAFF

    @property
    def follow_up_of(self) -> str | None:
        """The ticket, closed for good, that this one continues."""
        source = self.ticket.via.source
        is_follow_up = source.rel == "follow_up" and source.origin.ticket_id is not None
        return str(source.origin.ticket_id) if is_follow_up else None

    @property
    def solved_at(self) -> datetime | None:
        """When it was last solved, as Zendesk's metrics have it."""
        return self._metrics.solved_at

    @property
    def needs_audits(self) -> bool:
        """Whether there may be more to it than its opening text.

        A comment beyond the first, a reply that the metrics count (in case Zendesk counts public
        comments only), or an end that may be a merge.
        """
        count = self.ticket.comment_count
        only_opened = count is not None and count <= 1 and not self._metrics.replies
        return not only_opened or self.ticket.status == CLOSED_FOR_GOOD

    @property
    def requester(self) -> Requester:
        """The person who asked."""
        return Requester(line(self._person.name), text_of(self._person.email))

    def customer(self, zone_field: str, country_field: str, subdivision_field: str) -> Customer:
        """Who owns the points: the organisation, or the person who has none.

        A person's own time zone stands in for a field that says nothing. It does not for an
        organisation: its hours must not depend on who of it writes.
        """
        person, organization_id = self._person, self.ticket.organization_id
        ref, name = f"person:{person.id}", person.email or str(person.id)
        custom, zone = person.user_fields, person.iana_time_zone
        if organization_id is not None:
            owner = _named(self._organizations, organization_id, "organization")
            ref, name = f"organization:{owner.id}", owner.name
            custom, zone = owner.organization_fields, None
        return Customer(
            ref=ref,
            name=line(name),
            zone=text_of(custom.get(zone_field)) or zone,
            country=text_of(custom.get(country_field)),
            subdivision=text_of(custom.get(subdivision_field)),
        )


class Audits:
    """Everything that was ever done to a ticket, oldest first."""

    def __init__(self, pages: Sequence[object]) -> None:
        """Read the pages of `GET /api/v2/tickets/{id}/audits` with their users.

        Raises:
            HelpdeskRefused: one of them makes no sense.
        """
        read = [checked(_AuditsPage, page) for page in pages]
        self._audits = sorted((a for page in read for a in page.audits), key=lambda a: a.id)
        self._staff = {u.id for page in read for u in page.users if u.role in _STAFF}

    @property
    def merged(self) -> bool:
        """Whether the ticket ended by being merged into another one."""
        return any(change.after is Status.MERGED for change in self.changes()[-1:])

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

    def changes(self) -> tuple[StateChange, ...]:
        """Every change of status; from solved to closed nothing changes for us.

        A ticket is born open: one that was created in another status changed at once.
        """
        changes = (_change(audit) for audit in self._audits)
        return tuple(c for c in changes if c is not None and c.before is not c.after)


def status(name: object) -> Status:
    """What a status of Zendesk's means.

    Raises:
        HelpdeskRefused: nothing that is known.
    """
    if not isinstance(name, str) or name not in _STATUS:
        raise HelpdeskRefused("Zendesk names a status that is not known")
    return _STATUS[name]


def checked(shape: type[_T], answer: object) -> _T:
    """An answer of Zendesk in the shape that it must have.

    Raises:
        HelpdeskRefused: it has another one. Names the places, never the values.
    """
    return understood("Zendesk", shape, answer)


def _speakers(audit: _Audit) -> Iterator[int]:
    """Who wrote the public comments of an audit; not what a rule, a bot or a merge wrote."""
    for event in audit.events:
        via = event.via or audit.via
        by_machine = via.channel in _AUTOMATIC or _is_merge(audit.via)
        if event.type in _COMMENTS and event.public and not by_machine:
            yield audit.author_id if event.author_id is None else event.author_id


def _change(audit: _Audit) -> StateChange | None:
    """The change of status in an audit, from before its first event to after its last."""
    events = [e for e in audit.events if e.field_name == "status" and e.type in _STATUS_EVENTS]
    if not events:
        return None
    before = Status.OPEN if events[0].type == "Create" else status(events[0].previous_value)
    after = status(events[-1].value)
    return StateChange(
        seq=audit.id,
        at=audit.created_at,
        before=before,
        after=Status.MERGED if after is Status.CLOSED and _is_merge(audit.via) else after,
        actor=str(audit.author_id),
    )


def _is_merge(via: _Via) -> bool:
    return via.channel in _MERGE or via.source.rel == "merge"


def _named(records: dict[int, _T], id_: int, kind: str) -> _T:
    return named("Zendesk", records, id_, kind)
