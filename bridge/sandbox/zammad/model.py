"""A Zammad without HTTP: its parts wired together, and what people do with it."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from bridge.sandbox.deliveries import Clock, Transport
from bridge.sandbox.faults import Call, Faults
from bridge.sandbox.zammad import mails, seed
from bridge.sandbox.zammad.access import Access, Actor
from bridge.sandbox.zammad.articles import full_name
from bridge.sandbox.zammad.attributes import ObjectManager
from bridge.sandbox.zammad.browser import Browser, Form
from bridge.sandbox.zammad.conditions import Event, holds
from bridge.sandbox.zammad.deletion import Deletions
from bridge.sandbox.zammad.desk import Desk
from bridge.sandbox.zammad.directory import Directory
from bridge.sandbox.zammad.lifecycle import FIELDS
from bridge.sandbox.zammad.mailbox import Mailbox
from bridge.sandbox.zammad.notifications import Notifications
from bridge.sandbox.zammad.records import ApiError, Record
from bridge.sandbox.zammad.store import Store
from bridge.sandbox.zammad.triggers import Triggers
from bridge.sandbox.zammad.views import Views
from bridge.sandbox.zammad.webhooks import WebhookSender, post

ADMIN, BRIDGE, AGENT = seed.ADMIN, seed.BRIDGE, seed.AGENT


class Token(StrEnum):
    """The API tokens of a new sandbox. No secrets: they open nothing but sandboxes.

    `BRIDGE` and `SETUP` are the same user's: one for running the bridge, with `ticket.agent`
    alone, one that may also set up attributes, webhooks, triggers, overviews, workflows, calendars
    and SLAs, and list groups.
    """

    ADMIN = "sandbox-admin"
    BRIDGE = "sandbox-bridge"
    SETUP = "sandbox-setup"
    AGENT = "sandbox-agent"


_STAMPS = frozenset({"created_at", "updated_at", "created_by_id", "updated_by_id"})
_COLUMNS = {
    "Ticket": _STAMPS.union(FIELDS),
    "Organization": _STAMPS.union(seed.organization("")),
    "User": _STAMPS.union(seed.user("", "", "")),
}


class Zammad:
    """The whole helpdesk. Its methods are what people do; the API is `api.create_app`.

    The people's methods take tickets by id and people by address, raise `ApiError` as the API
    answers, and do not send: what they cause waits in `webhooks`.

    Args:
        clock: the present, as an aware datetime.
        transport: carries webhook requests; by HTTP if not given.
        retry_scale: multiplies the waits between attempts of a delivery in the background.

    Attributes:
        store: the records; hold `store.lock` to look into them while others work.
        webhooks: the deliveries, made and waiting.
        notifications: the mails to agents, and who is to get one.
        mailbox: takes raw mails in.
        browser: what an agent's form shows and sends.
        faults: the failures that the API is to show next.
        calls: every call of the API, oldest first.
    """

    def __init__(
        self, clock: Clock, *, transport: Transport = post, retry_scale: float = 1.0
    ) -> None:
        self.store = Store(clock)
        self.views = Views(self.store)
        self.access = Access(self.store)
        self.attributes = ObjectManager(self.store, _COLUMNS)
        self.directory = Directory(self.store, self.attributes)
        self.webhooks = WebhookSender(self.store, self.views, transport, retry_scale=retry_scale)
        self.triggers = Triggers(self.store, self.webhooks.enqueue)
        self.notifications = Notifications(self.store, self.views, self.attributes)
        self.desk = Desk(self.store, self.attributes, self._happened)
        self.deletions = Deletions(self.store, self.directory, self.desk)
        self.mailbox = Mailbox(self.store, self.directory, self.desk)
        self.browser = Browser(self.store, self.attributes, self.desk)
        self.faults = Faults()
        self.calls: list[Call] = []
        self.access.add_token(Token.ADMIN, ADMIN, "admin", "ticket.agent")
        self.access.add_token(Token.BRIDGE, BRIDGE, "ticket.agent")
        setup = "object webhook trigger overview core_workflow calendar sla group"
        admin = (f"admin.{name}" for name in setup.split())
        self.access.add_token(Token.SETUP, BRIDGE, "ticket.agent", *admin)
        self.access.add_token(Token.AGENT, AGENT, "ticket.agent")

    def add_organization(self, name: str, **fields: object) -> int:
        """An admin adds an organisation; `fields` are columns such as `domain`. Returns its id."""
        with self.store.lock:
            by = self.access.actor(ADMIN).id
            return int(self.directory.create_organization({"name": name, **fields}, by)["id"])

    def add_customer(
        self, name: str, email: str, organization: str | None = None, password: str = ""
    ) -> int:
        """An admin adds a customer, who may call the API with the password. Returns the id."""
        with self.store.lock:
            first, _, last = name.partition(" ")
            spec = {"firstname": first, "lastname": last, "email": email}
            by = self.access.actor(ADMIN).id
            user = self.directory.create_user(spec | {"organization": organization}, by)
            self.access.passwords[user["id"]] = password
            return int(user["id"])

    def customer_mails(
        self,
        sender: str,
        subject: str,
        body: str,
        *,
        name: str = "",
        auto_response: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> int:
        """A mail comes in: a new ticket, or a follow-up where the subject names a ticket.

        A stranger becomes a user. A follow-up re-opens a closed ticket, unless its group wants a
        new ticket by then (recordings 106 to 115, 237, 240). `mailbox.receive` takes a whole mail.

        Args:
            sender: the address.
            subject: the subject.
            body: the text.
            name: the sender's display name; that of the known user if not given.
            auto_response: whether the mail says of itself that nobody wrote it.
            headers: more headers.

        Returns:
            The id of the ticket that the mail is in.

        Raises:
            ValueError: Zammad drops such a mail.
        """
        user = self.store.first("User", email=sender.lower())
        shown = name or (full_name(user) if user else "")
        automatic = {"Auto-Submitted": "auto-replied"} if auto_response else {}
        head = automatic | dict(headers or {})
        raw = mails.compose((shown, sender), seed.MAILBOX, subject, body, head)
        ticket_id = self.mailbox.receive(raw)
        if ticket_id is None:
            raise ValueError("Zammad takes this mail for one of its own notifications")
        return ticket_id

    def customer_replies_by_mail(
        self,
        ticket_id: int,
        body: str,
        *,
        sender: str | None = None,
        auto_response: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> int:
        """The customer, or `sender`, answers a ticket's mail; returns as `customer_mails`."""
        ticket = self.ticket(ticket_id)
        subject = f"Re: [Ticket#{ticket['number']}] {ticket['title']}"
        address = sender or self.store.get("User", ticket["customer_id"])["email"]
        return self.customer_mails(
            address, subject, body, auto_response=auto_response, headers=headers
        )

    def mail_bounces(self, ticket_id: int, *, auto_submitted: bool = True) -> int:
        """The ticket's last mail to a customer comes back as undeliverable (325 to 347).

        Args:
            ticket_id: a ticket with a mail that went out.
            auto_submitted: whether the mail server says that nobody wrote its answer.

        Returns:
            The id of the ticket that the bounce is in.

        Raises:
            ValueError: no mail went out.
        """
        sent = [row for row in self.store.articles(ticket_id) if row["sender_id"] != 2]
        raw = [self.store.raw_mails[row["id"]] for row in sent if row["id"] in self.store.raw_mails]
        if not raw:
            raise ValueError(f"no mail of ticket {ticket_id} went out")
        recipient = mails.parse(raw[-1]).header("To")
        head = {"Auto-Submitted": "auto-replied"} if auto_submitted else {}
        host = f"mx.{recipient.rpartition('@')[2]}"
        back = mails.bounce(raw[-1], recipient, host, self.store.now(), head)
        found = self.mailbox.receive(back)
        return found or ticket_id

    def customer_opens_by_portal(self, customer: str, title: str, body: str) -> int:
        """A customer opens a ticket in the web portal. Returns its id."""
        article = {"subject": title, "body": body, "type": "web"}
        spec = {"title": title, "group_id": 1, "article": article}
        return int(self.desk.create(self.access.actor(customer), spec)["id"])

    def customer_answers_by_portal(
        self, ticket_id: int, body: str, *, reopen: bool = False, customer: str | None = None
    ) -> None:
        """The customer writes in the portal; only with `reopen` does a closed ticket open again."""
        ticket = self.ticket(ticket_id)
        login = customer or self.store.get("User", ticket["customer_id"])["login"]
        change: Record = {"article": {"body": body, "type": "web"}}
        if reopen:
            change["state_id"] = seed.OPEN
        self.desk.update(self.access.actor(login), ticket, change)

    def visitor_submits_form(self, name: str, email: str, title: str, body: str) -> int:
        """Somebody fills in the public form. Returns the ticket's id.

        `preferences.form` alone tells it from the portal. From Zammad's code: no recording.
        """
        with self.store.lock:
            user = self.directory.sender(email, name)
            article = {"subject": title, "body": body, "type": "web"}
            spec = {"title": title, "group_id": 1, "article": article}
            ticket = self.desk.create(self.access.actor(user["login"]), spec)
            ticket["preferences"] = {
                "form": {"remote_ip": "192.0.2.1", "fingerprint_md5": "0" * 32}
            }
            return int(ticket["id"])

    def agent_logs_phone(self, customer: str, title: str, body: str, *, agent: str = AGENT) -> int:
        """An agent opens a ticket for a customer on the phone. Returns its id."""
        article = {"body": body, "type": "phone", "sender": "Customer"}
        spec = {"title": title, "group_id": 1, "customer": customer, "article": article}
        return int(self.desk.create(self.access.actor(agent), spec)["id"])

    def agent_answers(
        self, ticket_id: int, body: str, *, close: bool = False, agent: str = AGENT
    ) -> None:
        """An agent mails the customer, and closes the ticket in the same step if asked to."""
        ticket = self.ticket(ticket_id)
        to = self.store.get("User", ticket["customer_id"])["email"]
        article = {"type": "email", "subject": ticket["title"], "body": body, "to": to}
        state = {"state_id": seed.CLOSED} if close else {}
        self.desk.update(self.access.actor(agent), ticket, {"article": article, **state})

    def agent_notes(self, ticket_id: int, body: str, *, agent: str = AGENT) -> None:
        """An agent writes an internal note."""
        self.agent_sets(ticket_id, agent, article={"body": body, "type": "note", "internal": True})

    def agent_closes(self, ticket_id: int, *, agent: str = AGENT) -> None:
        """An agent closes a ticket without a word."""
        self.agent_sets(ticket_id, agent, state="closed")

    def agent_reopens(self, ticket_id: int, *, agent: str = AGENT) -> None:
        """An agent re-opens a ticket; no limit of the group holds for agents."""
        self.agent_sets(ticket_id, agent, state="open")

    def agent_sets(self, ticket_id: int, agent: str = AGENT, **change: Any) -> None:
        """An agent changes anything: the arguments are those of PUT /tickets/{id}."""
        self.desk.update(self.access.actor(agent), self.ticket(ticket_id), change)

    def agent_opens_form(self, ticket_id: int) -> Form:
        """An agent opens a ticket in the browser, which knows it as it is now until it saves."""
        with self.store.lock:
            return self.browser.load(ticket_id)

    def agent_saves_form(self, form: Form, *, agent: str = AGENT, **changes: Any) -> None:
        """An agent saves a form with some changes; all the rest of it is sent as it was loaded.

        Also a macro that is run in the ticket itself is saved so, with a note of the agent's in
        `article` (recording 624).
        """
        self.browser.save(self.access.actor(agent), form, changes)

    def fields_that_look_edited(self, ticket_id: int) -> list[str]:
        """The fields for which a browser offers to discard changes that no agent made."""
        with self.store.lock:
            return self.browser.edited(ticket_id)

    def agent_merges(self, source_id: int, target_id: int, *, agent: str = AGENT) -> None:
        """An agent merges one ticket into another."""
        source, target = self.ticket(source_id), self.ticket(target_id)
        self.desk.merge(self.access.actor(agent), source, target)

    def agent_splits(self, ticket_id: int, title: str, body: str, *, agent: str = AGENT) -> int:
        """An agent opens a second ticket for another problem in the same one. Returns its id."""
        customer_id = self.ticket(ticket_id)["customer_id"]
        article = {"body": body, "type": "phone", "sender": "Customer"}
        spec = {"title": title, "group_id": 1, "customer_id": customer_id, "article": article}
        links = {"Ticket": {"child": [ticket_id]}}
        return int(self.desk.create(self.access.actor(agent), spec | {"links": links})["id"])

    def admin_moves_person(
        self, email: str, organization: str | None, *, secondary: tuple[str, ...] = ()
    ) -> None:
        """An admin says which organisation a person is of, and which others besides.

        Raises:
            ValueError: there is no such person.
        """
        spec: Record = {
            "organization_id": self._organization_id(organization) if organization else None,
            "organization_ids": [self._organization_id(name) for name in secondary],
        }
        with self.store.lock:
            person = self.access.actor(email).user
            self.update_person(person, spec, self.access.actor(ADMIN))

    def update_person(self, user: Record, spec: Record, by: Actor) -> None:
        """Change a user, as PUT /users/{id} does; moved, the person takes the tickets along.

        Raises:
            ApiError: 422, as `Directory.update_user`.
        """
        old = user["organization_id"]
        self.directory.update_user(user, spec, by.id)
        if user["organization_id"] != old:
            self.desk.follow_person(user, old)

    def admin_deletes(self, ticket_id: int) -> None:
        """An admin deletes a ticket for good; no webhook tells."""
        self.deletions.ticket(self.ticket(ticket_id))

    def admin_deletes_person(self, email: str) -> None:
        """An admin deletes a person for good, with all tickets of theirs; no webhook tells.

        Raises:
            ValueError: there is no such person.
        """
        self.deletions.person(self.access.actor(email).user)

    def admin_deletes_organization(self, name: str, *, with_members: bool = False) -> None:
        """An admin deletes an organisation, and all people and tickets in it if asked to.

        Raises:
            ValueError: there is no such organisation.
        """
        row = self.store.get("Organization", self._organization_id(name))
        by = self.access.actor(ADMIN).id
        self.deletions.organization(row, by, with_members=with_members)

    def scheduler_runs(self) -> None:
        """Zammad closes the tickets that were pending close until now (recording 257)."""
        with self.store.lock:
            for ticket in list(self.store.tables["Ticket"].values()):
                state = self.store.get("TicketState", ticket["state_id"])
                if state["next_state_id"] and ticket["pending_time"] <= self.store.now():
                    self.desk.time_is_up(ticket, state["next_state_id"])

    def ticket(self, ticket_id: int) -> Record:
        """The stored ticket itself.

        Raises:
            ApiError: 404.
        """
        return self.store.get("Ticket", ticket_id)

    def search(self, actor: Actor, condition: Record, query: str = "") -> list[Record]:
        """The tickets that the actor may see and that fit, the last changed first.

        Raises:
            ApiError: 422, the condition names something that does not exist.
        """
        tickets = self.store.tables["Ticket"].values()
        try:
            found = [
                row
                for row in tickets
                if self.access.may_see(actor, row)
                and query.lower() in f"{row['number']} {row['title']}".lower()
                and holds(condition, Event("search", row), self._related(row))
            ]
        except KeyError as unknown:
            raise ApiError(422, f"Invalid condition: {unknown}") from unknown
        return sorted(found, key=lambda row: (row["updated_at"], row["id"]), reverse=True)

    def _related(self, ticket: Record) -> Callable[[str], Record | None]:
        return lambda owner: ticket if owner == "ticket" else None

    def _organization_id(self, name: str) -> int:
        row = self.store.first("Organization", name=name)
        if row is None:
            raise ValueError(f"no organization {name!r}")
        return int(row["id"])

    def _happened(self, event: Event) -> None:
        """Run the triggers, then tell the group's agents, as the history shows."""
        self.triggers.run(event, self.desk)
        self.notifications.tell(event)
