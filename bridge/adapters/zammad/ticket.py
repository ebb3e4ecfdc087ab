"""What Zammad says of a ticket, put into the bridge's words. No I/O.

Everything is read from the one answer of `GET /api/v1/tickets/{id}?all=true`: the ticket, its
articles, and as assets the users, roles, organisations and groups that they name. Ids of article
types and senders are those of Zammad's seeds; names are never read, since admins may change them.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Annotated, TypeVar

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from bridge.adapters.answers import MARK_KEY, Instant, Row, line, named, text_of, understood
from bridge.errors import HelpdeskRefused
from bridge.ticket import Answer, Channel, Customer, Requester, Status

STATUS_OF_STATE_TYPE = {
    1: Status.OPEN,  # new
    2: Status.OPEN,
    3: Status.PENDING,  # pending reminder
    4: Status.PENDING,  # pending action, such as "pending close"
    5: Status.CLOSED,
    6: Status.MERGED,
    7: Status.REMOVED,
}

_T = TypeVar("_T")


def _or_none(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    try:
        return handler(value)
    except ValueError:
        return None


# Customers can write what follows through the API. Rubbish there must not make a ticket unreadable,
# or it would never be charged.
_Hint = Annotated[Instant | None, WrapValidator(_or_none)]
_Preferences = Annotated[
    dict[str, object], BeforeValidator(lambda given: given if isinstance(given, dict) else {})
]


_DELIVERY_STATUS = "message/delivery-status"


def _list_or_empty(given: object) -> object:
    return given if isinstance(given, list) else []


class Sender(IntEnum):
    """Who speaks in an article."""

    AGENT = 1
    CUSTOMER = 2
    SYSTEM = 3


class ArticleType(IntEnum):
    """How an article was exchanged. Every type but the note reaches the customer."""

    EMAIL = 1
    CHAT = 3
    PHONE = 5
    NOTE = 10
    WEB = 11


_CHANNELS: dict[int | None, Channel] = {
    ArticleType.EMAIL: Channel.EMAIL,
    ArticleType.CHAT: Channel.CHAT,
    ArticleType.PHONE: Channel.PHONE,
    ArticleType.WEB: Channel.PORTAL,
}


class State(Row):
    """One of `GET /api/v1/ticket_states`."""

    id: int
    state_type_id: int
    active: bool

    @property
    def status(self) -> Status:
        """What this state means, whatever it is called."""
        if self.state_type_id not in STATUS_OF_STATE_TYPE:
            raise HelpdeskRefused(f"Zammad's state {self.id} is of an unknown type")
        return STATUS_OF_STATE_TYPE[self.state_type_id]


class User(Row):
    """The answer of `GET /api/v1/users/me`."""

    id: int


class _Attachment(Row):
    preferences: _Preferences = {}


class Article(Row):
    """One message of a ticket, without its text."""

    id: int
    ticket_id: int
    type_id: int
    sender_id: int
    internal: bool
    created_at: Instant
    created_by_id: int
    origin_by_id: int | None = None
    preferences: _Preferences = {}
    attachments: Annotated[tuple[_Attachment, ...], BeforeValidator(_list_or_empty)] = ()

    @property
    def came_by_mail(self) -> bool:
        """Zammad's mail import notes whether a mail is an auto-response, on no other article."""
        return self.type_id == ArticleType.EMAIL and "is-auto-response" in self.preferences

    @property
    def automatic(self) -> bool:
        """Zammad's mark of a mail that a machine wrote, or that of a bounce's attachment."""
        reports = (one.preferences.get("Mime-Type") for one in self.attachments)
        marked = bool(self.preferences.get("is-auto-response"))
        return marked or _DELIVERY_STATUS in reports

    def answers(self, customer_id: int) -> bool:
        """Public, by an agent, of a communicating type, and written by a person.

        An agent who is the ticket's customer asks here, and does not answer.
        """
        return (
            not self.internal
            and self.sender_id == Sender.AGENT
            and self.type_id != ArticleType.NOTE
            and customer_id not in {self.created_by_id, self.origin_by_id}
            and not self.preferences.get("perform_origin")
            and not self.preferences.get("is-auto-response")
        )

    def mark(self) -> str | None:
        """The mark that a note of the bridge carries."""
        ours = self.preferences.get(MARK_KEY)
        mark = ours.get("mark") if isinstance(ours, dict) else None
        return mark if isinstance(mark, str) else None


class Person(Row):
    """A user of Zammad."""

    model_config = ConfigDict(extra="allow")

    id: int
    login: str = ""
    firstname: str | None = None
    lastname: str | None = None
    email: str | None = None
    role_ids: tuple[int, ...] = ()
    group_ids: dict[str, object] = {}


class _Organization(Row):
    model_config = ConfigDict(extra="allow")

    id: int
    name: str


class _Group(Row):
    email_address_id: int | None = None


class Role(Row):
    """A role, by the groups that it gives access to."""

    group_ids: dict[str, object] = {}


class _TicketRow(Row):
    model_config = ConfigDict(extra="allow")

    id: int
    number: str
    state_id: int
    group_id: int
    customer_id: int
    organization_id: int | None = None
    created_by_id: int
    create_article_type_id: int | None = None
    create_article_sender_id: int | None = None
    created_at: Instant
    updated_at: Instant
    close_at: _Hint = None
    last_close_at: _Hint = None
    preferences: _Preferences = {}


class _Assets(Row):
    tickets: dict[int, _TicketRow] = Field(alias="Ticket")
    articles: dict[int, Article] = Field(alias="TicketArticle", default={})
    people: dict[int, Person] = Field(alias="User")
    organizations: dict[int, _Organization] = Field(alias="Organization", default={})
    groups: dict[int, _Group] = Field(alias="Group", default={})
    roles: dict[int, Role] = Field(alias="Role", default={})


class _All(Row):
    ticket_id: int
    assets: _Assets


class Snapshot:
    """A ticket and everything around it, at one instant."""

    def __init__(self, answer: object, ticket_id: str) -> None:
        """Read the answer.

        Raises:
            HelpdeskRefused: it is not a ticket, not this one, or lacks a record that it names.
        """
        read = checked(_All, answer)
        self._assets = read.assets
        ticket = read.assets.tickets.get(read.ticket_id)
        if ticket is None or str(ticket.id) != ticket_id:
            raise HelpdeskRefused(f"Zammad answers with another ticket than {ticket_id}")
        self.ticket = ticket
        self.articles = sorted(
            (a for a in read.assets.articles.values() if a.ticket_id == ticket.id),
            key=lambda article: (article.created_at, article.id),
        )
        self._customer = _named(read.assets.people, ticket.customer_id, "user")

    @property
    def shown(self) -> dict[str, object]:
        """What our attributes hold, as they were read."""
        extra = self.ticket.model_extra or {}
        return {name: value for name, value in extra.items() if name.startswith("points_")}

    @property
    def opening(self) -> Article | None:
        """The article that the ticket began with. What a merge moved here may be older."""
        since = self.ticket.created_at
        return next((a for a in self.articles if a.created_at >= since), None)

    @property
    def channel(self) -> Channel:
        """How the ticket came in, by the type and sender of its first article.

        A mail that claims to be from an agent's address becomes an article of sender Agent, so how
        it arrived counts before who it says it is from.
        """
        ticket = self.ticket
        kind, sender = ticket.create_article_type_id, ticket.create_article_sender_id
        if self._came_by_mail:
            return Channel.EMAIL
        if sender == Sender.AGENT:
            return Channel.AGENT
        if sender != Sender.CUSTOMER:
            return Channel.OTHER
        if kind == ArticleType.WEB and ticket.preferences.get("form"):
            return Channel.FORM
        return _CHANNELS.get(kind, Channel.OTHER)

    @property
    def opened_by_agent(self) -> bool:
        """Somebody else than the customer, with access to groups, entered it in the helpdesk."""
        author = self.ticket.created_by_id
        if author == self.ticket.customer_id or self._came_by_mail:
            return False
        return self._is_agent(_named(self._assets.people, author, "user"))

    def customer(self, zone_field: str, country_field: str, subdivision_field: str) -> Customer:
        """Who owns the points: the organisation, or the person who has none."""
        person, organization_id = self._customer, self.ticket.organization_id
        owner: _Organization | Person = person
        ref, name = f"person:{person.id}", self.requester.email or person.login or str(person.id)
        if organization_id is not None:
            owner = _named(self._assets.organizations, organization_id, "organization")
            ref, name = f"organization:{owner.id}", owner.name
        custom = owner.model_extra or {}
        return Customer(
            ref=ref,
            name=line(name),
            zone=text_of(custom.get(zone_field)),
            country=text_of(custom.get(country_field)),
            subdivision=text_of(custom.get(subdivision_field)),
        )

    @property
    def requester(self) -> Requester:
        """The ticket's customer."""
        person = self._customer
        name = line(f"{person.firstname or ''} {person.lastname or ''}")
        return Requester(name=name or line(person.login), email=text_of(person.email))

    @property
    def mail_to(self) -> str | None:
        """Where a mail would go; None if the group has no address to send one from.

        Zammad answers 500 to an article of type email in such a group.
        """
        group = _named(self._assets.groups, self.ticket.group_id, "group")
        return self.requester.email if group.email_address_id is not None else None

    def answers(self, bot_id: int) -> tuple[Answer, ...]:
        """The public answers of agents, in time order.

        Neither the opening text, nor what a merge brought along from before this ticket's time.
        """
        ticket, opening = self.ticket, self.opening
        return tuple(
            Answer(at=article.created_at, agent=str(article.created_by_id))
            for article in self.articles
            if article is not opening
            and article.created_at >= ticket.created_at
            and article.created_by_id != bot_id
            and article.answers(ticket.customer_id)
        )

    @property
    def _came_by_mail(self) -> bool:
        return self.opening is not None and self.opening.came_by_mail

    def _is_agent(self, person: Person) -> bool:
        return is_agent(person, self._assets.roles)


def is_agent(person: Person, roles: Mapping[int, Role]) -> bool:
    """Access to groups, own or by a role, is what tells an agent: roles may be renamed."""
    own = (roles.get(id_) for id_ in person.role_ids)
    return bool(person.group_ids) or any(role and role.group_ids for role in own)


def marks(articles: Iterable[Article], bot_id: int) -> frozenset[str]:
    """The marks of the notes that the bridge itself left: anybody can write such preferences."""
    ours = (article.mark() for article in articles if article.created_by_id == bot_id)
    return frozenset(mark for mark in ours if mark)


def checked(shape: type[_T], answer: object) -> _T:
    """An answer of Zammad in the shape that it must have.

    Raises:
        HelpdeskRefused: it has another one. Names the places, never the values.
    """
    return understood("Zammad", shape, answer)


def _named(records: dict[int, _T], id_: int, kind: str) -> _T:
    return named("Zammad", records, id_, kind)
