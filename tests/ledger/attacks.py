"""Hand-typed SQL that must be refused. `test_guards.world` says what it meets.

Account 1 has lot 1 (40 of 50 left), lot 2 (10, expired a day ago, not booked yet), lot 3 (10,
usable from tomorrow) and lot 5 (10, all charged, expired half a day ago); account 2 has lot 4 (20).
Incidents 1 and 2 took 10 from lot 1 each (transactions 6 and 7), incident 5 took 10 from lot 5
(transaction 8), incident 2 was credited (transaction 9). Incident 3 is not charged, incident 4 is
account 2's. Decision 1 is on record.
"""

from typing import NamedTuple


class Attack(NamedTuple):
    """`sql` is refused with `sentence`; `before` is done first and is allowed. `@`: any clause."""

    name: str
    sentence: str
    sql: str
    before: str = ""


def insert(table: str, **row: object) -> str:
    values = ("NULL" if value is None else repr(value) for value in row.values())
    return f"INSERT @ INTO {table} ({', '.join(row)}) VALUES ({', '.join(values)})"


def tx(kind: str, points: int, **given: object) -> str:
    """A transaction of account 1 at nine, well-formed unless said otherwise."""
    row = {
        "id": 10,
        "kind": kind,
        "dedupe_key": "attack",
        "account_id": 1,
        "incident_id": 3 if kind == "charge" else None,
        "points": points,
        "at": "2026-06-01T09:00:00.000000Z",
        "valid_at": "2026-06-01T09:00:00.000000Z",
        "actor": "mallory",
        "reason": "",
    }
    return insert("txs", **row | given)


def entry(kind: str, lot: int, delta: int, **given: object) -> str:
    row = {"tx_id": 10, "kind": kind, "lot_id": lot, "delta": delta}
    return insert("entries", **row | given)


def lot(**given: object) -> str:
    row = {
        "account_id": 1,
        "kind": "purchase",
        "points": 10,
        "purchased_on": "2026-06-01",
        "usable_from": "2026-06-01T00:00:00.000000Z",
        "expires_at": "2027-06-02T00:00:00.000000Z",
        "source": "shop",
        "reference": "FORGED",
    }
    return insert("lots", **row | given)


def account(**given: object) -> str:
    row = {"ref": "forged", "name": "", "created_at": "2026-06-01T09:00:00.000000Z"}
    return insert("accounts", **row | given)


def incident(**given: object) -> str:
    row = {
        "helpdesk": "support",
        "ticket_id": "900",
        "number": 1,
        "ticket_number": "900",
        "account_id": 1,
        "state": "charged",
        "opened_at": "2026-06-01T09:00:00.000000Z",
    }
    return insert("incidents", **row | given)


def decision(**given: object) -> str:
    row = {"incident_id": 1, "kind": "held", "at": "", "decided_at": "", "findings": "[]"}
    return insert("decisions", **row | given)


LIMITS = "a lot cannot go below 0, nor above its points"
SPENDABLE = "cannot be spent at that instant: not yet usable, or expired"
LOOK_BACK = "tests validity at most 72 hours back, any other booking at its own instant"
INSTANT = "instants are written like 2026-03-02T09:30:00.000000Z"
EXISTS = "already, and it is never replaced"
EXCEEDS = "the entries of a transaction exceed its points"
INCIDENT = "a charge is of an incident of the same account"
TOGETHER = "an entry needs a lot of its transaction's account"
KIND = "an entry needs its transaction, of the same kind"
SIGN = "purchases and credits add points; charges, refunds and expiries take them"
PARENT = "a credit lot, and only that, has a parent, of the same account"
FROZEN = "of a lot only the remaining points ever change"
IDENTITY = "an incident keeps its id and its ticket"
REVERSED = "credits and refunds of a charge together exceed what it took"
REVERSES = "a credit reverses a charge of the same account"
FILLS = "a purchase fills a new purchased lot, wholly and once"
EXPIRES = "an expiry takes what is left, and not before the lot has expired"
RETURNS = "a credit returns to a lot that the charge drew on"

AN_INSTANT_TOO_EARLY = "2026-05-29T08:59:59.999999Z"
AN_INSTANT_TOO_LATE = "2026-06-01T09:00:00.000001Z"

SPENDING = (
    Attack("overdraw a lot", LIMITS, entry("charge", 1, -41), tx("charge", 41)),
    Attack("overfill a lot", LIMITS, entry("adjustment", 1, 11), tx("adjustment", 11)),
    Attack("spend an expired lot", SPENDABLE, entry("charge", 2, -10), tx("charge", 10)),
    Attack("refund an expired lot", SPENDABLE, entry("refund", 2, -10), tx("refund", 10)),
    Attack("adjust an expired lot", SPENDABLE, entry("adjustment", 2, -9), tx("adjustment", 9)),
    Attack("spend a lot before its time", SPENDABLE, entry("charge", 3, -10), tx("charge", 10)),
    Attack("look back too far", LOOK_BACK, tx("charge", 10, valid_at=AN_INSTANT_TOO_EARLY)),
    Attack("look into the future", LOOK_BACK, tx("charge", 10, valid_at=AN_INSTANT_TOO_LATE)),
    Attack(
        "back-date a refund", LOOK_BACK, tx("refund", 10, valid_at="2026-06-01T08:00:00.000000Z")
    ),
    Attack("a 13th month", INSTANT, tx("charge", 10, valid_at="2026-13-01T00:00:00.000000Z")),
    Attack("another zone", INSTANT, tx("charge", 10, valid_at="2026-06-01T09:00:00.0000+02")),
    Attack("sort behind all digits", INSTANT, tx("expiry", 10, at="x")),
    Attack("expire on a day", INSTANT, lot(expires_at="2027-06-02")),
    Attack("a 31st of June", INSTANT, lot(usable_from="2026-06-31T00:00:00.000000Z")),
)

CHARGING = (
    Attack(
        "charge an incident twice",
        "that incident is charged already",
        tx("charge", 10, incident_id=1),
    ),
    Attack("charge by a used key", EXISTS, tx("charge", 10, dedupe_key="charge:incident:1")),
    Attack("take more by an old charge", EXCEEDS, entry("charge", 3, -1, tx_id=6)),
    Attack("take more than is written", EXCEEDS, entry("charge", 1, -11), tx("charge", 10)),
    Attack("an old charge and lot again", EXISTS, entry("charge", 1, -1, tx_id=6)),
    Attack("charge no incident", INCIDENT, tx("charge", 10, incident_id=None)),
    Attack("charge a missing incident", INCIDENT, tx("charge", 10, incident_id=77)),
    Attack("charge another's incident", INCIDENT, tx("charge", 10, incident_id=4)),
    Attack(
        "refund a missing incident",
        "a transaction names an incident that exists, or none",
        tx("refund", 10, incident_id=77),
    ),
)

BELONGING = (
    Attack("spend another's lot", TOGETHER, entry("charge", 4, -10), tx("charge", 10)),
    Attack("spend a missing lot", TOGETHER, entry("charge", 77, -10), tx("charge", 10)),
    Attack("spend no lot", TOGETHER, entry("charge", 1, -10, lot_id=None), tx("charge", 10)),
    Attack("an entry without transaction", KIND, entry("charge", 1, -10)),
    Attack("an entry of another kind", KIND, entry("refund", 1, -10), tx("charge", 10)),
    Attack("a charge that gives", SIGN, entry("charge", 1, 10), tx("charge", 10)),
    Attack("a refund that gives", SIGN, entry("refund", 1, 10), tx("refund", 10)),
    Attack("a purchase that takes", SIGN, entry("purchase", 1, -10), tx("purchase", 10)),
    Attack("move nothing", SIGN, entry("adjustment", 1, 0), tx("adjustment", 10)),
    Attack(
        "book for nobody", "a transaction needs its account", tx("adjustment", 10, account_id=77)
    ),
    Attack("book 0 points", "a transaction needs points above 0", tx("adjustment", 0)),
    Attack("a lot without account", "a lot needs its account", lot(account_id=77)),
    Attack("a lot of -10 points", "a lot needs points above 0", lot(points=-10)),
    Attack("a credit lot without parent", PARENT, lot(kind="credit")),
    Attack("a purchase with a parent", PARENT, lot(parent_id=1)),
    Attack("a credit lot of another's", PARENT, lot(kind="credit", parent_id=4)),
)

REWRITING = (
    Attack(
        "change an entry",
        "an entry is never changed",
        "UPDATE @ entries SET delta = 1 WHERE id = 6",
    ),
    Attack("delete an entry", "an entry is never deleted", "DELETE FROM entries WHERE id = 6"),
    Attack("delete every entry", "an entry is never deleted", "DELETE FROM entries"),
    Attack("replace an entry", EXISTS, entry("charge", 1, -1, id=6), tx("charge", 10)),
    Attack(
        "upsert an entry",
        EXISTS,
        entry("charge", 1, -1, id=6) + " ON CONFLICT DO UPDATE SET delta = -1",
        tx("charge", 10),
    ),
    Attack(
        "put an entry before the others",
        "entries are appended, never put in between",
        entry("charge", 1, -10, id=-7),
        tx("charge", 10),
    ),
    Attack(
        "change a transaction",
        "a transaction is never changed",
        "UPDATE @ txs SET points = 99 WHERE id = 6",
    ),
    Attack(
        "move a transaction",
        "a transaction is never changed",
        "UPDATE @ txs SET rowid = 7 WHERE id = 6",
    ),
    Attack(
        "delete a transaction", "a transaction is never deleted", "DELETE FROM txs WHERE id = 6"
    ),
    Attack("replace a transaction", EXISTS, tx("charge", 10, id=6)),
    Attack("replace it by its key", EXISTS, tx("refund", 10, dedupe_key="charge:incident:1")),
    Attack(
        "upsert a transaction",
        EXISTS,
        tx("charge", 10, id=6) + " ON CONFLICT (id) DO UPDATE SET points = 99",
    ),
    Attack(
        "change a decision", "a decision is never changed", "UPDATE @ decisions SET kind = 'held'"
    ),
    Attack("delete a decision", "a decision is never deleted", "DELETE FROM decisions"),
    Attack("replace a decision", EXISTS, decision(id=1)),
)

SUMS = (
    Attack(
        "raise a lot",
        "the remaining points are the sum of the lot's entries",
        "UPDATE @ lots SET remaining = 50 WHERE id = 1",
    ),
    Attack(
        "empty a lot",
        "the remaining points are the sum of the lot's entries",
        "UPDATE @ lots SET remaining = 0",
    ),
    Attack(
        "raise a balance",
        "a balance is the sum of the account's lots",
        "UPDATE @ accounts SET balance = balance + 10",
    ),
    Attack("a lot that begins full", "a lot begins with 0 remaining", lot(remaining=10)),
    Attack("a lot that begins unknown", "a lot begins with 0 remaining", lot(remaining=None)),
    Attack("an account that begins rich", "begins with a balance of 0", account(balance=10)),
)

FREEZING = tuple(
    Attack(f"change a lot's {column}", FROZEN, f"UPDATE @ lots SET {column} = {value} WHERE id = 1")
    for column, value in {
        "id": 77,
        "rowid": 77,
        "oid": 2,
        "account_id": 2,
        "kind": "'credit'",
        "points": 99,
        "purchased_on": "'2026-06-02'",
        "usable_from": "'2020-01-01T00:00:00.000000Z'",
        "expires_at": "'2099-01-01T00:00:00.000000Z'",
        "source": "'forged'",
        "reference": "'INV-2'",
        "parent_id": 2,
    }.items()
)

UPROOTING = (
    Attack("delete a lot", "a lot is never deleted", "DELETE FROM lots WHERE id = 1"),
    Attack("replace a lot by its id", EXISTS, lot(id=1)),
    Attack("replace a lot by its reference", EXISTS, lot(reference="INV-1")),
    Attack(
        "upsert a lot", EXISTS, lot(id=1) + " ON CONFLICT (id) DO UPDATE SET expires_at = '9999'"
    ),
    Attack(
        "delete an account",
        "an account with lots, bookings or incidents is never deleted",
        "DELETE FROM accounts WHERE id = 1",
    ),
    Attack("replace an account by its id", EXISTS, account(id=1)),
    Attack("replace an account by its ref", EXISTS, account(ref="acme")),
    Attack(
        "move an account",
        "an account keeps its id",
        "UPDATE @ accounts SET _rowid_ = 2 WHERE id = 1",
    ),
    Attack(
        "take another's ref",
        "another account has that ref",
        "UPDATE @ accounts SET ref = 'other' WHERE id = 1",
    ),
    Attack(
        "delete an incident",
        "an incident with bookings or decisions is never deleted",
        "DELETE FROM incidents WHERE id = 1",
    ),
    Attack("replace an incident by its id", EXISTS, incident(id=1)),
    Attack("replace an incident by its ticket", EXISTS, incident(ticket_id="1")),
    Attack("move an incident", IDENTITY, "UPDATE @ incidents SET rowid = 3 WHERE id = 1"),
    Attack("another ticket", IDENTITY, "UPDATE @ incidents SET ticket_id = '3' WHERE id = 1"),
    Attack(
        "another payer",
        "an incident that was charged keeps its account",
        "UPDATE @ incidents SET account_id = 2 WHERE id = 1",
    ),
)

BOOKING = (
    Attack(
        "fill a lot in part", FILLS, entry("purchase", 10, 5), f"{lot(id=10)};{tx('purchase', 5)}"
    ),
    Attack("fill a lot again", FILLS, entry("purchase", 5, 10), tx("purchase", 10)),
    Attack("expire a lot early", EXPIRES, entry("expiry", 1, -40), tx("expiry", 40)),
    Attack("expire half a lot", EXPIRES, entry("expiry", 2, -5), tx("expiry", 5)),
    Attack("credit a charge twice", REVERSED, tx("credit", 10, reverses_id=7)),
    Attack("credit more than was charged", REVERSED, tx("credit", 11, reverses_id=6)),
    Attack("refund what was credited", REVERSED, tx("refund", 1, reverses_id=7)),
    Attack(
        "credit a charge that took nothing",
        REVERSED,
        tx("credit", 10, id=11, dedupe_key="more", reverses_id=10),
        tx("charge", 10),
    ),
    Attack("credit nothing", REVERSES, tx("credit", 10)),
    Attack("credit a purchase", REVERSES, tx("credit", 10, reverses_id=1)),
    Attack("credit another's charge", REVERSES, tx("credit", 10, account_id=2, reverses_id=6)),
    Attack("reverse by a charge", REVERSES, tx("charge", 10, reverses_id=6)),
    Attack(
        "credit to another lot",
        RETURNS,
        entry("credit", 10, 10),
        f"{lot(id=10)};{tx('credit', 10, reverses_id=6)}",
    ),
    Attack(
        "credit to an expired lot",
        "points are not put into an expired lot",
        entry("credit", 5, 10),
        tx("credit", 10, reverses_id=8),
    ),
)

ATTACKS = (
    *SPENDING,
    *CHARGING,
    *BELONGING,
    *REWRITING,
    *SUMS,
    *FREEZING,
    *UPROOTING,
    *BOOKING,
)
