"""A Zendesk without HTTP: its parts wired together, and what people do with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bridge.sandbox.deliveries import Clock, Transport
from bridge.sandbox.faults import Call, Faults
from bridge.sandbox.zendesk.access import SCOPES, Access
from bridge.sandbox.zendesk.conditions import Event
from bridge.sandbox.zendesk.deletion import Deletions
from bridge.sandbox.zendesk.desk import Desk, via
from bridge.sandbox.zendesk.fields import OrganizationFields, TicketFields
from bridge.sandbox.zendesk.flags import Flag, marks
from bridge.sandbox.zendesk.limits import Limits
from bridge.sandbox.zendesk.records import Record, invalid
from bridge.sandbox.zendesk.rules import Rules
from bridge.sandbox.zendesk.shapes import Shapes
from bridge.sandbox.zendesk.statuses import Statuses
from bridge.sandbox.zendesk.store import ADMIN, AGENT, BRIDGE, MAILBOX, ZONE, Store
from bridge.sandbox.zendesk.suspended import Suspended
from bridge.sandbox.zendesk.webhooks import Webhooks, WebhookSender, post

LATEST_CLOSURE = timedelta(days=28)
"""After this in solved, Zendesk closes a ticket whatever the account's automation says."""


class Client(StrEnum):
    """The OAuth clients of a new sandbox. No secrets: they open nothing but sandboxes.

    `BRIDGE` is the bridge's own user, and may read, and write tickets, organisations and users;
    `SETUP` is an admin, and may also set up fields, webhooks and triggers.
    """

    BRIDGE = "points-bridge"
    SETUP = "points-bridge-setup"

    @property
    def secret(self) -> str:
        """The client's secret."""
        return f"sandbox-{self.value}"


class ApiToken(StrEnum):
    """The API tokens of a new sandbox, for the older way of authentication."""

    BRIDGE = "sandbox-api-token"


@dataclass(frozen=True, slots=True)
class Remembered:
    """A POST with an `Idempotency-Key`, and what it was answered."""

    at: datetime
    request: bytes
    answer: bytes


class Zendesk:
    """The whole helpdesk. Its methods are what people do; the API is `api.create_app`.

    The people's methods take tickets by id and people by address, raise `ApiError` as the API
    answers, and do not send: what they cause waits in `webhooks`.

    Args:
        clock: the present, as an aware datetime.
        transport: carries webhook requests; by HTTP if not given.
        retry_scale: multiplies the waits between attempts of a delivery in the background.

    Attributes:
        store: the records; hold `store.lock` to look into them while others work.
        limits: the budgets; change one to have another plan.
        statuses: the custom statuses, to which an admin may `add`.
        desk: `desk.auto_assign_on_solve` is a setting of the account.
        webhooks: the deliveries, made and waiting.
        suspended: the mails that were set aside.
        faults: the failures that the API is to show next.
        calls: every call of the API, oldest first.
        close_solved_after: what the standard automation waits for.
        archive_after: how long a ticket is closed before it is archived; 3 days in a sandbox.
        remembered: the answers to POSTs, by their idempotency keys.
        jobs: the background jobs by id; a job is done as soon as it exists.
    """

    def __init__(
        self, clock: Clock, *, transport: Transport = post, retry_scale: float = 1.0
    ) -> None:
        self.store = Store(clock)
        self.limits = Limits(clock)
        self.access = Access(self.store)
        self.fields = TicketFields(self.store)
        self.organization_fields = OrganizationFields(self.store)
        self.statuses = Statuses(self.store)
        self.shapes = Shapes(self.store, self.fields, self.organization_fields)
        self.hooks = Webhooks(self.store)
        self.webhooks = WebhookSender(self.store, self.hooks, transport, retry_scale=retry_scale)
        self.rules = Rules(self.store, self.webhooks.enqueue, self.hooks.takes_triggers)
        self.desk = Desk(self.store, self.fields, self.statuses, self._happened)
        self.deletions = Deletions(self.store, self.desk)
        self.suspended = Suspended(self.store, self.desk)
        self.faults = Faults()
        self.calls: list[Call] = []
        self.remembered: dict[str, Remembered] = {}
        self.jobs: dict[str, Record] = {}
        self.close_solved_after = timedelta(days=4)
        self.archive_after = timedelta(days=120)
        self._automation = {"id": self.store.next_id(), "title": "Close solved tickets"}
        runtime = {"read", "tickets:write", "organizations:write", "users:write"}
        self.access.add_client(Client.BRIDGE, Client.BRIDGE.secret, BRIDGE, runtime)
        self.access.add_client(Client.SETUP, Client.SETUP.secret, ADMIN, SCOPES)
        self.access.add_api_token(ApiToken.BRIDGE)

    def add_organization(self, name: str, *, domains: Iterable[str] = (), **custom: object) -> int:
        """An admin adds an organisation, with custom fields by key. Returns its id.

        Raises:
            ApiError: 422, the name is taken, or a custom value is refused.
        """
        return int(self.new_organization(name, list(domains), custom)["id"])

    def new_organization(self, name: str, domains: list[str], custom: object) -> Record:
        """Store an organisation.

        Raises:
            ApiError: 422.
        """
        with self.store.lock:
            if not name or self.store.first("organizations", name=name):
                raise invalid("name", f"Name: {name} has already been taken", "DuplicateValue")
            fields: Record = {"name": name, "domain_names": domains, "external_id": None}
            fields |= {"details": None, "notes": None, "group_id": None, "tags": []}
            fields |= {"shared_tickets": False, "shared_comments": False}
            fields |= {"organization_fields": self.organization_fields.cast(custom)}
            return self.store.insert("organizations", fields)

    def add_customer(
        self,
        name: str,
        email: str,
        organization: str | None = None,
        *,
        zone: str = ZONE,
        **user_fields: object,
    ) -> int:
        """An admin adds a customer, with custom user fields by key. Returns the id.

        `zone` is the customer's own time zone (IANA).
        """
        with self.store.lock:
            row = self.store.first("organizations", name=organization) if organization else None
            user = self.store.add_user(name, email, organization=row["id"] if row else None)
            user |= {"user_fields": user_fields, "iana_time_zone": zone}
            return int(user["id"])

    def add_agent(self, name: str, email: str) -> int:
        """An admin adds an agent. Returns the id."""
        with self.store.lock:
            return int(self.store.add_user(name, email, "agent")["id"])

    def customer_mails(
        self, sender: str, subject: str, body: str, *, name: str = "", flags: Iterable[int] = ()
    ) -> int:
        """A mail comes in and makes a ticket; a stranger becomes a user. Returns the ticket's id.

        An answer to a ticket's mail is `customer_replies`. `flags` are what Zendesk doubts about
        it, see `Flag`: 4 for a robot's mail that was not suspended.
        """
        with self.store.lock:
            user = self._person(sender, name)
            return self._opens(user["email"], subject, body, _mail(user), marks(*flags))

    def mail_is_suspended(
        self,
        sender: str,
        subject: str,
        body: str,
        *,
        cause_id: int = 3,
        name: str = "",
        ticket_id: int | None = None,
    ) -> int:
        """A mail comes in and is set aside, by default for being a robot's; nobody is told.

        `cause_id` says why, see `CAUSES`; `ticket_id` is the ticket that it answers, if it does. A
        stranger stays one. Returns the id in the queue: see `suspended.recover`.
        """
        with self.store.lock:
            known = self.store.first("users", email=sender.lower())
            person = {"id": known and known["id"], "name": name, "email": sender.lower()}
            return self.suspended.add(person, subject, body, cause_id, ticket_id)

    def customer_writes_by_messenger(self, customer: str, subject: str, body: str) -> int:
        """A customer writes in the messenger of the web site. Returns the ticket's id."""
        with self.store.lock:
            self._person(customer)
            return self._opens(customer, subject, body, via("native_messaging"))

    def partner_shares(self, customer: str, subject: str, body: str) -> int:
        """Another account shares a ticket with this one. Returns its id here."""
        with self.store.lock:
            self._person(customer)
            ticket_id = self._opens(customer, subject, body, via("ticket_sharing"))
            self.store.ticket(ticket_id)["sharing_agreement_ids"] = [self.store.next_id()]
            return ticket_id

    def customer_opens_by_web(self, customer: str, subject: str, body: str) -> int:
        """A customer fills in the form of the help centre. Returns the ticket's id."""
        with self.store.lock:
            self._person(customer)
            return self._opens(customer, subject, body, via("web"))

    def agent_logs_phone(
        self, customer: str, subject: str, body: str, *, agent: str = AGENT
    ) -> int:
        """An agent opens a ticket for a customer on the phone. Returns its id.

        As with every ticket that an agent opens in Support, the channel is `web`; only that the
        submitter is not the requester tells.
        """
        with self.store.lock:
            requester_id = self._person(customer)["id"]
            comment = {"body": body, "public": True}
            spec = {"subject": subject, "requester_id": requester_id, "comment": comment}
            audit = self.desk.create(self.access.actor(agent), spec, via("web"))
            return int(audit["ticket_id"])

    def customer_replies(
        self, ticket_id: int, body: str, *, sender: str | None = None, flags: Iterable[int] = ()
    ) -> int:
        """The customer, or `sender`, answers a ticket's mail; `flags` as in `customer_mails`.

        One who has not written there before is flagged, and the comment is public all the same.

        An open ticket gets a comment, a pending or solved one is open again; of a closed one a
        follow-up is made, with a new id and the parent's tags and custom fields.

        Returns:
            The id of the ticket that the answer is in.
        """
        with self.store.lock:
            ticket = self.store.ticket(ticket_id)
            email = sender or self.store.get("users", ticket["requester_id"])["email"]
            user = self._person(email)
            origin = _mail(user)
            actor = self.access.actor(user["email"])
            said = self.store.of_ticket("comments", ticket_id)
            if user["id"] not in {ticket["requester_id"], *(row["author_id"] for row in said)}:
                flags = (*flags, Flag.AUTHOR_NOT_IN_CONVERSATION)
            marked = marks(*flags)
            if ticket["status"] == "closed":
                spec: Record = {"subject": f"Re: {ticket['subject']}", "comment": {"body": body}}
                spec |= {"via_followup_source_id": ticket_id}
                return int(self.desk.create(actor, spec, origin, marked)["ticket_id"])
            self.desk.update(actor, ticket, {"comment": {"body": body}}, origin, marked)
            return ticket_id

    def agent_answers(
        self, ticket_id: int, body: str, *, close: bool = False, agent: str = AGENT
    ) -> None:
        """An agent writes to the customer, and solves the ticket in the same step if asked to.

        A ticket without an assignee becomes the agent's.
        """
        status = {"status": "solved"} if close else {}
        self._agent_works(ticket_id, agent, comment={"body": body, "public": True}, **status)

    def agent_notes(self, ticket_id: int, body: str, *, agent: str = AGENT) -> None:
        """An agent writes an internal note."""
        self.agent_sets(ticket_id, agent, comment={"body": body, "public": False})

    def agent_solves(self, ticket_id: int, *, agent: str = AGENT) -> None:
        """An agent solves a ticket without a word; one without an assignee becomes the agent's."""
        self._agent_works(ticket_id, agent, status="solved")

    def agent_reopens(self, ticket_id: int, *, agent: str = AGENT) -> None:
        """An agent re-opens a solved ticket; of a closed one that is refused."""
        self.agent_sets(ticket_id, agent, status="open")

    def agent_sets(self, ticket_id: int, agent: str = AGENT, **change: Any) -> None:
        """An agent changes anything: the arguments are those of PUT /tickets/{id}."""
        with self.store.lock:
            ticket = self.store.ticket(ticket_id)
            self.limits.update_by_hand()
            self.desk.update(self.access.actor(agent), ticket, change, via("web"))

    def agent_merges(self, source_id: int, target_id: int, *, agent: str = AGENT) -> None:
        """An agent merges one ticket into another, with the comments that Support suggests."""
        with self.store.lock:
            source, target = self.store.ticket(source_id), self.store.ticket(target_id)
            texts = {
                "source_comment": f"This request was closed and merged into request #{target_id} "
                f'"{target["subject"]}".',
                "target_comment": f'Request #{source_id} "{source["subject"]}" was closed and '
                "merged into this request.",
            }
            self.desk.merge(self.access.actor(agent), target, [source], texts, via("web"))

    def agent_deletes(self, ticket_id: int, *, agent: str = AGENT) -> None:
        """An agent deletes a ticket; it can be restored."""
        self.desk.delete(self.access.actor(agent), self.store.ticket(ticket_id))

    def agent_restores(self, ticket_id: int, *, agent: str = AGENT) -> None:
        """An agent brings a deleted ticket back."""
        self.desk.restore(self.access.actor(agent), ticket_id)

    def agent_marks_spam(self, ticket_id: int, *, agent: str = AGENT) -> None:
        """An agent marks a ticket as spam: it is deleted and its requester suspended."""
        with self.store.lock:
            ticket = self.store.ticket(ticket_id)
            self.store.get("users", ticket["requester_id"])["suspended"] = True
            self.desk.delete(self.access.actor(agent), ticket, "marked_as_spam")

    def admin_deletes_for_good(self, ticket_id: int) -> None:
        """An admin deletes a ticket and then its trace; its id stays, with status `deleted`."""
        with self.store.lock:
            actor = self.access.actor(BRIDGE)
            ticket = self.store.get("tickets", ticket_id)
            if ticket["status"] != "deleted":
                self.desk.delete(actor, ticket)
            self.desk.scrub(actor, ticket)

    def purge_runs(self) -> None:
        """Zendesk's own run: what was deleted 30 days ago is gone for good."""
        self.deletions.purge()

    def system_touches(self, ticket_id: int) -> None:
        """Zendesk changes something of its own: only an export tells, and `updated_at` stays."""
        self.desk.touch(self.store.ticket(ticket_id))

    def admin_deletes_organization(self, name: str) -> None:
        """An admin deletes an organisation; its people and tickets are of none.

        Raises:
            ValueError: there is none.
        """
        row = self.store.first("organizations", name=name)
        if row is None:
            raise ValueError(f"no organization {name!r}")
        self.deletions.organization(self.access.actor(ADMIN), row)

    def automation_runs(self) -> None:
        """Zendesk's hourly run: what was solved long enough ago is closed, after 28 days at most.

        "Long enough" is `close_solved_after`, which an admin may set to up to 28 days.
        """
        after = min(self.close_solved_after, LATEST_CLOSURE)
        self.desk.close_solved(after, self._automation)

    def ticket(self, ticket_id: int) -> Record:
        """The stored ticket itself.

        Raises:
            ApiError: 404, also for a deleted one.
        """
        return self.store.ticket(ticket_id)

    def is_archived(self, ticket: Record) -> bool:
        """Whether a ticket was closed so long ago that Zendesk keeps it elsewhere."""
        closed_at = self.store.tables["metric_sets"][ticket["id"]]["status_updated_at"]
        long_ago = bool(closed_at <= self.store.now() - self.archive_after)
        return ticket["status"] == "closed" and long_ago

    def _happened(self, event: Event) -> None:
        if event.kind != "System":
            self.rules.run(event, self.desk)
        self.webhooks.announce(event, self.shapes.events)

    def _opens(
        self, customer: str, subject: str, body: str, origin: Record, marked: Record | None = None
    ) -> int:
        spec, actor = {"subject": subject, "comment": {"body": body}}, self.access.actor(customer)
        return int(self.desk.create(actor, spec, origin, marked)["ticket_id"])

    def _agent_works(self, ticket_id: int, agent: str, **change: Any) -> None:
        with self.store.lock:
            if self.store.ticket(ticket_id)["assignee_id"] is None:
                change["assignee_id"] = self.access.actor(agent).id
            self.agent_sets(ticket_id, agent, **change)

    def _person(self, email: str, name: str = "") -> Record:
        """The user with that address; a stranger becomes a customer."""
        user = self.store.first("users", email=email.lower())
        return user or self.store.add_user(name or email.partition("@")[0], email)


def _mail(user: Record) -> Record:
    """The channel of a mail from that user."""
    sender: Record = {"address": user["email"], "name": user["name"]}
    sender["original_recipients"] = [user["email"], MAILBOX]
    return via("email", origin=sender, to={"address": MAILBOX, "name": "Support"})
