"""The ticket desk: create, change, answer, merge and delete tickets, and say what happened."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from bridge.sandbox.zammad import lifecycle, seed
from bridge.sandbox.zammad.access import Actor
from bridge.sandbox.zammad.articles import Articles, performed_note
from bridge.sandbox.zammad.attributes import ObjectManager
from bridge.sandbox.zammad.conditions import Event, Told
from bridge.sandbox.zammad.mails import Mail
from bridge.sandbox.zammad.records import ApiError, Record
from bridge.sandbox.zammad.saving import Tickets, check_new
from bridge.sandbox.zammad.store import SYSTEM, Store

_AFTER_A_SAVE = timedelta(milliseconds=386)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A mail that came in, and what the parser found out about it.

    Attributes:
        mail: the mail itself.
        subject: its subject, which the parser may have changed.
        sender_id: Agent for one of the system's own people and addresses, else Customer.
        preferences: the article's marks.
        channel_id: the mailbox that it came in by; a new ticket keeps it.
        reopens: whether it opens a ticket again that is not new.
        internal: whether it answers what only agents see, and is hidden as well.
    """

    mail: Mail
    subject: str
    sender_id: int
    preferences: Record
    channel_id: int | None = None
    reopens: bool = True
    internal: bool = False


class Desk:
    """Every change of a ticket. Each public call is one transaction and fires its events.

    Args:
        store: the database.
        attributes: the custom attributes of tickets.
        fire: told about each change, after it is stored.
    """

    def __init__(
        self, store: Store, attributes: ObjectManager, fire: Callable[[Event], None]
    ) -> None:
        self._store = store
        self._act = fire
        self._held: list[Event] | None = None
        self._articles = Articles(store)
        self._tickets = Tickets(store, attributes)

    @contextmanager
    def answering_first(self) -> Iterator[None]:
        """Hold back what follows from a change until the caller is answered (recording 594)."""
        self._held = []
        try:
            yield
        finally:
            held, self._held = self._held, None
            for event in held:
                self._act(event)

    def _fire(self, event: Event) -> None:
        if self._held is None:
            self._act(event)
        else:
            self._held.append(event)

    def create(self, actor: Actor, body: Record) -> Record:
        """Create a ticket with its first article, as POST /tickets does.

        Args:
            actor: who creates it; a customer creates for themself.
            body: the request, names or ids.

        Raises:
            ApiError: 403 or 422, as recordings 146 to 153.
        """
        with self._store.lock:
            wanted = self._tickets.wanted(actor, body)
            if not actor.is_agent:
                wanted["customer_id"] = actor.id
            check_new(actor, wanted)
            ticket = self._tickets.insert(actor, wanted)
            article = self._write(ticket, actor, body.get("article"), set())
            self._link(ticket, body.get("links") or {})
            self._fire(Event("create", ticket, article, actor_id=actor.id))
            return ticket

    def create_by_mail(
        self, actor: Actor, incoming: Incoming, group_id: int, customer_id: int
    ) -> Record:
        """Create a ticket from a mail, whoever sent it: also an agent, or the system itself."""
        with self._store.lock:
            wanted: Record = {"title": incoming.subject or "-", "group_id": group_id}
            wanted["customer_id"] = customer_id
            if incoming.channel_id is not None:
                wanted["preferences"] = {"channel_id": incoming.channel_id}
            ticket = self._tickets.insert(actor, wanted)
            article = self._receive(ticket, actor, incoming, set())
            self._fire(Event("create", ticket, article, actor_id=actor.id, told="everybody"))
            return ticket

    def update(self, actor: Actor, ticket: Record, body: Record) -> None:
        """Change fields and state and add an article in one go, as PUT /tickets/{id} does.

        A change that changes nothing leaves no trace (recording 083), but for the signature of one
        who was not the last to save.

        Raises:
            ApiError: 422, a value is refused; 500, an email article in a group without an address.
        """
        with self._store.lock:
            wanted = self._tickets.wanted(actor, body, ticket)
            self._articles.check_address(ticket, body.get("article"))
            if not actor.is_agent and "state_id" in wanted and self.refuses_follow_up(ticket):
                raise lifecycle.too_late()
            changes = self._tickets.save(ticket, wanted, actor.id)
            article = self._write(ticket, actor, body.get("article"), changes)
            self._updated(actor, ticket, article, changes)

    def add_article(self, actor: Actor, ticket: Record, spec: Record) -> None:
        """Add an article, as POST /ticket_articles does. One of the System saves no ticket.

        Raises:
            ApiError: 500, as `update`.
        """
        with self._store.lock:
            changes: set[str] = set()
            article = self._write(ticket, actor, spec, changes)
            self._updated(actor, ticket, article, changes)

    def update_by_mail(self, actor: Actor, ticket: Record, incoming: Incoming) -> None:
        """Add a mail to a ticket, which opens again unless it is new (recordings 287 to 306).

        A group may want nobody to keep a closed ticket that somebody writes to.
        """
        with self._store.lock:
            changes: set[str] = set()
            group, wanted = self._store.get("Group", ticket["group_id"]), dict[str, int]()
            closed = self._tickets.state_type(ticket["state_id"]) == "closed"
            if closed and not group["follow_up_assignment"]:
                wanted["owner_id"] = SYSTEM
            if incoming.reopens and ticket["state_id"] != seed.NEW:
                wanted["state_id"] = seed.OPEN
            if wanted:
                changes |= self._tickets.save(ticket, wanted, actor.id)
            article = self._receive(ticket, actor, incoming, changes)
            self._updated(actor, ticket, article, changes, "everybody")

    def time_is_up(self, ticket: Record, state_id: int) -> None:
        """The scheduler moves a ticket on that was pending until now (recordings 544, 629)."""
        with self._store.lock:
            changes = self._tickets.save(ticket, {"state_id": state_id}, SYSTEM)
            self._updated(self._system(), ticket, None, changes, "everybody")

    def follow_person(self, person: Record, old: int | None) -> None:
        """The tickets of a person who moved go along; no agent is told (recordings 491 to 497).

        Those of the old organisation do, at most a hundred of them, closed ones too, in the name
        of user 1 (recordings 490 to 497, 520).
        """
        with self._store.lock:
            rows = self._store.tables["Ticket"].values()
            theirs = [row for row in rows if row["customer_id"] == person["id"]]
            following = [row for row in theirs if row["organization_id"] == old]
            wanted = {"organization_id": person["organization_id"]}
            for ticket in following[:100]:
                changes = self._tickets.save(ticket, wanted, SYSTEM)
                self._updated(self._system(), ticket, None, changes, "nobody")

    def leave_organization(self, ticket: Record, by: int) -> None:
        """A ticket's organisation is going: it gets its customer's own one, if there is one."""
        with self._store.lock:
            changes = self._tickets.save(ticket, {"organization_id": None}, by)
            actor = Actor(self._store.get("User", by), frozenset())
            self._updated(actor, ticket, None, changes, "everybody")

    def _updated(
        self,
        actor: Actor,
        ticket: Record,
        article: Record | None,
        changes: set[str],
        told: Told = "others",
    ) -> None:
        if changes or article:
            seen = frozenset(changes)
            self._fire(Event("update", ticket, article, seen, actor_id=actor.id, told=told))

    def merge(self, actor: Actor, source: Record, target: Record) -> None:
        """Move the articles of `source` to `target` and close it as merged (recording 121).

        Raises:
            ApiError: 422, the target is the source or is itself merged.
        """
        with self._store.lock:
            if target["state_id"] == seed.MERGED:
                raise ApiError(422, "It is not possible to merge into an already merged ticket.")
            if source["id"] == target["id"]:
                raise ApiError(422, "A ticket cannot be merged into itself.")
            for article in self._store.articles(source["id"]):
                article |= {"ticket_id": target["id"], "updated_at": self._store.now()}
            ids = {"id_to": target["id"], "id_from": source["id"]}
            self._store.log(target["id"], actor.id, "received_merge", **ids)
            self._store.log(source["id"], actor.id, "merged_into", **ids)
            note = self._write(source, actor, {"body": "merged", "type": "note"}, set())
            self._relink(source["id"], target["id"])
            self._tickets.save(source, {"state_id": seed.MERGED, "owner_id": SYSTEM}, actor.id)
            target["updated_at"] = self._store.now()
            self._fire(Event("update.merged_into", source, note, actor_id=actor.id))
            self._fire(Event("update.received_merge", target, actor_id=actor.id))

    def set_quietly(self, ticket: Record, fields: Record) -> None:
        """A trigger's own change: stored in the name of `-`, but it fires no other trigger."""
        wanted = self._tickets.wanted(self._system(), fields)
        if any(ticket[key] != value for key, value in wanted.items()):
            self._tickets.save(ticket, wanted, SYSTEM)

    def auto_reply(self, ticket: Record, recipient: str, subject: str, text: str) -> None:
        """A trigger's public email in the name of the system; none without a sending address."""
        group = self._store.get("Group", ticket["group_id"])
        if group["email_address_id"] is None:
            return
        spec: Record = {"type": "email", "sender": "System", "content_type": "text/html"}
        spec |= {"subject": subject.replace("#{ticket.title}", ticket["title"]), "body": text}
        spec |= {"to": recipient, "preferences": {"perform_origin": "trigger"}}
        self._write(ticket, self._system(), spec, set())

    def note_of_trigger(self, ticket: Record, options: Record) -> None:
        """A trigger's note in the name of the system (recording 596)."""
        self._write(ticket, self._system(), performed_note(options, "trigger"), set())

    def run_macro(self, actor: Actor, ticket: Record, perform: Record) -> None:
        """A macro by bulk action: its note is by the System, not by an Agent (recording 591)."""
        change: Record = {
            action.removeprefix("ticket."): options["value"]
            for action, options in perform.items()
            if action.startswith("ticket.")
        }
        if "article.note" in perform:
            change["article"] = performed_note(perform["article.note"], "macro")
        self.update(actor, ticket, change)

    def refuses_follow_up(self, ticket: Record) -> bool:
        """Whether the ticket's group wants a new ticket in place of a re-opened one."""
        group = self._store.get("Group", ticket["group_id"])
        kind = self._tickets.state_type(ticket["state_id"])
        return lifecycle.refuses_follow_up(ticket, group, kind, self._store.now())

    def _system(self) -> Actor:
        return Actor(self._store.get("User", SYSTEM), frozenset())

    def _write(
        self, ticket: Record, actor: Actor, spec: object, changes: set[str]
    ) -> Record | None:
        """Store an article that somebody writes, and send it if it is a mail.

        Adds to `changes` the columns of the ticket that change by it. An internal mail is sent all
        the same, and is no answer (recordings 571 to 574).
        """
        if not isinstance(spec, dict):
            return None
        self._articles.check_address(ticket, spec)
        fields = self._articles.written(ticket, actor, spec)
        article = self._add(ticket, actor, fields, changes)
        if lifecycle.opens(ticket, article):
            changes |= self._tickets.save(ticket, {"state_id": seed.OPEN}, actor.id)
        ticket["updated_at"] = article["updated_at"]
        if seed.ARTICLE_TYPES[article["type_id"]] == "email" and article["sender_id"] != 2:
            sent = {"value_from": article["subject"], "value_to": article["to"]}
            self._store.log_article(article, "email", **sent)
            self._store.raw_mails[article["id"]] = self._articles.sent(ticket, article)
        return article

    def _receive(
        self, ticket: Record, actor: Actor, incoming: Incoming, changes: set[str]
    ) -> Record:
        """Store a mail that came in. It never makes a new ticket open (recordings 384, 401)."""
        names = ("subject", "sender_id", "preferences", "internal")
        spec = {name: getattr(incoming, name) for name in names}
        article = self._add(
            ticket, actor, self._articles.received(ticket, incoming.mail, spec), changes
        )
        ticket["updated_at"] = article["updated_at"]
        self._store.raw_mails[article["id"]] = incoming.mail.raw
        for attachment in incoming.mail.attachments:
            self._store.attach(article["id"], attachment)
        return article

    def _add(self, ticket: Record, actor: Actor, fields: Record, changes: set[str]) -> Record:
        """Store an article and what it does to the ticket; adds to `changes`.

        It comes after what is saved with it (lines 94 and 97 of recording 090).
        """
        article = self._store.insert("TicketArticle", fields, actor.id)
        if changes:
            later = article["created_at"] + _AFTER_A_SAVE
            article |= {"created_at": later, "updated_at": later}
        self._store.log_article(article, "created")
        articles = self._store.articles(ticket["id"])
        if article["sender_id"] != 3 or len(articles) == 1:
            effect = lifecycle.contact(ticket, article, articles)
            changes |= self._tickets.save(ticket, effect, actor.id)
        return article

    def _link(self, ticket: Record, links: Mapping[str, Mapping[str, Iterable[int]]]) -> None:
        for link_type, ids in links.get("Ticket", {}).items():
            self._store.links += [(link_type, ticket["id"], int(other)) for other in ids]

    def _relink(self, source_id: int, target_id: int) -> None:
        """The source's links become the target's, even one that then points to itself."""
        moved = {source_id: target_id}
        self._store.links = [
            (kind, moved.get(one, one), moved.get(other, other))
            for kind, one, other in self._store.links
        ]
        self._store.links.append(("parent", target_id, source_id))
