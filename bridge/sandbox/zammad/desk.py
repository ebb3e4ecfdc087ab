"""The ticket desk: create, change, answer, merge and delete tickets, and say what happened."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bridge.sandbox.zammad import lifecycle, seed
from bridge.sandbox.zammad.access import Actor
from bridge.sandbox.zammad.articles import Articles, full_name, performed_note
from bridge.sandbox.zammad.attributes import ObjectManager
from bridge.sandbox.zammad.conditions import Event, Told
from bridge.sandbox.zammad.escalation import Escalations
from bridge.sandbox.zammad.mails import Mail
from bridge.sandbox.zammad.records import ApiError, Record, as_moment, as_text, opaque
from bridge.sandbox.zammad.store import SYSTEM, Store

_RELATIONS = {
    # name in a request: table, column that holds the name
    "group": ("Group", "name"),
    "state": ("TicketState", "name"),
    "priority": ("TicketPriority", "name"),
    "owner": ("User", "login"),
    "customer": ("User", "login"),
    "organization": ("Organization", "name"),
}
_UNLOGGED = frozenset(
    {"article_count", "create_article_type_id", "create_article_sender_id", "preferences"}
)


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
    """

    mail: Mail
    subject: str
    sender_id: int
    preferences: Record
    channel_id: int | None = None
    reopens: bool = True


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
        self._attributes = attributes
        self._act = fire
        self._held: list[Event] | None = None
        self._articles = Articles(store)
        self._escalations = Escalations(store)

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
            wanted = self._wanted(actor, body)
            if not actor.is_agent:
                wanted["customer_id"] = actor.id
            self._check_new(actor, wanted)
            ticket = self._insert(actor, wanted)
            article = self._write(ticket, actor, body.get("article"), set())
            self._link(ticket, body.get("links") or {})
            self._fire(Event("create", ticket, article, actor_id=actor.id))
            return ticket

    def create_by_mail(self, actor: Actor, incoming: Incoming, group_id: int) -> Record:
        """Create a ticket from a mail, whoever sent it: also an agent, or the system itself."""
        with self._store.lock:
            wanted: Record = {"title": incoming.subject or "-", "group_id": group_id}
            wanted["customer_id"] = actor.id
            if incoming.channel_id is not None:
                wanted["preferences"] = {"channel_id": incoming.channel_id}
            ticket = self._insert(actor, wanted)
            article = self._receive(ticket, actor, incoming, set())
            self._fire(Event("create", ticket, article, actor_id=actor.id, told="everybody"))
            return ticket

    def update(self, actor: Actor, ticket: Record, body: Record) -> None:
        """Change fields and state and add an article in one go, as PUT /tickets/{id} does.

        A change that changes nothing leaves no trace (recording 083).

        Raises:
            ApiError: 422, a value is refused; 500, an email article in a group without an address.
        """
        with self._store.lock:
            wanted = self._wanted(actor, body)
            self._articles.check_address(ticket, body.get("article"))
            if not actor.is_agent and "state_id" in wanted and self.refuses_follow_up(ticket):
                raise lifecycle.too_late()
            changes = self._save(ticket, wanted, actor.id)
            article = self._write(ticket, actor, body.get("article"), changes)
            self._updated(actor, ticket, article, changes)

    def update_by_mail(self, actor: Actor, ticket: Record, incoming: Incoming) -> None:
        """Add a mail to a ticket, which opens again unless it is new (recordings 287 to 306)."""
        with self._store.lock:
            opens = incoming.reopens and ticket["state_id"] != seed.NEW
            changes = self._save(ticket, {"state_id": seed.OPEN} if opens else {}, actor.id)
            article = self._receive(ticket, actor, incoming, changes)
            self._updated(actor, ticket, article, changes, "everybody")

    def time_is_up(self, ticket: Record, state_id: int) -> None:
        """The scheduler moves a ticket on that was pending until now (recordings 544, 629)."""
        with self._store.lock:
            changes = self._save(ticket, {"state_id": state_id}, SYSTEM)
            self._updated(self._system(), ticket, None, changes, "everybody")

    def follow_person(self, ticket: Record, organization_id: int | None) -> None:
        """The ticket of a person who moved goes along; no agent is told (recordings 491 to 497)."""
        with self._store.lock:
            changes = self._save(ticket, {"organization_id": organization_id}, SYSTEM)
            self._updated(self._system(), ticket, None, changes, "nobody")

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
                article["ticket_id"] = target["id"]
            ids = {"id_to": target["id"], "id_from": source["id"]}
            self._store.log(target["id"], actor.id, "received_merge", **ids)
            self._store.log(source["id"], actor.id, "merged_into", **ids)
            note = self._write(source, actor, {"body": "merged", "type": "note"}, set())
            self._relink(source["id"], target["id"])
            self._save(source, {"state_id": seed.MERGED, "owner_id": SYSTEM}, actor.id)
            target["updated_at"] = self._store.now()
            self._fire(Event("update.merged_into", source, note, actor_id=actor.id))
            self._fire(Event("update.received_merge", target, actor_id=actor.id))

    def delete(self, ticket: Record) -> None:
        """Remove a ticket with its articles and history. Nothing is fired."""
        with self._store.lock:
            for article in self._store.articles(ticket["id"]):
                del self._store.tables["TicketArticle"][article["id"]]
            del self._store.tables["Ticket"][ticket["id"]]
            self._store.history.pop(ticket["id"], None)

    def set_quietly(self, ticket: Record, fields: Record) -> None:
        """A trigger's own change: stored in the name of `-`, but it fires no other trigger."""
        self._save(ticket, self._wanted(self._system(), fields), SYSTEM)

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
        kind = self._state_type(ticket["state_id"])
        return lifecycle.refuses_follow_up(ticket, group, kind, self._store.now())

    def _system(self) -> Actor:
        return Actor(self._store.get("User", SYSTEM), frozenset())

    def _wanted(self, actor: Actor, body: Record) -> Record:
        """The columns that a request sets; unknown and read-only keys are ignored."""
        wanted: Record = {}
        for name, (table, column) in _RELATIONS.items():
            if body.get(name):
                wanted[f"{name}_id"] = self._lookup(name, table, column, body[name])
        wanted |= {key: _as_id(body[key]) for key in lifecycle.WRITABLE_IDS if key in body}
        wanted |= {key: as_moment(body[key]) for key in lifecycle.WRITABLE_TIMES if key in body}
        wanted |= {key: body[key] for key in lifecycle.WRITABLE_VALUES if key in body}
        if actor.is_agent and isinstance(body.get("preferences"), dict):
            wanted["preferences"] = body["preferences"]
        if wanted.get("state_id") is not None:
            self._check_state(wanted["state_id"])
        return wanted | self._attributes.cast("Ticket", body)

    def _lookup(self, name: str, table: str, column: str, value: object) -> int:
        row = self._store.first(table, **{column: value})
        if row is None:
            raise ApiError(422, f"No lookup value found for '{name}': \"{value}\"")
        return int(row["id"])

    def _check_state(self, state_id: int) -> None:
        if state_id not in self._store.tables["TicketState"]:
            raise ApiError(422, f"Invalid value '{state_id}' for field 'state_id'!", human=False)

    def _check_new(self, actor: Actor, wanted: Record) -> None:
        if wanted.get("group_id") is None:
            raise ApiError(422, "The required value 'group_id' is missing.")
        if actor.is_agent and not actor.works_in(wanted["group_id"]):
            raise ApiError(403, "Not authorized")
        if not wanted.get("title") or wanted.get("customer_id") is None:
            raise opaque(422)

    def _insert(self, actor: Actor, wanted: Record) -> Record:
        defaults = {"priority_id": 2, "state_id": seed.NEW, "owner_id": SYSTEM, "preferences": {}}
        fields: Record = dict.fromkeys(lifecycle.FIELDS[1:]) | defaults
        fields |= self._attributes.defaults("Ticket") | wanted
        fields["organization_id"] = self._organization(fields)
        state_type = self._state_type(fields["state_id"])
        lifecycle.consequences({}, fields, state_type, self._store.now())
        ticket = self._store.insert("Ticket", fields, actor.id)
        ticket["number"] = f"55{ticket['id']:03d}"
        self._store.log(ticket["id"], actor.id, "created")
        self._escalations.apply(ticket)
        return ticket

    def _save(self, ticket: Record, wanted: Record, by: int) -> set[str]:
        """Store the change with all that follows from it; returns the columns that changed."""
        after = ticket | wanted
        if wanted.keys() & {"customer_id", "organization_id"}:
            after["organization_id"] = self._organization(after)
        state_type = self._state_type(after["state_id"])
        lifecycle.consequences(ticket, after, state_type, self._store.now())
        changed = [key for key in ticket if ticket[key] != after[key]]
        if not changed:
            return set()
        after |= {"updated_at": self._store.now(), "updated_by_id": by}
        for key in changed:
            self._log_change(ticket, key, ticket[key], after[key], by)
        signed = {"updated_by_id"} if ticket["updated_by_id"] != by else set()
        ticket.update(after)
        self._escalations.apply(ticket)
        return signed.union(changed)

    def _organization(self, ticket: Record) -> int | None:
        """The organisation that is wanted, if it is one of the customer's, else the primary one.

        Another one is refused without a word (recordings 504, 508, 512).
        """
        customer = self._store.get("User", ticket["customer_id"])
        primary: int | None = customer["organization_id"]
        wanted: int | None = ticket["organization_id"]
        return wanted if wanted in customer["organization_ids"] else primary

    def _log_change(self, ticket: Record, key: str, before: object, after: object, by: int) -> None:
        if key in _UNLOGGED:
            return
        name = key.removesuffix("_id")
        if name == key or name not in _RELATIONS:
            values = {"value_from": as_text(before), "value_to": as_text(after)}
            self._store.log(ticket["id"], by, "updated", attribute=key, **values)
            return
        table = _RELATIONS[name][0]
        ids = {"id_to": after, "id_from": before}
        names = {
            "value_from": self._history_name(table, before),
            "value_to": self._history_name(table, after),
        }
        self._store.log(ticket["id"], by, "updated", attribute=name, **ids, **names)

    def _history_name(self, table: str, row_id: object) -> str:
        row = self._store.tables[table].get(row_id if isinstance(row_id, int) else 0, {})
        return full_name(row) if table == "User" else str(row.get("name", ""))

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
            changes |= self._save(ticket, {"state_id": seed.OPEN}, actor.id)
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
        spec = {name: getattr(incoming, name) for name in ("subject", "sender_id", "preferences")}
        article = self._add(
            ticket, actor, self._articles.received(ticket, incoming.mail, spec), changes
        )
        ticket["updated_at"] = article["updated_at"]
        self._store.raw_mails[article["id"]] = incoming.mail.raw
        for attachment in incoming.mail.attachments:
            self._store.attach(article["id"], attachment)
        return article

    def _add(self, ticket: Record, actor: Actor, fields: Record, changes: set[str]) -> Record:
        """Store an article and what it does to the ticket; adds to `changes`."""
        article = self._store.insert("TicketArticle", fields, actor.id)
        self._store.log_article(article, "created")
        effect = lifecycle.contact(ticket, article, self._store.articles(ticket["id"]))
        changes |= self._save(ticket, effect, actor.id)
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

    def _state_type(self, state_id: int) -> str:
        return seed.STATE_TYPES[self._store.get("TicketState", state_id)["state_type_id"]]


def _as_id(value: object) -> int | None:
    return int(str(value)) if str(value).isdigit() else None
