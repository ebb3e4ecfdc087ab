"""The database of the stand-in: tables of records, ids, times and the history of tickets."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

from bridge.sandbox.deliveries import Clock
from bridge.sandbox.zammad import seed
from bridge.sandbox.zammad.mime import Attachment
from bridge.sandbox.zammad.records import ApiError, Record, as_moment

SYSTEM = 1
"""The id of the user `-`, in whose name Zammad itself acts."""


class Store:
    """Every table by its name in Zammad's assets. Hold `lock` while reading or writing.

    Args:
        clock: the present, as an aware datetime; a demo may move it.

    Attributes:
        settings: what an admin sets for the whole system, by Zammad's names where it has one.
        raw_mails: the mails that came in and went out, by the ids of their articles.
        attachments: what the API shows of the files of an article, by its id.
        files: what is in those files, by their own ids.
    """

    def __init__(self, clock: Clock) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self._last_ids: defaultdict[str, int] = defaultdict(int)
        self.history: defaultdict[int, list[Record]] = defaultdict(list)
        self.links: list[tuple[str, int, int]] = []
        self.settings: Record = seed.settings()
        self.raw_mails: dict[int, bytes] = {}
        self.attachments: defaultdict[int, list[Record]] = defaultdict(list)
        self.files: dict[int, bytes] = {}
        self.tables: dict[str, dict[int, Record]] = {
            name: {int(row["id"]): row for row in rows}
            for name, rows in seed.tables(self.now()).items()
        }
        for name, table in self.tables.items():
            self._last_ids[name] = max([seed.RESERVED_IDS.get(name, 0), *table])

    def now(self) -> datetime:
        """The present in UTC, cut to Zammad's milliseconds."""
        moment = self.clock().astimezone(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def insert(self, table: str, fields: Mapping[str, object], by: int) -> Record:
        """Store a new record with the next id, in the name of the user `by`."""
        now = self.now()
        self._last_ids[table] += 1
        row: Record = {"id": self._last_ids[table], **fields}
        row |= {"updated_by_id": by, "created_by_id": by, "created_at": now, "updated_at": now}
        self.tables[table][row["id"]] = row
        return row

    def attach(self, article_id: int, attachment: Attachment) -> None:
        """Store a file of an article; the size is a text in Zammad (recording 327)."""
        self._last_ids["Store"] += 1
        row: Record = {"id": self._last_ids["Store"], "store_file_id": self._last_ids["Store"]}
        row |= {"filename": attachment.filename, "size": str(len(attachment.content))}
        self.attachments[article_id].append(row | {"preferences": attachment.preferences})
        self.files[row["id"]] = attachment.content

    def load(self, table: str, record: Mapping[str, object]) -> Record:
        """Store a record as it is, with its own id; time stamps may be Zammad's strings."""
        row: Record = {
            key: as_moment(value) if key.endswith("_at") and value is not None else value
            for key, value in record.items()
        }
        self.tables[table][row["id"]] = row
        self._last_ids[table] = max(self._last_ids[table], row["id"])
        return row

    def change(self, row: Record, fields: Mapping[str, object], by: int) -> None:
        """Change a record of any table but Ticket; one that stays the same keeps its times."""
        if any(row.get(key) != value for key, value in fields.items()):
            row.update(fields, updated_by_id=by, updated_at=self.now())

    def get(self, table: str, row_id: int) -> Record:
        """The record with that id.

        Raises:
            ApiError: 404, as recording 139.
        """
        row = self.tables[table].get(row_id)
        if row is None:
            raise ApiError(404, f"Couldn't find {table} with 'id'={row_id}")
        return row

    def first(self, table: str, **wanted: object) -> Record | None:
        """The first record with all of these values, or None."""
        for row in self.tables[table].values():
            if all(row.get(key) == value for key, value in wanted.items()):
                return row
        return None

    def articles(self, ticket_id: int) -> list[Record]:
        """The articles of a ticket, oldest first."""
        rows = self.tables["TicketArticle"].values()
        return sorted(
            (row for row in rows if row["ticket_id"] == ticket_id), key=lambda row: int(row["id"])
        )

    def label(self, table: str, row_id: int | None) -> str:
        """What stands for a record in `expand` and in triggers: its name, a user's login."""
        row = self.tables[table].get(row_id or 0, {})
        return str(row.get("name", row.get("login", "")))

    def log(self, ticket_id: int, by: int, kind: str, **fields: object) -> None:
        """Append a row to a ticket's history; the key sets are those of recording 274."""
        self._last_ids["History"] += 1
        row: Record = {"id": self._last_ids["History"]}
        if "attribute" not in fields:
            row["history_attribute_id"] = None
        row |= {"o_id": ticket_id, "related_history_object_id": None, "object": "Ticket"}
        row |= {"created_by_id": by, "created_at": self.now(), "type": kind, **fields}
        self.history[ticket_id].append(row)

    def log_article(self, article: Record, kind: str, **fields: object) -> None:
        """Append a row about one of its articles to a ticket's history."""
        ticket_id = article["ticket_id"]
        self.log(ticket_id, article["created_by_id"], kind, **fields)
        row = self.history[ticket_id][-1]
        del row["related_history_object_id"]
        row |= {"o_id": article["id"], "related_o_id": ticket_id}
        row |= {"object": "Ticket::Article", "related_object": "Ticket"}
