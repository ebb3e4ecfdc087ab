"""How records look from outside: in API answers, as assets, and in a webhook's body."""

from collections.abc import Callable, Iterable
from datetime import datetime

from bridge.sandbox.zammad import seed
from bridge.sandbox.zammad.records import Record, dumps
from bridge.sandbox.zammad.store import Store

_TICKET_NAMES = (
    # key, table, column
    ("group", "Group", "group_id"),
    ("organization", "Organization", "organization_id"),
    ("state", "TicketState", "state_id"),
    ("priority", "TicketPriority", "priority_id"),
    ("owner", "User", "owner_id"),
    ("customer", "User", "customer_id"),
)
_PRIVATE = frozenset(
    {"last_login", "login_failed", "preferences", "group_ids", "authorization_ids"}
)
_EMBEDDED = {
    # key in a webhook's ticket: table, column
    "group": ("Group", "group_id"),
    "organization": ("Organization", "organization_id"),
    "priority": ("TicketPriority", "priority_id"),
    "owner": ("User", "owner_id"),
    "customer": ("User", "customer_id"),
    "created_by": ("User", "created_by_id"),
    "updated_by": ("User", "updated_by_id"),
}


class Views:
    """Renders records, without changing them.

    Zammad caches what a record looks like until the record changes, or, of an organisation, one of
    its tickets: one that was read before a migration does not show the new columns.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cached: dict[tuple[str, int], tuple[datetime, frozenset[str]]] = {}

    def ticket(self, ticket: Record) -> Record:
        """A ticket with the ids of its articles, as PUT, POST and assets show it."""
        ids = [row["id"] for row in self._store.articles(ticket["id"])]
        shown = self._as_cached("Ticket", ticket, ticket["updated_at"])
        return shown | {"article_ids": ids, "ticket_time_accounting_ids": []}

    def ticket_expanded(self, ticket: Record) -> Record:
        """A ticket with the names beside the ids, as `expand=true` shows it."""
        names: Record = {"ticket_time_accounting": []}
        for key, table, column in _TICKET_NAMES:
            if ticket[column] is not None:
                names[key] = self._store.label(table, ticket[column])
        names |= self._signatures(ticket)
        if ticket["create_article_type_id"] is not None:
            names["create_article_type"] = seed.ARTICLE_TYPES[ticket["create_article_type_id"]]
            names["create_article_sender"] = seed.SENDERS[ticket["create_article_sender_id"]]
        return self.ticket(ticket) | names

    def article(self, article: Record) -> Record:
        """An article with its names, as every answer about articles shows it."""
        return self._article_asset(article) | self._article_names(article)

    def user(self, user: Record) -> Record:
        """A user; a customer's preferences count the tickets."""
        mine = [
            row for row in self._store.tables["Ticket"].values() if row["customer_id"] == user["id"]
        ]
        if not mine:
            return dict(user)
        done = sum(row["state_id"] in {seed.CLOSED, seed.MERGED} for row in mine)
        counts = {"tickets_closed": done, "tickets_open": len(mine) - done}
        return user | {"preferences": user["preferences"] | counts}

    def user_expanded(self, user: Record) -> Record:
        """A user with the names beside the ids (recording 498)."""
        names = self._user_names(user) | {"authorizations": []}
        names["groups"] = {
            self._store.label("Group", int(key)): access
            for key, access in user["group_ids"].items()
        }
        return self.user(user) | names | self._signatures(user)

    def organization(self, organization: Record) -> Record:
        """An organisation with the ids of its members."""
        tickets = self._store.tables["Ticket"].values()
        mine = (row for row in tickets if row["organization_id"] == organization["id"])
        touched = max(row["updated_at"] for row in (organization, *mine))
        return self._as_cached("Organization", organization, touched) | {
            "member_ids": [row["id"] for row in self._members(organization)],
            "secondary_member_ids": [
                row["id"]
                for row in self._store.tables["User"].values()
                if organization["id"] in row["organization_ids"]
            ],
        }

    def organization_expanded(self, organization: Record) -> Record:
        """An organisation with the logins of its members (recording 013)."""
        names = {"members": [row["login"] for row in self._members(organization)]}
        return self.organization(organization) | names | self._signatures(organization)

    def group(self, group: Record) -> Record:
        """A group with the ids of its agents."""
        return group | {"user_ids": sorted(row["id"] for row in self.agents(group["id"]))}

    def agents(self, group_id: int) -> list[Record]:
        """The users who work in a group, by login."""
        users = self._store.tables["User"].values()
        found = [row for row in users if str(group_id) in row["group_ids"]]
        return sorted(found, key=lambda row: str(row["login"]))

    def everything(self, ticket: Record) -> Record:
        """A ticket with all that belongs to it, as `all=true` shows it (recording 035)."""
        agents = (row for row in self._store.tables["User"].values() if row["group_ids"])
        assets = self.assets([ticket], self._store.articles(ticket["id"]), agents)
        priorities = self._store.tables["TicketPriority"]
        assets["TicketPriority"] = {str(key): row for key, row in priorities.items()}
        return {
            "ticket_id": ticket["id"],
            "ticket_article_ids": [row["id"] for row in self._store.articles(ticket["id"])],
            "assets": assets,
            "links": self.links(ticket["id"])["links"],
            "tags": [],
            "mentions": [],
            "form_meta": {},
        }

    def history(self, ticket: Record) -> Record:
        """A ticket's history, oldest first, and everybody who is in it (recordings 274, 497)."""
        rows = self._store.history[ticket["id"]]
        articles, users = self._store.articles(ticket["id"]), self._store.tables["User"]
        authors = [users[key] for key in _values(rows, "created_by_id") if key in users]
        return {"history": rows, "assets": self.assets([ticket], articles, authors)}

    def links(self, ticket_id: int) -> Record:
        """A ticket's links, seen from that ticket (recordings 125, 133)."""
        inverse = {"parent": "child", "child": "parent"}
        seen = [
            (inverse.get(kind, kind), other)
            for kind, one, other in self._store.links
            if one == ticket_id
        ]
        seen += [(kind, one) for kind, one, other in self._store.links if other == ticket_id]
        tickets = self._store.tables["Ticket"]
        links = [
            {"link_type": kind, "link_object": "Ticket", "link_object_value": value}
            for kind, value in seen
        ]
        others = [tickets[value] for _, value in seen if value in tickets]
        return {"links": links, "assets": self.assets(others) if links else {}}

    def assets(
        self,
        tickets: Iterable[Record],
        articles: Iterable[Record] = (),
        users: Iterable[Record] = (),
    ) -> Record:
        """These records with all that they refer to, by table and id.

        Organisations come with their members, users with all their organisations, and groups with
        those who signed them (recordings 450, 523).
        """
        table = self._store.tables
        shown = {"Ticket": _values(tickets, "id"), "TicketArticle": _values(articles, "id")}
        rows = [table[name][row_id] for name, ids in shown.items() for row_id in ids]
        people = _values(rows, "owner_id", "customer_id", "created_by_id", "updated_by_id")
        people |= _values(users, "id")
        known = [table["User"][row_id] for row_id in people if row_id in table["User"]]
        companies = _values([*rows, *known], "organization_id")
        companies |= {key for row in known for key in row["organization_ids"]}
        known += [row for row in table["User"].values() if row["organization_id"] in companies]
        groups = _groups(known) | _values(rows, "group_id")
        signed = _values((table["Group"][key] for key in groups), "created_by_id", "updated_by_id")
        known += [table["User"][key] for key in signed]
        shown |= {
            "User": _values(known, "id"),
            "Organization": companies,
            "Role": {role for row in known for role in row["role_ids"]},
            "Group": groups | _groups(known),
        }
        return {
            name: {str(row_id): self._asset(name, table[name][row_id]) for row_id in sorted(ids)}
            for name, ids in shown.items()
            if ids
        }

    def _asset(self, table: str, row: Record) -> Record:
        shape: dict[str, Callable[[Record], Record]] = {
            "Ticket": self.ticket,
            "TicketArticle": self._article_asset,
            "User": self.user,
            "Organization": self.organization,
            "Group": self.group,
        }
        return shape.get(table, dict)(row)

    def webhook_body(self, ticket: Record, article: Record | None) -> bytes:
        """A webhook's default body, from the records as they are now."""
        shown = self.ticket_expanded(ticket)
        for key, (table, column) in _EMBEDDED.items():
            row = self._store.tables[table].get(ticket[column] or 0)
            shown[key] = {} if row is None else self._embedded(table, row)
        body: Record = {"ticket": dict(sorted(shown.items())), "article": {}}
        if article is not None:
            body["article"] = self._article_body(article)
        return dumps(body).encode()

    def _article_body(self, article: Record) -> Record:
        shown = self.article(article)
        place = f"{article['ticket_id']}/{article['id']}"
        url = f"https://{self._store.settings['fqdn']}/api/v1/ticket_attachment/{place}"
        shown["attachments"] = [
            file | {"url": f"{url}/{file['id']}"} for file in shown["attachments"]
        ]
        for key in ("created_by", "updated_by"):
            user = self._store.get("User", article[f"{key}_id"])
            shown[key] = self._embedded("User", user)
        return dict(sorted(shown.items())) | {"accounted_time": 0.0}

    def _embedded(self, table: str, row: Record) -> Record:
        """A record inside a webhook's body: names beside ids, nothing private."""
        shown = row | self._signatures(row)
        if table == "User":
            shown |= self._user_names(row)
        elif table == "Organization":
            shown |= self.organization_expanded(row)
        elif table == "Group":
            shown |= self.group(row)
            shown["users"] = [agent["login"] for agent in self.agents(row["id"])]
            if row["signature_id"] is not None:
                shown["signature"] = "default"
        return {key: value for key, value in sorted(shown.items()) if key not in _PRIVATE}

    def _user_names(self, user: Record) -> Record:
        secondary = [self._store.label("Organization", key) for key in user["organization_ids"]]
        names: Record = {"organizations": secondary, "overview_sortings": []}
        names["roles"] = [self._store.label("Role", role) for role in user["role_ids"]]
        if user["organization_id"] is not None:
            names["organization"] = self._store.label("Organization", user["organization_id"])
        return names

    def _article_asset(self, article: Record) -> Record:
        return {**article, "attachments": list(self._store.attachments.get(article["id"], ()))}

    def _article_names(self, article: Record) -> Record:
        names = self._signatures(article)
        names["type"] = seed.ARTICLE_TYPES[article["type_id"]]
        names["sender"] = seed.SENDERS[article["sender_id"]]
        if article["origin_by_id"] is not None:
            names["origin_by"] = self._store.label("User", article["origin_by_id"])
        return names

    def _signatures(self, row: Record) -> Record:
        keys = ("created_by", "updated_by")
        return {key: self._store.label("User", row[f"{key}_id"]) for key in keys}

    def _as_cached(self, table: str, row: Record, changed: datetime) -> Record:
        key = (table, row["id"])
        if key not in self._cached or self._cached[key][0] != changed:
            self._cached[key] = changed, frozenset(row)
        columns = self._cached[key][1]
        return {name: value for name, value in row.items() if name in columns}

    def _members(self, organization: Record) -> list[Record]:
        users = self._store.tables["User"].values()
        return [row for row in users if row["organization_id"] == organization["id"]]


def _groups(users: Iterable[Record]) -> set[int]:
    return {int(group) for row in users for group in row["group_ids"]}


def _values(rows: Iterable[Record], *keys: str) -> set[int]:
    return {row[key] for row in rows for key in keys if row.get(key) is not None}
