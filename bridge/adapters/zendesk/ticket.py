"""What Zendesk says of a ticket, put into the bridge's words. No I/O.

The ticket is read with what is side-loaded beside it; its audits are read in `audits`. A ticket's
tags and custom fields are never read as facts: agents write them, and a follow-up inherits those of
the ticket before it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import (
    BeforeValidator,
    Field,
)

from bridge.adapters.answers import Instant, Row, line, named, text_of, understood
from bridge.errors import HelpdeskRefused
from bridge.ticket import Channel, Customer, Requester, Status

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
STAFF = frozenset({"agent", "admin"})

_T = TypeVar("_T")


def or_empty(given: object) -> object:
    """Nothing where Zendesk says null."""
    return {} if given is None else given


Custom = Annotated[dict[str, object], BeforeValidator(or_empty)]
_Word = Annotated[str, BeforeValidator(lambda given: "" if given is None else str(given).lower())]


class _Field(Row):
    id: int
    type: str
    title: str
    active: bool = True


class TicketFieldsPage(Row):
    """A page of `GET /api/v2/ticket_fields`."""

    ticket_fields: tuple[_Field, ...]


class _Origin(Row):
    ticket_id: int | None = None


class _Source(Row):
    rel: str | None = None
    origin: Annotated[_Origin, BeforeValidator(or_empty)] = Field(alias="from", default=_Origin())


class Via(Row):
    """By which way something came."""

    channel: _Word = ""
    source: Annotated[_Source, BeforeValidator(or_empty)] = _Source()


class User(Row):
    """A person, an agent or an end user."""

    id: int
    name: str = ""
    email: str | None = None
    role: str | None = None
    iana_time_zone: str | None = None
    user_fields: Custom = {}


class MeAnswer(Row):
    """The answer of `GET /api/v2/users/me`; whom Zendesk does not know has no id there."""

    user: User


class _Organization(Row):
    id: int
    name: str
    organization_fields: Custom = {}


class OrganizationAnswer(Row):
    """The answer of `PUT /api/v2/organizations/{id}`."""

    organization: _Organization


class _Metrics(Row):
    replies: int | None = None
    solved_at: Instant | None = None


class _Value(Row):
    id: int
    value: object = None


class TicketRow(Row):
    """A ticket as every answer has it."""

    id: int
    status: str
    via: Via = Via()
    created_at: Instant
    updated_at: Instant
    requester_id: int
    submitter_id: int | None = None
    assignee_id: int | None = None
    organization_id: int | None = None
    custom_fields: tuple[_Value, ...] = ()
    from_messaging_channel: bool = False
    comment_count: int | None = None
    metric_set: _Metrics | None = None


class UpdateAnswer(Row):
    """The answer of `PUT /api/v2/tickets/{id}`."""

    ticket: TicketRow


class _TicketAnswer(Row):
    ticket: TicketRow
    users: tuple[User, ...] = ()
    organizations: tuple[_Organization, ...] = ()
    metric_sets: tuple[_Metrics, ...] = ()


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
        return submitter.role in STAFF

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

    def shown(self, field_ids: Mapping[str, int]) -> dict[str, object]:
        """What our fields hold, by their keys."""
        values = {field.id: field.value for field in self.ticket.custom_fields}
        return {key: values[id_] for key, id_ in field_ids.items() if id_ in values}

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


def _named(records: dict[int, _T], id_: int, kind: str) -> _T:
    return named("Zendesk", records, id_, kind)
