"""A real Zammad's second day, played again: its helpdesk, its recordings, what lay between."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.sandbox.zammad import ADMIN, AGENT, BRIDGE, Token, Zammad, ZammadSandbox
from bridge.sandbox.zammad.mails import compose
from bridge.sandbox.zammad.seed import notification_config, user

from .conftest import Clock, Json, Receiver

RECORDINGS = Path(__file__).with_name("recordings") / "second"
CARLA, DORA, BOB, NORA = (
    *("carla@acme.example", "dora@acme.example"),
    *("bob@beta.example", "nora@private.example"),
)
ROWS: list[Json] = [
    row
    for file in sorted(RECORDINGS.glob("[1-9]_*.json"))
    for row in json.loads(file.read_text("utf-8"))
]
TOKENS = {"admin": Token.ADMIN, "agent": Token.AGENT, "bridge": Token.BRIDGE}
DATATYPES: dict[str, tuple[str, Json]] = {
    "points_state": ("select", {"default": "", "options": {"charged": "charged"}}),
    "points_charged": ("integer", {"default": 0, "min": 0, "max": 100_000}),
    "points_balance": ("integer", {"default": 0, "min": 0, "max": 100_000}),
    "points_next_expiry": ("date", {}),
    "points_response_due": ("datetime", {}),
    "points_sla_state": (
        "select",
        {"default": "", "options": {"running": "running", "met": "met"}},
    ),
    "points_free_reopen_until": ("date", {}),
    "points_link": ("input", {"default": "", "maxlength": 250}),
    "points_note": ("input", {"default": "", "maxlength": 250}),
}


def number(row: Json) -> str:
    return f"{row['recording']:03d}"


# --- the helpdesk of that day --------------------------------------------------------------


def conditions() -> dict[str, Json]:
    def row(name: str, operator: str, value: Json) -> Json:
        return {"name": name, "operator": operator, "value": value}

    def every(*rows: Json) -> Json:
        return {"operator": "AND", "conditions": [update, *rows]}

    update = row("ticket.action", "is", "update")
    others = row("ticket.updated_by_id", "is not", ["4"]) | {"pre_condition": "specific"}
    public = row("article.internal", "is", "false")
    ours = {
        "created": {"ticket.action": {"operator": "is", "value": "create"}},
        "state changed": every(row("ticket.state_id", "has changed", []), others),
        "customer changed": every(row("ticket.customer_id", "has changed", []), others),
        "customer article": every(row("article.sender_id", "is", ["2"]), public, others),
        "agent article": every(row("article.sender_id", "is", ["1"]), public, others),
    }
    changed = {"ticket.organization_id": {"operator": "has changed"}}
    theirs = {"zzz any update": {"ticket.action": {"operator": "is", "value": "update"}}}
    theirs["zzz organization changed"] = changed
    return {f"zz-points-bridge: {name}": value for name, value in ours.items()} | theirs


def set_up(box: ZammadSandbox) -> None:
    model, by = box.model, 3
    store, agents = model.store, {key: ["full"] for key in "1234"}
    store.settings |= {
        "fqdn": "helpdesk.example.com",
        "mailbox": "Example Support <support@example.com>",
    }
    stamps = {"created_by_id": 1, "updated_by_id": 1, "created_at": store.now()}
    stamps["updated_at"] = store.now()
    store.get("Group", 2)["name"] = "Internal IT"
    policies = {3: "new_ticket", 4: "new_ticket_after_certain_time"}
    for key, name in ((3, "New ticket group"), (4, "After time group")):
        change = {"id": key, "name": name, "note": None, "signature_id": None}
        box.load("Group", store.get("Group", 1) | change | {"follow_up_possible": policies[key]})
    store.get("Group", 4)["reopen_time_in_days"] = 30
    for login in (ADMIN, BRIDGE, AGENT):
        model.access.actor(login).user["group_ids"] = agents
    model.access.actor(BRIDGE).user["role_ids"] = [2]
    second = user("Anna", "Agent", "agent2@example.com") | {"role_ids": [2], "group_ids": agents}
    hears = {"preferences": {"notification_config": notification_config()}}
    box.load("User", {"id": 6, **second, **hears, **stamps})
    model.add_organization("Acme GmbH", domain="acme.example", domain_assignment=True)
    model.add_organization("Beta Ltd")
    model.add_customer("Carla Customer", CARLA, "Acme GmbH")
    model.add_customer("Dora Customer", DORA, "Acme GmbH")
    model.add_customer("Bob Customer", BOB, "Beta Ltd")
    model.add_customer("Nora Nobody", NORA)
    for name, (data_type, option) in DATATYPES.items():
        spec = {"object": "Ticket", "name": name, "data_type": data_type, "data_option": option}
        model.attributes.create(spec, by)
    model.attributes.migrate()
    hook = model.triggers.create("Webhook", {"name": "x", "endpoint": "http://bridge.example/"}, by)
    perform = {"notification.webhook": {"webhook_id": hook["id"]}}
    for name, condition in conditions().items():
        spec = {"name": name, "condition": condition, "perform": perform}
        model.triggers.create("Trigger", spec, by)


# --- playing -------------------------------------------------------------------------------


@dataclass
class Replay:
    """The recordings played against one sandbox, in their order."""

    box: ZammadSandbox
    clock: Clock
    receiver: Receiver
    answers: dict[str, Json] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    bodies: dict[str, Json] = field(default_factory=dict)
    unrecorded: Counter[tuple[str, int]] = field(default_factory=Counter)

    def play(self) -> None:
        for row in ROWS:
            if "trigger" in row:
                self._claim(row)
                continue
            self._left_over()
            if "does" in row:
                Steps(self.box.model, self.at)(row)
            elif "path" in row:
                self._call(row)
            else:
                self._mail(row)
            self.box.webhooks.drain()
            if row.get("does", "scheduler runs") != "scheduler runs" or row.get("unheard"):
                self.receiver.requests.clear()
        self._left_over()

    def _left_over(self) -> None:
        """Deliveries that no recording claimed; those of `zzz …` were not all kept."""
        for request in self.receiver.requests:
            trigger, ticket_id = label(request.headers, request.body)
            if not trigger.startswith("zzz"):
                self.unrecorded[trigger, ticket_id] += 1
        self.receiver.requests.clear()

    def _call(self, row: Json) -> None:
        response = self.box.app.test_client().open(
            row["path"],
            method=row["method"],
            json=row["body"],
            headers={"Authorization": f"Token token={TOKENS[row['as']]}"},
        )
        self.statuses[number(row)] = response.status_code
        plain = response.mimetype == "message/rfc822"
        failed = response.mimetype == "text/html"
        text = response.get_data()
        self.answers[number(row)] = None if failed else text.decode() if plain else json.loads(text)

    def _mail(self, row: Json) -> None:
        model = self.box.model
        self.at(datetime.fromtimestamp(sent_at(row["mail"]), UTC))
        raw, group_id = row["mail"].encode(), row.get("group_id", 1)
        ticket_id = model.mailbox.receive(raw, group_id, channel_id=3)
        if ticket_id is None:
            self.answers[number(row)] = {"ticket": None}
            return
        ticket = model.ticket(ticket_id)
        arrived = (row for row in model.store.articles(ticket_id) if row["sender_id"] != 3)
        *_, article = arrived
        author = model.store.get("User", article["created_by_id"])
        names = model.views.ticket_expanded(ticket)
        shown = {key: names.get(key) for key in ("state", "group", "customer", "organization")}
        self.answers[number(row)] = shown | {
            "ticket": ticket_id,
            "number": ticket["number"],
            "title": ticket["title"],
            "article": article["id"],
            "article_sender": model.views.article(article)["sender"],
            "article_preferences": article["preferences"],
            "article_created_by": author["login"],
        }

    def _claim(self, row: Json) -> None:
        """Take the first delivery of the recorded trigger about the recorded ticket."""
        wanted = row["trigger"], row["ticket"]["id"]
        for request in self.receiver.requests:
            if label(request.headers, request.body) == wanted:
                self.receiver.requests.remove(request)
                self.bodies[number(row)] = json.loads(request.body)
                return

    def at(self, moment: datetime) -> None:
        """Time passes, and never goes back."""
        self.clock.now = max(self.clock.now, moment)


def label(headers: Json, body: bytes) -> tuple[str, int]:
    return dict(headers)["X-Zammad-Trigger"], json.loads(body)["ticket"]["id"]


def sent_at(mail: str) -> int:
    """The moment of a mail: it is in its id, or in its date."""
    found = re.search(r"Message-ID: <.*\.(\d{10})\.", mail)
    return int(found[1]) if found else 0


class Steps:
    """What happened between the recordings: one method for each that `does` names."""

    def __init__(self, model: Zammad, at: Callable[[datetime], None]) -> None:
        self._model = model
        self._at = at

    def __call__(self, row: Json) -> None:
        getattr(self, re.sub(r"\W", "_", row["does"]))(row)

    def mails(self, row: Json) -> None:
        who = f"{row['who']}@{'beta' if row['who'] == 'bob' else 'acme'}.example"
        name = f"{row['who'].title()} Customer"
        to = "Example Support <support@example.com>"
        raw = compose((name, who), to, row["subject"], "Hello\n")
        self._model.mailbox.receive(raw, row["group_id"], channel_id=3)

    def answers(self, row: Json) -> None:
        article = {"type": "email", "to": CARLA, "subject": "your request", "body": "Try."}
        article |= {key: row[key] for key in row if key == "message_id"}
        self._model.agent_sets(row["ticket"], article=article)

    def closes(self, row: Json) -> None:
        self._model.agent_closes(row["ticket"])

    def closed_days_ago(self, row: Json) -> None:
        ticket = self._model.ticket(row["ticket"])
        for key in ("close_at", "last_close_at"):
            ticket[key] -= timedelta(days=row["days"])

    def logs_phone(self, row: Json) -> None:
        article = {"type": "phone", "sender": "Customer", "subject": "x", "body": "Text"}
        spec = {"title": row["title"], "group_id": 1, "customer": NORA, "article": article}
        self._model.desk.create(self._model.access.actor(AGENT), spec)

    def sets(self, row: Json) -> None:
        login = {4: BRIDGE, 5: AGENT}[row["by"]]
        self._model.agent_sets(row["ticket"], login, **row["change"])

    def scheduler_runs(self, row: Json) -> None:
        self._at(datetime.fromisoformat(row["at"]))
        self._model.scheduler_runs()

    def renames(self, row: Json) -> None:
        self._model.store.get("Organization", row["organization"])["name"] = row["name"]

    def moves(self, row: Json) -> None:
        self._model.admin_moves_person(row["who"], row["to"])

    def searches_follow_ups_in(self, row: Json) -> None:
        self._model.store.settings["postmaster_follow_up_search_in"] = row["places"]

    def switches_off(self, row: Json) -> None:
        self._trigger(row["name"])["active"] = False

    def follow_ups_are_answered(self, _row: Json) -> None:
        first = self._trigger("auto reply (on new tickets)")
        update = {"ticket.action": {"operator": "is", "value": "update"}}
        mail = first["perform"]["notification.email"]
        mail = mail | {"subject": "Thanks for your follow-up (#{ticket.title})"}
        spec = {"name": "auto reply (on follow-ups)", "condition": first["condition"] | update}
        self._model.triggers.create("Trigger", spec | {"perform": {"notification.email": mail}}, 3)

    def _trigger(self, name: str) -> Json:
        trigger = self._model.store.first("Trigger", name=name)
        assert trigger is not None
        return trigger
