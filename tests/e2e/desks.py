"""What people do in a helpdesk and see of it, in the same words for every vendor."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from bridge.demo.scene import ZAMMAD, ZENDESK, Clock, Scene, Stand
from bridge.jobs import run_once
from bridge.sandbox import zammad, zendesk
from bridge.sandbox.faults import Call, Fault
from bridge.service.core import Bridge


@dataclass(frozen=True)
class Note:
    """What the bridge wrote on a ticket; `to` is whom the helpdesk mails it to.

    `markup` is what it looks like, where that is not plain text.
    """

    body: str
    internal: bool
    to: str = ""
    markup: str = ""


class Desk(ABC):
    """One helpdesk of a scene. Tickets are named by the ids that the helpdesk gives them."""

    stand: ClassVar[Stand]
    READ: ClassVar[tuple[str, str]]
    WRITE: ClassVar[tuple[str, str]]
    """The calls that read a ticket and that change one, as shell patterns."""
    NOT_FOUND: ClassVar[bytes]
    """What a ticket that is gone is answered with."""
    RIGHT: ClassVar[str]
    """What an admin is told to give the bridge where a call is forbidden."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.bridge: Bridge = scene.bridge
        self.clock: Clock = scene.clock
        self.name = self.stand.name
        self.settle: Callable[[], None] = scene.settle

    def wait(self, time: timedelta) -> None:
        """Let time pass, and all schedules run."""
        self.scene.wait(time)

    def fails(self, call: tuple[str, str], *, times: int = 1, **fault: Any) -> None:
        """The next calls of that kind fail."""
        self.box.model.faults.add(Fault(*call, **fault), times=times)

    def calls(self) -> list[str]:
        """The API calls since the last look: read, history, write, and others as they were."""
        made = [self._call(call) for call in self.box.model.calls]
        self.box.model.calls.clear()
        return made

    @property
    def box(self) -> zammad.ZammadSandbox | zendesk.ZendeskSandbox:
        return self.scene.boxes[self.name]

    def mails(self, sender: str, subject: str, text: str, name: str = "") -> int:
        """A mail that opens a ticket."""
        return self.box.model.customer_mails(sender, subject, text, name=name)

    def answers(self, ticket: int, text: str, *, close: bool = False) -> None:
        """An agent answers publicly."""
        self.box.model.agent_answers(ticket, text, close=close)

    def writes_internally(self, ticket: int, text: str) -> None:
        """An agent writes an internal note."""
        self.box.model.agent_notes(ticket, text)

    def merges(self, source: int, target: int) -> None:
        """An agent merges two tickets."""
        self.box.model.agent_merges(source, target)

    def adds(self, organization: str, *people: tuple[str, str], **place: str) -> int:
        """An admin adds an organisation with people, each a name and an address."""
        record = self.box.model.add_organization(organization, **place)
        for name, address in people:
            self.box.model.add_customer(name, address, organization)
        return record

    @abstractmethod
    def replies(self, ticket: int, text: str) -> int:
        """The customer answers by mail. The ticket that the answer is in."""

    @abstractmethod
    def closes(self, ticket: int) -> None:
        """An agent closes a ticket without a word."""

    @abstractmethod
    def gives(self, ticket: int, address: str) -> None:
        """An agent gives the ticket another requester, and with him another organisation."""

    @abstractmethod
    def types(self, ticket: int, name: str, value: int) -> None:
        """An agent writes into one of our fields by hand."""

    @abstractmethod
    def loses_field(self, name: str) -> None:
        """An admin deletes one of our fields."""

    @abstractmethod
    def touches(self, ticket: int) -> None:
        """An agent changes what is nothing to us."""

    @abstractmethod
    def shown(self, ticket: int, name: str) -> Any:
        """What an agent sees in one of our fields; None for an empty one."""

    @abstractmethod
    def notes(self, ticket: int) -> list[Note]:
        """What the bridge wrote on a ticket."""

    @abstractmethod
    def is_closed(self, ticket: int) -> bool:
        """Whether the helpdesk counts it as done."""

    @abstractmethod
    def is_pending(self, ticket: int) -> bool:
        """Whether it waits there."""

    @abstractmethod
    def _call(self, call: Call) -> str: ...


class ZammadDesk(Desk):
    stand = ZAMMAD
    READ = ("GET", "/api/v1/tickets/*")
    WRITE = ("PUT", "/api/v1/tickets/*")
    NOT_FOUND = b'{"error": "Couldn\'t find Ticket"}'
    RIGHT = "ticket.agent"

    @property
    def model(self) -> zammad.Zammad:
        return self.scene.zammad.model

    def replies(self, ticket: int, text: str) -> int:
        return self.model.customer_replies_by_mail(ticket, text)

    def closes(self, ticket: int) -> None:
        self.model.agent_closes(ticket)

    def gives(self, ticket: int, address: str) -> None:
        person = self.model.store.first("User", email=address)
        assert person
        self.model.agent_sets(ticket, customer_id=person["id"])

    def types(self, ticket: int, name: str, value: int) -> None:
        change: dict[str, Any] = {f"points_{name}": value}
        self.model.agent_sets(ticket, **change)

    def loses_field(self, name: str) -> None:
        self.model.attributes.drop("Ticket", f"points_{name}")

    def touches(self, ticket: int) -> None:
        self.model.agent_sets(ticket, priority_id=3)

    def shown(self, ticket: int, name: str) -> Any:
        value = self.model.ticket(ticket)[f"points_{name}"]
        return None if value == "" else value

    def notes(self, ticket: int) -> list[Note]:
        rows = self.model.store.tables["TicketArticle"].values()
        return [
            Note(row["body"], row["internal"], row["to"] or "", _markup(row))
            for row in rows
            if row["ticket_id"] == ticket and "points_bridge" in row["preferences"]
        ]

    def is_closed(self, ticket: int) -> bool:
        return self._state(ticket) == "closed"

    def is_pending(self, ticket: int) -> bool:
        return self._state(ticket) == "pending reminder"

    def _state(self, ticket: int) -> str:
        state = self.model.store.get("TicketState", self.model.ticket(ticket)["state_id"])
        return str(state["name"])

    def _call(self, call: Call) -> str:
        path = call.path.removeprefix("/api/v1/").rpartition("/")[0]
        known = {"GET tickets": "read", "GET ticket_history": "history", "PUT tickets": "write"}
        return known.get(f"{call.method} {path}", f"{call.method} {call.path}")


class ZendeskDesk(Desk):
    """Solved counts as closed; what is closed for good is answered by a follow-up ticket."""

    stand = ZENDESK
    READ = ("GET", "/api/v2/tickets/?.json")
    WRITE = ("PUT", "/api/v2/tickets/*")
    NOT_FOUND = b'{"error": "RecordNotFound", "description": "Not found"}'
    RIGHT = "tickets:write"

    @property
    def model(self) -> zendesk.Zendesk:
        return self.scene.zendesk.model

    def wait(self, time: timedelta) -> None:
        """As ever, and Zendesk closes for good what was solved four days ago."""
        self.clock.move(time)
        self.model.automation_runs()
        run_once(self.bridge)
        self.settle()

    def replies(self, ticket: int, text: str) -> int:
        return self.model.customer_replies(ticket, text)

    def closes(self, ticket: int) -> None:
        self.model.agent_solves(ticket)

    def gives(self, ticket: int, address: str) -> None:
        self.model.agent_sets(ticket, requester_id=self.model.store.user(address)["id"])

    def types(self, ticket: int, name: str, value: int) -> None:
        field = {"id": self._fields()[f"points_{name}"], "value": value}
        self.model.agent_sets(ticket, custom_fields=[field])

    def loses_field(self, name: str) -> None:
        self.model.fields.delete(self._fields()[f"points_{name}"])

    def touches(self, ticket: int) -> None:
        self.model.agent_sets(ticket, priority="high")

    def shown(self, ticket: int, name: str) -> Any:
        """An option is a tag that says whose it is; days and times are texts."""
        key = self._fields()[f"points_{name}"]
        value = self.model.ticket(ticket).get(f"custom_fields_{key}")
        if name in {"next_expiry", "free_reopen_until"} and value:
            return date.fromisoformat(value)
        if name == "response_due" and value:
            return datetime.fromisoformat(value.rpartition(" ")[0]).astimezone(UTC)
        return value.removeprefix(f"points_{name}_") if isinstance(value, str) else value

    def notes(self, ticket: int) -> list[Note]:
        ours = self.model.store.user(zendesk.BRIDGE)["id"]
        requester = self.model.store.get("users", self.model.ticket(ticket)["requester_id"])
        return [
            Note(
                row["body"],
                not row["public"],
                requester["email"] if row["public"] else "",
                row["html_body"],
            )
            for row in self.model.store.of_ticket("comments", ticket)
            if row["author_id"] == ours
        ]

    def is_closed(self, ticket: int) -> bool:
        return self.model.ticket(ticket)["status"] in {"solved", "closed"}

    def is_pending(self, ticket: int) -> bool:
        return bool(self.model.ticket(ticket)["status"] == "pending")

    def _fields(self) -> dict[str, int]:
        rows = self.model.store.tables["ticket_fields"].values()
        return {row["title"]: row["id"] for row in rows}

    def _call(self, call: Call) -> str:
        path = call.path.removeprefix("/api/v2/").removesuffix(".json")
        match call.method, path.split("/"):
            case "GET", ["tickets", _]:
                return "read"
            case "GET", ["tickets", _, "audits"]:
                return "history"
            case "PUT", ["tickets", _]:
                return "write"
        return f"{call.method} {call.path}"


def _markup(article: dict[str, Any]) -> str:
    return "" if article["content_type"] == "text/plain" else str(article["body"])


DESKS: tuple[type[Desk], ...] = (ZammadDesk, ZendeskDesk)
