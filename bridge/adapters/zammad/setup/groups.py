"""Zammad's groups, as far as they decide what the bridge can do. They are reported, never changed.

What they are is the business of whoever runs the helpdesk; what it means for points is said.
"""

from collections.abc import Iterable, Mapping

from pydantic import Field

from bridge.adapters.answers import Row
from bridge.adapters.provisioning import Action, Plan, Step
from bridge.adapters.resources import permission_lacking
from bridge.adapters.zammad.setup.admin import ZammadAdmin
from bridge.adapters.zammad.ticket import checked
from bridge.errors import HelpdeskRefused

_LIMITED = "new_ticket_after_certain_time"
_DEAD = ", so its tickets cannot be charged: each that is heard of becomes a dead letter"
_ELSE = ", or keep support out of the others"
_OPEN = "give the user full access to the group (Manage, Users), or keep support out of it"


class Group(Row):
    """A group's settings; `follow_up_possible`: what becomes of an answer to a closed ticket."""

    id: int
    name: str
    active: bool = True
    email_address_id: int | None = None
    follow_up_possible: str = "yes"
    reopen_time_in_days: int | None = None


class _Access(Row):
    group_ids: Mapping[int, tuple[str, ...] | str] = {}


class _Person(_Access):
    id: int
    role_ids: tuple[int, ...] = ()
    organization_id: int | None = None


class _Assets(Row):
    users: dict[int, _Person] = Field(alias="User")
    roles: dict[int, _Access] = Field(alias="Role", default={})
    groups: dict[int, Group] = Field(alias="Group", default={})


class _Me(Row):
    id: int
    assets: _Assets


class Member:
    """A token's user: who it is, and the groups that it works in."""

    def __init__(self, answer: object) -> None:
        """Read `GET /users/me?full=true`.

        Raises:
            HelpdeskRefused: the answer is something else.
        """
        me = checked(_Me, answer)
        if me.id not in me.assets.users:
            raise HelpdeskRefused("Zammad's answer about the token's user lacks that user")
        self._person = me.assets.users[me.id]
        self._assets = me.assets

    @property
    def id(self) -> int:
        """The user's id."""
        return self._person.id

    @property
    def role_ids(self) -> tuple[int, ...]:
        """The user's roles."""
        return self._person.role_ids

    @property
    def organization_id(self) -> int | None:
        """The organisation that the user belongs to."""
        return self._person.organization_id

    @property
    def access(self) -> Mapping[int, frozenset[str]]:
        """What the user, or one of its roles, may do in which groups, by their ids."""
        roles = (self._assets.roles.get(id_) for id_ in self.role_ids)
        found: dict[int, frozenset[str]] = {}
        for one in filter(None, (self._person, *roles)):
            for group_id, given in one.group_ids.items():
                more = {given} if isinstance(given, str) else given
                found[group_id] = found.get(group_id, frozenset()).union(more)
        return found

    @property
    def full_in(self) -> frozenset[int]:
        """The ids of the groups in which the user has full access."""
        return frozenset(group_id for group_id, given in self.access.items() if "full" in given)

    @property
    def served(self) -> tuple[Group, ...]:
        """Those of them that are active and that Zammad told more of."""
        return tuple(self._active(self.full_in))

    @property
    def partly_served(self) -> tuple[Group, ...]:
        """Those that the user may enter, but not work in."""
        return tuple(self._active(self.access.keys() - self.full_in))

    def _active(self, ids: Iterable[int]) -> Iterable[Group]:
        groups = (self._assets.groups.get(id_) for id_ in sorted(ids))
        return (group for group in groups if group and group.active)


def member(agent: ZammadAdmin) -> Member:
    """The user of a token."""
    return Member(agent.get("users/me", full="true"))


def group_reports(me: Member, reopen_days: int) -> Plan:
    """What an admin should know about the groups in which the bridge's user may do something."""
    found = [(group, *told) for group in me.served for told in _told(group, reopen_days)]
    for group in me.partly_served:
        given = ", ".join(sorted(me.access[group.id])) or "nothing"
        found.append((group, f"is open to the bridge's user for {given} alone{_DEAD}", _OPEN))
    return tuple(_report(*one) for one in found)


def closed_groups(admin: ZammadAdmin, me: Member) -> Plan:
    """The active groups in which the bridge's user may do nothing; or that nobody knows them."""
    try:
        groups = checked(tuple[Group, ...], admin.rows("groups"))
    except HelpdeskRefused as error:
        if not permission_lacking(error):
            raise
        told = f"are not known: {error}"
        remedy = f"do that, or look there whether its user has full access everywhere{_ELSE}"
        name = "that are closed to the bridge's user"
        return (Step("groups", name, Action.REPORT, told, remedy, required=False),)
    closed = (group for group in groups if group.active and group.id not in me.access)
    told = f"is closed to the bridge's user{_DEAD}"
    return tuple(_report(group, told, _OPEN) for group in closed)


def _report(group: Group, detail: str, remedy: str) -> Step:
    return Step("group", group.name, Action.REPORT, detail, remedy, required=False)


def _told(group: Group, reopen_days: int) -> Iterable[tuple[str, str]]:
    if group.email_address_id is None:
        yield (
            "has no e-mail address, so requesters read in the portal only what the bridge tells",
            "give the group an address to send from",
        )
    if told := _of_late_answers(group, reopen_days):
        yield told, f'set its follow-up possible to "yes", or let it re-open for {reopen_days} days'


def _of_late_answers(group: Group, reopen_days: int) -> str:
    """What becomes of an answer to a closed ticket that should be free; "" where it is."""
    rule, days = group.follow_up_possible, group.reopen_time_in_days or 0
    if rule == "yes" or (rule == _LIMITED and days >= reopen_days):
        return ""
    if rule == "new_ticket":
        return "makes a new ticket of an answer to a closed one, which is charged as one"
    if rule != _LIMITED:
        return f"has a rule for answers to closed tickets that is not known ({rule})"
    if not days:
        return (
            "makes a new ticket of every answer to a closed one, which is charged as one: its"
            " re-open time is blank or 0 days"
        )
    return f"takes follow-ups for {days} days; what comes later is a new ticket, charged as one"
