"""The guards: triggers that hold the ledger together whoever writes SQL into it.

They hold against hand-typed SQL too, in a shell with foreign keys and recursive triggers switched
off, and against every conflict clause. Three traits of SQLite shape them:

- The conflict clause of the outer statement also governs the statements inside a trigger: under
  `INSERT OR IGNORE` a broken CHECK is skipped there in silence. So nothing rests on a CHECK: every
  rule is asked beforehand and refused with RAISE(ABORT), which no clause can soften.
- `OR REPLACE` deletes the row in its way without firing delete triggers. So a row that is in the
  way is refused before the insert. An upsert meets the same refusal: guarded rows are looked up,
  then inserted.
- `rowid` is another name of `id`, which `UPDATE OF id` does not see. So update triggers name no
  columns.

This module and `engine.py` are the only ones that know SQLite; PostgreSQL needs its own text here.
"""

from sqlalchemy import Connection

_Rule = tuple[str, str]


def _trigger(name: str, event: str, rules: tuple[_Rule, ...], then: str = "") -> str:
    refusals = (
        f"    SELECT RAISE(ABORT, '{sentence}')\n    WHERE {condition};\n"
        for sentence, condition in rules
    )
    return f"CREATE TRIGGER {name} {event}\nBEGIN\n{''.join(refusals)}{then}END"


def _never(what: str) -> tuple[_Rule, ...]:
    return ((what, "TRUE"),)


def _malformed(instant: str) -> str:
    """Instants are compared as text, so they must be real ones, of one width, in UTC."""
    second = f"substr({instant}, 1, 19)"
    return (
        # Without something to add SQLite hands back a 31st of June as it is.
        f"strftime('%Y-%m-%dT%H:%M:%S', {second}, '+0 seconds') IS NOT {second}"
        f" OR substr({instant}, 20) NOT GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'"
    )


_ACCOUNT_INSERT = (
    ("an account begins with a balance of 0: book a purchase", "NEW.balance IS NOT 0"),
    (
        "there is such an account already, and it is never replaced",
        "EXISTS (SELECT 1 FROM accounts WHERE id = NEW.id OR ref = NEW.ref)",
    ),
)

_ACCOUNT_UPDATE = (
    ("an account keeps its id", "NEW.id IS NOT OLD.id"),
    (
        "another account has that ref",
        "EXISTS (SELECT 1 FROM accounts WHERE ref = NEW.ref AND id <> OLD.id)",
    ),
    (
        "a balance is the sum of the account''s lots: book an entry",
        """NEW.balance IS NOT
        (SELECT coalesce(sum(remaining), 0) FROM lots
         WHERE account_id = NEW.id AND remaining > 0)
        AND NEW.balance IS NOT OLD.balance""",
    ),
)

_ACCOUNT_DELETE = (
    (
        "an account with lots, bookings or incidents is never deleted",
        """EXISTS (SELECT 1 FROM lots WHERE account_id = OLD.id)
        OR EXISTS (SELECT 1 FROM txs WHERE account_id = OLD.id)
        OR EXISTS (SELECT 1 FROM incidents WHERE account_id = OLD.id)""",
    ),
)

_LOT_INSERT = (
    (
        "there is such a lot already, and it is never replaced",
        """EXISTS (SELECT 1 FROM lots WHERE id = NEW.id)
        OR EXISTS (SELECT 1 FROM lots WHERE source = NEW.source AND reference = NEW.reference)""",
    ),
    ("a lot begins with 0 remaining: book an entry", "NEW.remaining IS NOT 0"),
    ("a lot needs points above 0", "coalesce(NEW.points, 0) <= 0"),
    (
        "a lot needs its account",
        "NOT EXISTS (SELECT 1 FROM accounts WHERE id = NEW.account_id)",
    ),
    (
        "a credit lot, and only that, has a parent, of the same account",
        """(NEW.kind = 'credit') IS NOT (NEW.parent_id IS NOT NULL)
        OR NEW.parent_id IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM lots WHERE id = NEW.parent_id AND account_id = NEW.account_id)""",
    ),
    (
        "a lot''s instants are written like 2026-03-02T09:30:00.000000Z",
        f"{_malformed('NEW.usable_from')} OR {_malformed('NEW.expires_at')}",
    ),
)

_LOT_UPDATE = (
    (
        "of a lot only the remaining points ever change",
        """NEW.id IS NOT OLD.id OR NEW.account_id IS NOT OLD.account_id
        OR NEW.kind IS NOT OLD.kind OR NEW.points IS NOT OLD.points
        OR NEW.purchased_on IS NOT OLD.purchased_on OR NEW.usable_from IS NOT OLD.usable_from
        OR NEW.expires_at IS NOT OLD.expires_at OR NEW.source IS NOT OLD.source
        OR NEW.reference IS NOT OLD.reference OR NEW.parent_id IS NOT OLD.parent_id""",
    ),
    (
        "the remaining points are the sum of the lot''s entries: book an entry",
        """NEW.remaining IS NOT
        (SELECT coalesce(sum(delta), 0) FROM entries WHERE lot_id = NEW.id)""",
    ),
)

_INCIDENT_INSERT = (
    (
        "there is such an incident already, and it is never replaced",
        """EXISTS (SELECT 1 FROM incidents WHERE id = NEW.id)
        OR EXISTS (SELECT 1 FROM incidents WHERE helpdesk = NEW.helpdesk
                   AND ticket_id = NEW.ticket_id AND number = NEW.number)""",
    ),
)

_INCIDENT_UPDATE = (
    (
        "an incident keeps its id and its ticket",
        """NEW.id IS NOT OLD.id OR NEW.helpdesk IS NOT OLD.helpdesk
        OR NEW.ticket_id IS NOT OLD.ticket_id OR NEW.number IS NOT OLD.number""",
    ),
    (
        "an incident that was charged keeps its account",
        """NEW.account_id IS NOT OLD.account_id
        AND EXISTS (SELECT 1 FROM txs WHERE incident_id = OLD.id)""",
    ),
)

_INCIDENT_DELETE = (
    (
        "an incident with bookings or decisions is never deleted",
        """EXISTS (SELECT 1 FROM txs WHERE incident_id = OLD.id)
        OR EXISTS (SELECT 1 FROM decisions WHERE incident_id = OLD.id)""",
    ),
)

_TX_INSERT = (
    (
        "there is such a transaction already, and it is never replaced",
        """EXISTS (SELECT 1 FROM txs WHERE id = NEW.id)
        OR EXISTS (SELECT 1 FROM txs WHERE dedupe_key = NEW.dedupe_key)""",
    ),
    (
        "that incident is charged already",
        """NEW.kind = 'charge' AND EXISTS
        (SELECT 1 FROM txs WHERE incident_id = NEW.incident_id AND kind = 'charge')""",
    ),
    ("a transaction needs points above 0", "coalesce(NEW.points, 0) <= 0"),
    (
        "a transaction needs its account",
        "NOT EXISTS (SELECT 1 FROM accounts WHERE id = NEW.account_id)",
    ),
    (
        "a charge is of an incident of the same account",
        """NEW.kind = 'charge' AND NOT EXISTS
        (SELECT 1 FROM incidents WHERE id = NEW.incident_id AND account_id = NEW.account_id)""",
    ),
    (
        "a transaction names an incident that exists, or none",
        """NEW.incident_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM incidents WHERE id = NEW.incident_id)""",
    ),
    (
        "a credit reverses a charge of the same account",
        """(NEW.kind = 'credit' OR NEW.reverses_id IS NOT NULL) AND NOT EXISTS
        (SELECT 1 FROM txs WHERE id = NEW.reverses_id AND kind = 'charge'
         AND account_id = NEW.account_id AND NEW.kind IN ('credit', 'refund'))""",
    ),
    (
        "credits and refunds of a charge together exceed what it took",
        """NEW.reverses_id IS NOT NULL AND NEW.points
        + (SELECT coalesce(sum(points), 0) FROM txs WHERE reverses_id = NEW.reverses_id)
        > (SELECT coalesce(-sum(delta), 0) FROM entries WHERE tx_id = NEW.reverses_id)""",
    ),
    (
        "a transaction''s instants are written like 2026-03-02T09:30:00.000000Z",
        f"{_malformed('NEW.at')} OR {_malformed('NEW.valid_at')}",
    ),
    (
        "a charge tests validity at most 72 hours back, any other booking at its own instant",
        """NEW.valid_at > NEW.at OR NEW.valid_at <
        CASE NEW.kind WHEN 'charge'
        THEN strftime('%Y-%m-%dT%H:%M:%S', substr(NEW.at, 1, 19), '-72 hours')
             || substr(NEW.at, 20)
        ELSE NEW.at END""",
    ),
)

_ENTRY_INSERT = (
    (
        "there is such an entry already, and it is never replaced",
        """EXISTS (SELECT 1 FROM entries WHERE id = NEW.id)
        OR EXISTS (SELECT 1 FROM entries WHERE tx_id = NEW.tx_id AND lot_id = NEW.lot_id)""",
    ),
    (
        "an entry needs its transaction, of the same kind",
        "NOT EXISTS (SELECT 1 FROM txs WHERE id = NEW.tx_id AND kind = NEW.kind)",
    ),
    (
        "an entry needs a lot of its transaction''s account",
        """NOT EXISTS (SELECT 1 FROM txs JOIN lots USING (account_id) JOIN accounts
        ON accounts.id = lots.account_id WHERE txs.id = NEW.tx_id AND lots.id = NEW.lot_id)""",
    ),
    (
        "purchases and credits add points; charges, refunds and expiries take them",
        """CASE WHEN NEW.kind IN ('purchase', 'credit') THEN NEW.delta > 0
        WHEN NEW.kind IN ('charge', 'refund', 'expiry') THEN NEW.delta < 0
        WHEN NEW.kind = 'adjustment' THEN NEW.delta <> 0 END IS NOT TRUE""",
    ),
    (
        "the entries of a transaction exceed its points",
        """abs(NEW.delta) + (SELECT coalesce(sum(abs(delta)), 0) FROM entries
        WHERE tx_id = NEW.tx_id) > (SELECT points FROM txs WHERE id = NEW.tx_id)""",
    ),
    (
        "a lot cannot go below 0, nor above its points",
        """(SELECT remaining + NEW.delta BETWEEN 0 AND points FROM lots
        WHERE id = NEW.lot_id) IS NOT TRUE""",
    ),
    (
        "a purchase fills a new purchased lot, wholly and once",
        """NEW.kind = 'purchase' AND (
        NOT EXISTS (SELECT 1 FROM lots WHERE id = NEW.lot_id AND kind = 'purchase'
                    AND points = NEW.delta)
        OR EXISTS (SELECT 1 FROM entries WHERE lot_id = NEW.lot_id))""",
    ),
    (
        "the lot cannot be spent at that instant: not yet usable, or expired",
        """NEW.delta < 0 AND NEW.kind <> 'expiry' AND NOT EXISTS
        (SELECT 1 FROM txs JOIN lots ON lots.id = NEW.lot_id WHERE txs.id = NEW.tx_id
         AND lots.usable_from <= txs.valid_at AND txs.valid_at < lots.expires_at)""",
    ),
    (
        "points are not put into an expired lot",
        """NEW.delta > 0 AND NEW.kind <> 'purchase' AND NOT EXISTS
        (SELECT 1 FROM txs JOIN lots ON lots.id = NEW.lot_id WHERE txs.id = NEW.tx_id
         AND txs.at < lots.expires_at)""",
    ),
    (
        "a credit returns to a lot that the charge drew on, or to a credit lot made from it",
        """NEW.kind = 'credit' AND NOT EXISTS
        (SELECT 1 FROM txs JOIN entries charged ON charged.tx_id = txs.reverses_id
         JOIN lots ON lots.id = NEW.lot_id AND charged.lot_id IN (lots.id, lots.parent_id)
         WHERE txs.id = NEW.tx_id)""",
    ),
    (
        "an expiry takes what is left, and not before the lot has expired",
        """NEW.kind = 'expiry' AND NOT EXISTS
        (SELECT 1 FROM txs JOIN lots ON lots.id = NEW.lot_id WHERE txs.id = NEW.tx_id
         AND lots.expires_at <= txs.at AND NEW.delta = -lots.remaining)""",
    ),
)

_ENTRY_APPENDED = (
    (
        "entries are appended, never put in between",
        "NEW.id < 1 OR NEW.id IS NOT (SELECT max(id) FROM entries)",
    ),
)

#: The only place that moves points.
_ENTRY_APPLY = """\
    UPDATE lots SET remaining = remaining + NEW.delta WHERE id = NEW.lot_id;
    UPDATE accounts SET balance = balance + NEW.delta
    WHERE id = (SELECT account_id FROM lots WHERE id = NEW.lot_id);
"""

_DECISION_INSERT = (
    (
        "there is such a decision already, and it is never replaced",
        "EXISTS (SELECT 1 FROM decisions WHERE id = NEW.id)",
    ),
)

_SQLITE = {
    name: _trigger(name, event, rules, then)
    for name, event, rules, then in (
        ("guard_account_insert", "BEFORE INSERT ON accounts", _ACCOUNT_INSERT, ""),
        ("guard_account_update", "BEFORE UPDATE ON accounts", _ACCOUNT_UPDATE, ""),
        ("guard_account_delete", "BEFORE DELETE ON accounts", _ACCOUNT_DELETE, ""),
        ("guard_lot_insert", "BEFORE INSERT ON lots", _LOT_INSERT, ""),
        ("guard_lot_update", "BEFORE UPDATE ON lots", _LOT_UPDATE, ""),
        ("guard_lot_delete", "BEFORE DELETE ON lots", _never("a lot is never deleted"), ""),
        ("guard_incident_insert", "BEFORE INSERT ON incidents", _INCIDENT_INSERT, ""),
        ("guard_incident_update", "BEFORE UPDATE ON incidents", _INCIDENT_UPDATE, ""),
        ("guard_incident_delete", "BEFORE DELETE ON incidents", _INCIDENT_DELETE, ""),
        ("guard_tx_insert", "BEFORE INSERT ON txs", _TX_INSERT, ""),
        ("guard_tx_update", "BEFORE UPDATE ON txs", _never("a transaction is never changed"), ""),
        ("guard_tx_delete", "BEFORE DELETE ON txs", _never("a transaction is never deleted"), ""),
        ("guard_entry_insert", "BEFORE INSERT ON entries", _ENTRY_INSERT, ""),
        ("apply_entry", "AFTER INSERT ON entries", _ENTRY_APPENDED, _ENTRY_APPLY),
        ("guard_entry_update", "BEFORE UPDATE ON entries", _never("an entry is never changed"), ""),
        ("guard_entry_delete", "BEFORE DELETE ON entries", _never("an entry is never deleted"), ""),
        ("guard_decision_insert", "BEFORE INSERT ON decisions", _DECISION_INSERT, ""),
        (
            "guard_decision_update",
            "BEFORE UPDATE ON decisions",
            _never("a decision is never changed"),
            "",
        ),
        (
            "guard_decision_delete",
            "BEFORE DELETE ON decisions",
            _never("a decision is never deleted"),
            "",
        ),
    )
}


def install(conn: Connection) -> None:
    """Put every guard in place as this version words it. Repeating is safe.

    The text here is the only one: migrations do not repeat it, so a guard that is improved (or was
    lost with a rebuilt table) is in force after the next `migrate`.
    """
    for name in missing(conn):
        conn.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        conn.exec_driver_sql(_SQLITE[name])


def missing(conn: Connection) -> list[str]:
    """The names of guards that the database lacks, or has in other words."""
    rows = conn.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    present = dict(map(tuple, rows))
    return [name for name, sql in _SQLITE.items() if present.get(name) != sql]
