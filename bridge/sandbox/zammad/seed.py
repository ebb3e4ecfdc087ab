"""A freshly set up Zammad, with the ids of the recordings: states, groups, roles, users."""

from collections.abc import Iterable
from datetime import datetime

from bridge.sandbox.zammad.records import Record

ADMIN = "admin@example.com"
BRIDGE = "bridge@example.com"
AGENT = "agent@example.com"
MAILBOX = "support@example.com"

ARTICLE_TYPES = {1: "email", 2: "sms", 3: "chat", 4: "fax", 5: "phone", 10: "note", 11: "web"}
COMMUNICATION = frozenset({"email", "sms", "chat", "fax", "phone", "web"})
SENDERS = {1: "Agent", 2: "Customer", 3: "System"}

NEW, OPEN, CLOSED, MERGED = 1, 2, 4, 5
STATE_TYPES = {
    1: "new",
    2: "open",
    3: "pending reminder",
    4: "pending action",
    5: "closed",
    6: "merged",
    7: "removed",
}
_STATES = (
    # id, state_type_id, name, next_state_id
    (1, 1, "new", None),
    (2, 2, "open", None),
    (3, 3, "pending reminder", None),
    (4, 5, "closed", None),
    (5, 6, "merged", None),
    (6, 7, "removed", None),
    (7, 4, "pending close", 4),
)

PERMISSIONS = {
    1: frozenset({"admin"}),
    2: frozenset({"ticket.agent"}),
    3: frozenset({"ticket.customer"}),
}
_ROLES = (
    # id, name, note, permission_ids
    (1, "Admin", "To configure your system.", [1, 43, 55, 65]),
    (2, "Agent", "To work on Tickets.", [43, 57, 60, 62, 66]),
    (3, "Customer", "People who create Tickets ask for help.", [44, 47, 48, 50, 54, 58]),
)

RESERVED_IDS = {
    "Ticket": 1,
    "TicketArticle": 1,
    "Attribute": 53,
    "Trigger": 3,
    "CoreWorkflow": 5,
    "Macro": 1,
}
"""Ids that the installation has used up: a welcome ticket, built-in attributes, idle triggers and
a macro."""

_AUTO_REPLY = {
    "ticket.action": {"operator": "is", "value": "create"},
    "ticket.state_id": {"operator": "is not", "value": 4},
    "article.type_id": {"operator": "is", "value": [1, 5, 11]},
    "article.sender_id": {"operator": "is", "value": 2},
}
_AUTO_REPLY_MAIL = {
    "recipient": "article_last_sender",
    "subject": "Thanks for your inquiry (#{ticket.title})",
    "body": "<div>Your request has been received and will be reviewed.</div>",
}


def settings() -> Record:
    """What an admin may set for the whole system.

    `postmaster_follow_up_search_in` may hold `references`, `body` and `attachment`; `mailbox`
    stands for the address that every group with one sends from. `webhook_hosts_must_resolve` is no
    setting of Zammad's, but what tells 7.3 from 5.5: a delivery to a host whose name does not
    resolve is dropped there, without another attempt.
    """
    return {
        "fqdn": "zammad.example",
        "mailbox": f"Support <{MAILBOX}>",
        "postmaster_follow_up_search_in": [],
        "webhook_hosts_must_resolve": False,
        "postmaster_sender_is_agent_search_for_customer": True,
    }


def tables(now: datetime) -> dict[str, list[Record]]:
    """Every table with what an installation holds at first."""
    return {
        "TicketState": _rows(now, map(_state, _STATES)),
        "TicketPriority": _rows(
            now, map(_priority, ((1, "1 low"), (2, "2 normal"), (3, "3 high")))
        ),
        "Group": _rows(now, _groups()),
        "Role": _rows(now, map(_role, _ROLES)),
        "User": _rows(now, _users()),
        "Organization": _rows(now, [{"id": 1, **organization("Zammad Foundation")}]),
        "Webhook": [],
        "Trigger": _rows(now, [_auto_reply()]),
        "CoreWorkflow": [],
        "Overview": [],
        "Calendar": [],
        "Sla": [],
        "Macro": [],
        "Ticket": [],
        "TicketArticle": [],
        "Attribute": [],
    }


def _rows(now: datetime, rows: Iterable[Record]) -> list[Record]:
    stamps = {"updated_by_id": 1, "created_by_id": 1, "created_at": now, "updated_at": now}
    return [row | stamps for row in rows]


def _state(row: tuple[int, int, str, int | None]) -> Record:
    state_id, type_id, name, next_id = row
    return {
        "id": state_id,
        "state_type_id": type_id,
        "name": name,
        "next_state_id": next_id,
        "ignore_escalation": name not in {"new", "open"},
        "default_create": name == "new",
        "default_follow_up": name == "open",
        "note": None,
        "active": name != "removed",
    }


def _priority(row: tuple[int, str]) -> Record:
    priority_id, name = row
    icons = {1: ("low-priority", "low-priority"), 3: ("important", "high-priority")}
    icon, color = icons.get(priority_id, (None, None))
    return {
        "id": priority_id,
        "name": name,
        "default_create": priority_id == 2,
        "ui_icon": icon,
        "ui_color": color,
        "note": None,
        "active": True,
    }


def _groups() -> list[Record]:
    shared = {
        "assignment_timeout": None,
        "follow_up_possible": "yes",
        "reopen_time_in_days": None,
        "follow_up_assignment": True,
        "active": True,
        "shared_drafts": True,
    }
    users = {"id": 1, "signature_id": 1, "email_address_id": 1, "name": "Users"}
    second = {"id": 2, "signature_id": None, "email_address_id": None, "name": "Second Level"}
    return [
        users | shared | {"note": "Standard Group/Pool for Tickets."},
        second | shared | {"note": None},
    ]


def _role(row: tuple[int, str, str, list[int]]) -> Record:
    role_id, name, note, permission_ids = row
    return {
        "id": role_id,
        "name": name,
        "preferences": {},
        "default_at_signup": name == "Customer",
        "active": True,
        "note": note,
        "permission_ids": permission_ids,
        "knowledge_base_permission_ids": [],
        "group_ids": {},
    }


def user(firstname: str, lastname: str, email: str) -> Record:
    """The fields of a new user, without an id."""
    texts = dict.fromkeys(["web", "phone", "fax", "mobile", "street", "zip", "city", "country"], "")
    absent = ["out_of_office_start_at", "out_of_office_end_at", "out_of_office_replacement_id"]
    return {
        "organization_id": None,
        "login": email,
        "firstname": firstname,
        "lastname": lastname,
        "email": email,
        **dict.fromkeys(["image", "image_source", "department", "address"]),
        **texts,
        "vip": False,
        "verified": False,
        "active": True,
        "note": "",
        "last_login": None,
        "source": None,
        "login_failed": 0,
        "out_of_office": False,
        **dict.fromkeys(absent),
        "preferences": {},
        "role_ids": [3],
        "organization_ids": [],
        "authorization_ids": [],
        "overview_sorting_ids": [],
        "group_ids": {},
    }


def notification_config() -> Record:
    """What a new agent hears of, and how: by mail and online (recording 289)."""
    every = {"owned_by_me": True, "owned_by_nobody": True, "subscribed": True, "no": False}
    mine = dict.fromkeys(every, False) | {"owned_by_me": True}
    wanted = {"create": every, "update": every, "reminder_reached": mine, "escalation": mine}
    return {
        "matrix": {
            kind: {"criteria": dict(criteria), "channel": {"email": True, "online": True}}
            for kind, criteria in wanted.items()
        }
    }


def _agent(firstname: str, email: str, roles: list[int], groups: Record) -> Record:
    lastname = {ADMIN: "Admin", BRIDGE: "Bridge", AGENT: "Agent"}[email]
    hears = {"preferences": {"notification_config": notification_config()}}
    return user(firstname, lastname, email) | hears | {"role_ids": roles, "group_ids": groups}


def _users() -> list[Record]:
    both, first = {"1": ["full"], "2": ["full"]}, {"1": ["full"]}
    system = user("-", "", "") | {"login": "-", "active": False, "role_ids": []}
    return [
        {"id": 1, **system, "department": "", "address": ""},
        {"id": 2, **user("Nicole", "Braun", "nicole.braun@zammad.example"), "organization_id": 1},
        {"id": 3, **_agent("Ada", ADMIN, [1, 2], both)},
        {"id": 4, **_agent("Points", BRIDGE, [1, 2], both)},
        {"id": 5, **_agent("Alan", AGENT, [2], first)},
    ]


def organization(name: str) -> Record:
    """The fields of a new organisation, without an id."""
    return {
        "name": name,
        "shared": True,
        "domain": "",
        "domain_assignment": False,
        "active": True,
        "note": "",
    }


def _auto_reply() -> Record:
    return {
        "id": 1,
        "name": "auto reply (on new tickets)",
        "condition": _AUTO_REPLY,
        "perform": {"notification.email": _AUTO_REPLY_MAIL},
        "disable_notification": True,
        "note": None,
        "active": True,
    }
