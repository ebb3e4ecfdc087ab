"""The ticket desk: create, change, answer, merge and delete tickets, and say what happened."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from uuid import uuid4

from bridge.sandbox.zammad import lifecycle, seed
from bridge.sandbox.zammad.access import Actor
from bridge.sandbox.zammad.attributes import ObjectManager
from bridge.sandbox.zammad.conditions import Event
from bridge.sandbox.zammad.escalation import Escalations
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
_ARTICLE_TEXTS = ("subject", "reply_to", "in_reply_to", "references", "body", "to", "cc")


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
        self._fire = fire
        self._escalations = Escalations(store)

    def create(
        self, actor: Actor, body: Record, *, origin: Mapping[str, object] | None = None
    ) -> Record:
        """Create a ticket with its first article, as POST /tickets does.

        Args:
            actor: who creates it; a customer creates for themself.
            body: the request, names or ids.
            origin: what a channel knows beside it: the article's `from` and `message_id`.

        Raises:
            ApiError: 403 or 422, as recordings 146 to 153.
        """
        with self._store.lock:
            wanted = self._wanted(actor, body)
            if not actor.is_agent:
                wanted["customer_id"] = actor.id
            self._check_new(actor, wanted)
            ticket = self._insert(actor, wanted)
            article = self._add_article(ticket, actor, body.get("article"), origin or {})
            self._link(ticket, body.get("links") or {})
            self._fire(Event("create", ticket, article, actor_id=actor.id))
            return ticket

    def update(
        self,
        actor: Actor,
        ticket: Record,
        body: Record,
        *,
        origin: Mapping[str, object] | None = None,
    ) -> None:
        """Change fields and state and add an article in one go, as PUT /tickets/{id} does.

        A change that changes nothing leaves no trace (recording 083).

        Raises:
            ApiError: 422, a value is refused; 500, an email article in a group without an address.
        """
        with self._store.lock:
            wanted = self._wanted(actor, body)
            self._check_mail(ticket, body.get("article"))
            if not actor.is_agent and "state_id" in wanted and self.refuses_follow_up(ticket):
                raise lifecycle.too_late()
            changes = self._save(ticket, wanted, actor.id)
            article = self._add_article(ticket, actor, body.get("article"), origin or {}, changes)
            if changes or article:
                seen = frozenset(changes)
                self._fire(Event("update", ticket, article, seen, actor_id=actor.id))

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
            note = self._add_article(source, actor, {"body": "merged", "type": "note"}, {})
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

    def auto_reply(self, ticket: Record, subject: str, text: str) -> None:
        """A trigger's public email in the name of the system; none without a sending address."""
        group = self._store.get("Group", ticket["group_id"])
        customer = self._store.get("User", ticket["customer_id"])
        if group["email_address_id"] is None or not customer["email"]:
            return
        spec: Record = {"type": "email", "sender": "System", "content_type": "text/html"}
        spec |= {"subject": subject.replace("#{ticket.title}", ticket["title"]), "body": text}
        spec |= {"to": customer["email"], "preferences": {"perform_origin": "trigger"}}
        self._add_article(ticket, self._system(), spec, {})

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
        customer = self._store.get("User", wanted["customer_id"])
        defaults = {"priority_id": 2, "state_id": seed.NEW, "owner_id": SYSTEM, "preferences": {}}
        fields: Record = dict.fromkeys(lifecycle.FIELDS[1:]) | defaults
        fields |= {"organization_id": customer["organization_id"]}
        fields |= self._attributes.defaults("Ticket") | wanted
        state_type = self._state_type(fields["state_id"])
        lifecycle.consequences({}, fields, state_type, self._store.now())
        ticket = self._store.insert("Ticket", fields, actor.id)
        ticket["number"] = f"55{ticket['id']:03d}"
        self._store.log(ticket["id"], actor.id, "created")
        self._escalations.apply(ticket)
        return ticket

    def _save(self, ticket: Record, wanted: Record, by: int) -> set[str]:
        """Store the change with all that follows from it; returns the columns that changed."""
        if "customer_id" in wanted and "organization_id" not in wanted:
            customer = self._store.get("User", wanted["customer_id"])
            wanted = wanted | {"organization_id": customer["organization_id"]}
        after = ticket | wanted
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

    def _add_article(
        self,
        ticket: Record,
        actor: Actor,
        spec: object,
        origin: Mapping[str, object],
        changes: set[str] | None = None,
    ) -> Record | None:
        """Store an article and what it does to the ticket; adds to `changes`."""
        if not isinstance(spec, dict):
            return None
        self._check_mail(ticket, spec)
        fields = self._article_fields(ticket, actor, spec) | dict(origin)
        if fields["message_id"]:
            digest = hashlib.md5(str(fields["message_id"]).encode(), usedforsecurity=False)
            fields["message_id_md5"] = digest.hexdigest()
        article = self._store.insert("TicketArticle", fields, actor.id)
        self._store.log_article(article, "created")
        effects = [lifecycle.contact(ticket, article, self._store.articles(ticket["id"]))]
        if lifecycle.opens(ticket, article):
            effects.append({"state_id": seed.OPEN})
        for effect in effects:
            changed = self._save(ticket, effect, actor.id)
            if changes is not None:
                changes |= changed
        ticket["updated_at"] = article["updated_at"]
        if seed.ARTICLE_TYPES[article["type_id"]] == "email" and article["sender_id"] != 2:
            sent = {"value_from": article["subject"], "value_to": article["to"]}
            self._store.log_article(article, "email", **sent)
        return article

    def _check_mail(self, ticket: Record, spec: object) -> None:
        """No mail without a sending address: 500, although nothing is broken."""
        if not isinstance(spec, dict):
            return
        kinds = {spec.get("type"), seed.ARTICLE_TYPES.get(spec.get("type_id") or 0)}
        if "email" not in kinds:
            return
        if self._store.get("Group", ticket["group_id"])["email_address_id"] is None:
            raise opaque(500)

    def _article_fields(self, ticket: Record, actor: Actor, spec: Record) -> Record:
        type_id, sender_id = _kind(actor, spec)
        origin_by = spec.get("origin_by_id")
        if sender_id == 2 and actor.is_agent:
            origin_by = origin_by or ticket["customer_id"]
        fields: Record = {"ticket_id": ticket["id"], "type_id": type_id, "sender_id": sender_id}
        fields |= {key: spec.get(key) for key in _ARTICLE_TEXTS}
        fields |= {
            "message_id": spec.get("message_id"),
            "message_id_md5": None,
            "content_type": spec.get("content_type", "text/plain"),
            "internal": bool(spec.get("internal", False)) and actor.is_agent,
            "preferences": dict(spec.get("preferences") or {}),
            "origin_by_id": origin_by,
        }
        author = self._store.get("User", origin_by or actor.id)
        fields["from"] = full_name(author) + (f" <{author['email']}>" if sender_id == 2 else "")
        if seed.ARTICLE_TYPES[type_id] == "email":
            fields |= self._mail_fields(ticket, fields)
        return fields

    def _mail_fields(self, ticket: Record, fields: Record) -> Record:
        """What Zammad adds to a mail that it will send (recording 068)."""
        sent = f"{self._store.now():%Y%m%d%H%M%S}.{ticket['id']}.{uuid4()}@zammad.example"
        author = "" if fields["sender_id"] == 3 else f"{fields['from']} via "
        return {
            "from": f"{author}Support <{seed.MAILBOX}>",
            "subject": lifecycle.plain_subject(fields["subject"]),
            "message_id": fields["message_id"] or f"<{sent}>",
            "preferences": {"email_address_id": 1} | fields["preferences"],
        }

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


def full_name(user: Record) -> str:
    """First and last name of a user."""
    return f"{user.get('firstname', '')} {user.get('lastname', '')}".strip()


def _as_id(value: object) -> int | None:
    return int(str(value)) if str(value).isdigit() else None


def _kind(actor: Actor, spec: Record) -> tuple[int, int]:
    """Type and sender, by name or id; a customer always writes as Customer."""
    types = {name: key for key, name in seed.ARTICLE_TYPES.items()}
    senders = {name: key for key, name in seed.SENDERS.items()}
    type_id = int(types.get(spec.get("type", "")) or spec.get("type_id") or types["note"])
    if not actor.is_agent and actor.id != SYSTEM:
        return type_id, senders["Customer"]
    sender_id = senders.get(spec.get("sender", "")) or spec.get("sender_id") or senders["Agent"]
    return type_id, int(sender_id)
