"""The names by which people mean an account.

Its ref, which is its own for ever; what it is called; what its customer records are called; and
what any of these was called before. Two accounts may have a name in common: then it says nothing,
and whoever uses it is asked which account is meant.
"""

import unicodedata

from sqlalchemy import Connection, delete, select

from bridge.database.schema import accounts, links, names
from bridge.database.upsert import insert
from bridge.errors import BadRequest

#: Before an account's exact ref, where a name alone would mean several.
REF = "ref:"

LONGEST = 200
"""Characters of a name or a reference that a person gives."""

_UNSEEN = frozenset({"Cc", "Cf"})
#: What nobody sees although Unicode counts it among letters, marks and signs: fillers, joiners,
#: selectors, a Braille cell without dots.
_BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
#: These two are not seen either, but shape the letters beside them: Persian needs them.
_SHAPING = "\u200c\u200d"


def key(name: str) -> str:
    """A name or a reference in the spelling that is compared, equal where people see the same.

    Case, blanks and characters that nobody sees do not count. Not SQL's lower(), which in SQLite
    knows the letters of ASCII only.
    """
    seen = "".join(one for one in name if one in "\t\n" or not _is_unseen(one))
    return " ".join(unicodedata.normalize("NFKC", seen).casefold().split())


def checked(text: str, what: str) -> str:
    """What a person gives for a new name or reference, in one spelling (NFC, single blanks).

    Raises:
        BadRequest: it is empty, too long, or holds what nobody sees; `what` begins the sentence.
    """
    given = " ".join(unicodedata.normalize("NFC", text).split())
    if not given:
        raise BadRequest(f"{what} is empty")
    if len(given) > LONGEST:
        raise BadRequest(f"{what} has {len(given)} characters; {LONGEST} are the most")
    if unseen := next((one for one in given if one in _BLANK or _is_unseen(one)), None):
        raise BadRequest(
            f"{what} holds a character that nobody sees (U+{ord(unseen):04X}); type it anew"
        )
    return given


def legible(text: str) -> str:
    """A helpdesk's name of a customer without what nobody sees; empty where that is all of it.

    Nobody is there to type it anew, so nothing is refused.
    """
    seen = (one for one in text if one.isspace() or one in _SHAPING or not _is_unseen(one))
    given = " ".join(unicodedata.normalize("NFC", "".join(seen)).split())
    return given if key(given) else ""


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN


def now_called(ref: str, name: str, *more: str) -> str:
    """What goes in brackets behind a ref: the name, where that is another one, and what more."""
    said = more if key(ref) == key(name) else (f"now called {name}", *more)
    return f" ({', '.join(said)})" if said else ""


def keep(conn: Connection, account_id: int, name: str) -> None:
    """An account is known by that name from now on. Repeating is safe."""
    row = insert(conn, names).values(key=key(name), account_id=account_id, name=name)
    conn.execute(
        row.on_conflict_do_update(index_elements=["key", "account_id"], set_={"name": name})
    )


def drop(conn: Connection, account_id: int, name: str) -> None:
    """An account is no longer known by that name, unless it or one of its records is called so."""
    row = conn.execute(select(accounts).where(accounts.c.id == account_id)).one()
    records = conn.scalars(select(links.c.name).where(links.c.account_id == account_id))
    if key(name) not in {key(other) for other in (row.ref, row.name, *records) if other}:
        mine = (names.c.account_id == account_id, names.c.key == key(name))
        conn.execute(delete(names).where(*mine))


def all_of(conn: Connection, account_id: int) -> list[str]:
    """Every name of an account, its ref among them."""
    query = select(names.c.name).where(names.c.account_id == account_id)
    return list(conn.scalars(query.order_by(names.c.key)))


def called(conn: Connection, name: str) -> list[int]:
    """The ids of all accounts that are known by a name; nobody is by one that nobody sees."""
    query = select(names.c.account_id).where(names.c.key == key(name), names.c.key != "")
    return list(conn.scalars(query.order_by(names.c.account_id)))


def every(conn: Connection) -> list[str]:
    """All names that some account is known by."""
    return list(conn.scalars(select(names.c.name).order_by(names.c.key)))


def records(conn: Connection, account_id: int) -> tuple[str, ...]:
    """The customer records of an account, as people write them: `support:organization:2`."""
    query = select(links.c.helpdesk, links.c.customer_ref).where(links.c.account_id == account_id)
    ordered = query.order_by(links.c.helpdesk, links.c.customer_ref)
    return tuple(f"{row.helpdesk}:{row.customer_ref}" for row in conn.execute(ordered))


def meant(conn: Connection, text: str) -> int | None:
    """The id of the account that a person means by a name, or by `ref:` and its ref; or None.

    Raises:
        BadRequest: several accounts are known by that name, or none has that ref.
    """
    if text.startswith(REF):
        ref = text.removeprefix(REF).strip()
        found = conn.scalar(select(accounts.c.id).where(accounts.c.ref == ref))
        if found is None:
            raise BadRequest(
                f"no account has the ref {ref!r}, letter by letter;"
                " `points-bridge accounts` lists them"
            )
        return int(found)
    several = called(conn, text)
    if len(several) > 1:
        which = ", or ".join(_described(conn, one) for one in several)
        raise BadRequest(f"{text.strip()!r} may mean several accounts; write {which}")
    return several[0] if several else None


def _described(conn: Connection, account_id: int) -> str:
    """How to write an account so that it alone is meant, and how to tell it from the others."""
    row = conn.execute(select(accounts).where(accounts.c.id == account_id)).one()
    known = records(conn, account_id) or ("in no helpdesk yet",)
    return f"{REF + row.ref!r}{now_called(row.ref, row.name, *known)}"
