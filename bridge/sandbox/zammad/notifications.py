"""What Zammad tells its agents: which change, whom, and by which way.

From Zammad's code, held against the histories of recordings 281 to 629. Not spoken: mentions,
replacements of absent agents, and reminders and escalations.
"""

from dataclasses import dataclass

from bridge.sandbox.zammad.attributes import ObjectManager
from bridge.sandbox.zammad.conditions import Event
from bridge.sandbox.zammad.records import Record
from bridge.sandbox.zammad.store import SYSTEM, Store
from bridge.sandbox.zammad.views import Views

_SEEN = frozenset(
    {"title", "group_id", "owner_id", "customer_id", "organization_id"}
    | {"state_id", "priority_id", "pending_time"}
)
"""The built-in columns whose change is one that a person can see."""
_SUBJECTS = {"create": "New ticket", "update": "Updated ticket"}


@dataclass(frozen=True, slots=True)
class AgentMail:
    """A mail to an agent about a ticket.

    Attributes:
        ticket_id: the ticket.
        to: the agent's address.
        subject: `New ticket (…)` or `Updated ticket (…)`.
        actor_id: the user whose change it tells of.
    """

    ticket_id: int
    to: str
    subject: str
    actor_id: int


class Notifications:
    """Tells the agents of a ticket's group what happened, as each of them wants to hear it.

    Args:
        store: the database.
        views: knows the agents of a group.
        attributes: the custom attributes, of whose changes agents are told, too.

    Attributes:
        mails: every mail to an agent so far, oldest first.
    """

    def __init__(self, store: Store, views: Views, attributes: ObjectManager) -> None:
        self._store = store
        self._views = views
        self._attributes = attributes
        self.mails: list[AgentMail] = []

    def tell(self, event: Event) -> None:
        """Tell whoever wants to know; the ticket's history keeps whom and how."""
        if event.told == "nobody" or not self._is_news(event):
            return
        ticket = event.ticket
        for user in self._views.agents(ticket["group_id"]):
            by_hand = event.told == "others" and user["id"] == event.actor_id
            ways = [] if by_hand or not user["active"] else _ways(user, ticket, event.kind)
            if not ways:
                continue
            text = f"{user['email'] or user['login']}({event.kind}:{','.join(ways)})"
            told = {"value_from": None, "value_to": text}
            self._store.log(ticket["id"], event.actor_id, "notification", **told)
            if "email" in ways and user["email"]:
                subject = f"{_SUBJECTS[event.kind]} ({ticket['title']})"
                mail = AgentMail(ticket["id"], user["email"], subject, event.actor_id)
                self.mails.append(mail)

    def _is_news(self, event: Event) -> bool:
        """Whether there is something to tell: an article, or a change that a person can see.

        An article of the System is none by itself, unless it asks for it as those of macros do
        (recordings 583, 587, 592).
        """
        if event.kind == "create":
            return True
        if event.kind != "update":
            return False
        article = event.article
        if article is not None:
            wanted = article["preferences"].get("notification") is True
            if article["sender_id"] != 3 or wanted:
                return True
        seen = _SEEN.union(self._attributes.defaults("Ticket"))
        return bool(event.changes & seen)


def _ways(user: Record, ticket: Record, kind: str) -> list[str]:
    """The channels by which the user's own settings want it: `online`, `email`, both or none."""
    config = (user["preferences"] or {}).get("notification_config") or {}
    row = (config.get("matrix") or {}).get(kind) or {}
    criteria, channel = row.get("criteria") or {}, row.get("channel") or {}
    mine, nobodys = ticket["owner_id"] == user["id"], ticket["owner_id"] == SYSTEM
    groups = [str(group) for group in config.get("group_ids") or ["-"]]
    if not mine and groups != ["-"] and str(ticket["group_id"]) not in groups:
        return []
    wanted = (
        (mine and criteria.get("owned_by_me"))
        or (nobodys and criteria.get("owned_by_nobody"))
        or criteria.get("no")
    )
    return [way for way in ("online", "email") if wanted and channel.get(way)]
