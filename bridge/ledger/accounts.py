"""Accounts: who owns points, which customer records are theirs, where they live, when they work."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, not_, select, update

from bridge.database.schema import accounts, helpdesks, incidents, links, txs
from bridge.database.upsert import insert
from bridge.errors import BadRequest, LedgerBusy, RecordTaken, UnknownAccount, did_you_mean
from bridge.ledger import names
from bridge.policy.places import Address
from bridge.policy.service_hours import Hours
from bridge.ticket import Customer

#: Somebody else may add the same record, or an account of the same ref, at the same moment; but
#: not for ever anew.
_MOST_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Account:
    """The customer record that owns points, in all helpdesks together.

    `ref` is its own for ever; `name` follows its customer record's. `address` and `hours` are what
    an admin set for the account; `helpdesk_address` is where the helpdesk's own record says it is.
    """

    id: int
    ref: str
    name: str
    address: Address
    helpdesk_address: Address
    hours: Hours


def put_into_service(conn: Connection, configured: Iterable[str], now: datetime) -> None:
    """Note when the bridge took up each helpdesk: it is `now`, once. Repeating changes nothing."""
    known = set(conn.scalars(select(helpdesks.c.name)))
    for name in sorted(set(configured) - known):
        row = insert(conn, helpdesks).values(name=name, first_seen_at=now)
        conn.execute(row.on_conflict_do_nothing())


def in_service_since(conn: Connection, helpdesk: str) -> datetime | None:
    """When the bridge took up that helpdesk (UTC): older tickets are none of its business.

    None: it was neither set up nor served yet.
    """
    query = select(helpdesks.c.first_seen_at).where(helpdesks.c.name == helpdesk)
    known: datetime | None = conn.execute(query).scalar_one_or_none()
    return known


def resolve(conn: Connection, helpdesk: str, customer: Customer, now: datetime) -> Account:
    """The account of a helpdesk's customer record; made and linked where there is none yet.

    An account that was created beforehand (by a purchase) and that no helpdesk knows yet is taken
    up when it alone is known by the customer's name. An account that is known somewhere already is
    shared only when an admin says so (`link_to`): two customers of one name must not share points.
    A record under a new name keeps its account, and the account that was called so follows.

    Repeating is safe, and so is another worker that meets the same record at the same moment.

    Raises:
        LedgerBusy: others added accounts of that name all the time. Repeat it.
    """
    customer = replace(customer, name=names.legible(customer.name))
    for _ in range(_MOST_ATTEMPTS):
        record = _record(conn, helpdesk, customer.ref)
        if record:
            _follow(conn, record, customer)
            return by_id(conn, record.account_id)
        _introduce(conn, helpdesk, customer, now)
    raise LedgerBusy(f"{helpdesk}:{customer.ref} is being added by others; nothing was written")


def find_or_create(conn: Connection, ref: str, now: datetime) -> Account:
    """The account that is meant; made where there is none, for points bought beforehand.

    Raises:
        BadRequest: the ref is empty, too long or not legible, or several accounts are known by it.
    """
    for _ in range(_MOST_ATTEMPTS):
        known = names.meant(conn, ref)
        if known is not None:
            return by_id(conn, known)
        name = names.checked(ref, "the account's name")
        known = names.meant(conn, name)
        if known is not None:
            return by_id(conn, known)
        added = _add(conn, name, name, now)
        if added is not None:
            return by_id(conn, added)
    raise LedgerBusy(f"the account {ref!r} is being added by others; nothing was written")


def meant(conn: Connection, ref: str, now: datetime, *, new: bool) -> tuple[Account, bool]:
    """The account of that ref or name, and whether it was made: only if it may be `new`.

    Raises: as `find`, and as `find_or_create`.
    """
    try:
        return find(conn, ref), False
    except UnknownAccount:
        if not new:
            raise
    return find_or_create(conn, ref, now), True


def find(conn: Connection, ref: str) -> Account:
    """The account of that ref or name, present or former.

    Raises:
        UnknownAccount: there is none; names those that look alike.
        BadRequest: there are several.
    """
    known = names.meant(conn, ref)
    if known is None:
        alike = did_you_mean(ref, names.every(conn))
        listed = alike or "; `points-bridge accounts` lists them"
        raise UnknownAccount(f"no account is called {ref!r}{listed}")
    return by_id(conn, known)


def set_address(conn: Connection, account_id: int, address: Address) -> None:
    """Set an account's own zone, country and subdivision; None is nothing said."""
    said = {"zone": address.zone, "country": address.country, "subdivision": address.subdivision}
    conn.execute(update(accounts).where(accounts.c.id == account_id).values(**said))


def rename(conn: Connection, account_id: int, name: str) -> None:
    """Call an account something else; it stays known by what it was called. Repeating is safe.

    Raises:
        BadRequest: the name is empty, too long or not legible, or another account is known by it.
    """
    given = names.checked(name, "the new name")
    if given.startswith(names.REF):
        raise BadRequest(f"a name cannot begin with {names.REF!r}, which means an account's ref")
    if others := set(names.called(conn, given)) - {account_id}:
        raise BadRequest(
            f"another account is known as {given!r} already: {by_id(conn, min(others)).ref!r}"
        )
    conn.execute(update(accounts).where(accounts.c.id == account_id).values(name=given))
    names.keep(conn, account_id, given)


def set_hours(conn: Connection, account_id: int, hours: Hours) -> None:
    """Keep what an account says of its hours, all of it; nothing is kept of what it said before."""
    said = hours.as_dict() or None
    conn.execute(update(accounts).where(accounts.c.id == account_id).values(hours=said))


def link_to(
    conn: Connection, account_id: int, helpdesk: str, customer_ref: str, *, take: bool = True
) -> None:
    """Say that a helpdesk's customer record is this account's; repeating is safe.

    Of the account that had it until now, the incidents of this very record come along, those that
    were paid with its points excepted: "Linking two records to one account moves only what belongs
    to that record."

    Raises:
        RecordTaken: another account has it, and it was not said to `take` it.
        BadRequest: the other account has bookings, and this is its last record: its points would
            be out of everybody's reach.
    """
    record = _record(conn, helpdesk, customer_ref)
    if record is None:
        row = {"helpdesk": helpdesk, "customer_ref": customer_ref, "account_id": account_id}
        conn.execute(insert(conn, links).values(**row))
        _bring(conn, helpdesk, customer_ref, account_id)
    elif record.account_id != account_id:
        _refuse_to_strand(conn, record)
        if not take:
            owner = by_id(conn, record.account_id).ref
            raise RecordTaken(f"{helpdesk}:{customer_ref} belongs to the account {owner!r} now")
        _move(conn, record, account_id)


def unlink(conn: Connection, account_id: int, helpdesk: str, customer_ref: str) -> None:
    """Say that a customer record is no longer this account's; its incidents stay. Repeating: fails.

    Its next ticket makes an account of its own.

    Raises:
        BadRequest: it is not this account's, or its next ticket would take the account up again.
    """
    record = _record(conn, helpdesk, customer_ref)
    if record is None or record.account_id != account_id:
        raise BadRequest(f"{helpdesk}:{customer_ref} is no record of this account")
    conn.execute(delete(links).where(_is(record)))
    if record.name:
        names.drop(conn, account_id, record.name)
        if account_id in names.called(conn, record.name) and not names.records(conn, account_id):
            raise BadRequest(
                f"{helpdesk}:{customer_ref} is called {record.name!r} like the account, so its next"
                " ticket would take the account up again: link the record to the account that it"
                " belongs to instead"
            )


def by_id(conn: Connection, account_id: int) -> Account:
    """An account, with what the helpdesks say of it."""
    row = conn.execute(select(accounts).where(accounts.c.id == account_id)).one()
    said = (
        select(links.c.zone, links.c.country, links.c.subdivision)
        .where(links.c.account_id == account_id)
        .order_by(links.c.zone.is_(None), links.c.helpdesk, links.c.customer_ref)
        .limit(1)
    )
    told = conn.execute(said).one_or_none() or (None, None, None)
    address = Address(row.zone, row.country, row.subdivision)
    hours = Hours.from_dict(row.hours or {})
    return Account(row.id, row.ref, row.name, address, Address(*told), hours)


def other_names(conn: Connection, account: Account) -> tuple[str, ...]:
    """By what else people may mean an account, former names among them."""
    own = {names.key(account.ref), names.key(account.name)}
    return tuple(one for one in names.all_of(conn, account.id) if names.key(one) not in own)


def owner_of(conn: Connection, helpdesk: str, customer_ref: str) -> int | None:
    """The account of a helpdesk's customer record; None where nobody has met it."""
    mine = and_(links.c.helpdesk == helpdesk, links.c.customer_ref == customer_ref)
    return conn.scalar(select(links.c.account_id).where(mine))


def all_accounts(conn: Connection) -> list[Account]:
    """Every account, by ref."""
    return [by_id(conn, i) for i in conn.scalars(select(accounts.c.id).order_by(accounts.c.ref))]


def _record(conn: Connection, helpdesk: str, customer_ref: str) -> Row[Any] | None:
    """A customer record that is known, and whose it is."""
    mine = and_(links.c.helpdesk == helpdesk, links.c.customer_ref == customer_ref)
    return conn.execute(select(links).where(mine)).one_or_none()


def _introduce(conn: Connection, helpdesk: str, customer: Customer, now: datetime) -> None:
    """Link a record that is new, unless somebody else does so meanwhile: then nothing is left."""
    attempt = conn.begin_nested()
    account_id = _waiting_for(conn, customer)
    if account_id is None:
        name = customer.name.strip() or f"{helpdesk} {customer.ref}"
        account_id = _add(conn, _free_ref(conn, helpdesk, customer.ref, name), name, now)
    row = {"helpdesk": helpdesk, "customer_ref": customer.ref, "account_id": account_id}
    link = insert(conn, links).values(**row).on_conflict_do_nothing()
    if account_id is not None and conn.execute(link).rowcount:
        attempt.commit()
    else:
        attempt.rollback()


def _waiting_for(conn: Connection, customer: Customer) -> int | None:
    """The account that was made beforehand for a customer of that name, and for no other.

    A person is known by an address only: what stands there for somebody without one (a login, a
    handle) may have been chosen by that person.
    """
    if _is_person(customer):
        # Letters that names take for one another tell mailboxes apart.
        same = func.lower(accounts.c.ref) == customer.name.lower()
        called = list(conn.scalars(select(accounts.c.id).where(same)))
    else:
        called = names.called(conn, customer.name)
    if len(called) != 1 or (_is_person(customer) and "@" not in customer.name):
        return None
    # Locked first: another record of that name may be about to take it up.
    lock = select(accounts.c.id).where(accounts.c.id == called[0]).with_for_update()
    account_id: int = conn.execute(lock).scalar_one()
    taken = select(links.c.account_id).where(links.c.account_id == account_id).limit(1)
    return account_id if conn.scalar(taken) is None else None


def _is_person(customer: Customer) -> bool:
    return customer.ref.startswith("person:")


def _free_ref(conn: Connection, helpdesk: str, customer_ref: str, name: str) -> str:
    """The name, as long as nobody else is known by it; else with the record's own behind it."""
    ref, number = name, 1
    while names.called(conn, ref):
        again = f" {number}" if number > 1 else ""
        ref, number = f"{name} ({helpdesk} {customer_ref}{again})", number + 1
    return ref


def _add(conn: Connection, ref: str, name: str, now: datetime) -> int | None:
    """A new account without points; None when another writer has added one of that ref meanwhile.

    Raises:
        BadRequest: the ref is empty.
    """
    ref = ref.strip()
    if not ref:
        raise BadRequest("an account needs a ref: the organisation's name, or an address")
    row = insert(conn, accounts).values(ref=ref, name=name.strip(), created_at=now)
    added: int | None = conn.scalar(
        row.on_conflict_do_nothing(index_elements=["ref"]).returning(accounts.c.id)
    )
    if added is not None:
        names.keep(conn, added, ref)
        names.keep(conn, added, name.strip())
    return added


def _follow(conn: Connection, record: Row[Any], customer: Customer) -> None:
    """Keep what a record says of itself, its name above all."""
    said = {
        "zone": customer.zone,
        "country": customer.country,
        "subdivision": customer.subdivision,
        "name": customer.name.strip() or record.name,
    }
    known = record._asdict()
    if said == {column: known[column] for column in said}:
        return
    conn.execute(update(links).where(_is(record)).values(**said))
    if said["name"] and said["name"] != record.name:
        names.keep(conn, record.account_id, said["name"])
        _rename(conn, record, said["name"])


def _rename(conn: Connection, record: Row[Any], name: str) -> None:
    """An account is called as its record; one with several, as the one that it is called after."""
    mine = accounts.c.id == record.account_id
    now: str = conn.execute(select(accounts.c.name).where(mine)).scalar_one()
    if names.key(record.name or "") == names.key(now) or not _has_others(conn, record):
        conn.execute(update(accounts).where(mine).values(name=name))


def _has_others(conn: Connection, record: Row[Any]) -> bool:
    """Whether the account of a record has other records."""
    others = select(links.c.account_id).where(
        links.c.account_id == record.account_id, not_(_is(record))
    )
    return conn.scalar(others.limit(1)) is not None


def _refuse_to_strand(conn: Connection, record: Row[Any]) -> None:
    bookings = select(txs.c.id).where(txs.c.account_id == record.account_id)
    if conn.scalar(bookings.limit(1)) is not None and not _has_others(conn, record):
        raise BadRequest(
            f"{record.helpdesk}:{record.customer_ref} is the only customer record of the account"
            f" {by_id(conn, record.account_id).ref!r}, which has bookings already: nobody could"
            " use its points"
        )


def _move(conn: Connection, record: Row[Any], account_id: int) -> None:
    conn.execute(update(links).where(_is(record)).values(account_id=account_id))
    if record.name:
        names.keep(conn, account_id, record.name)
        names.drop(conn, record.account_id, record.name)
    _bring(conn, record.helpdesk, record.customer_ref, account_id)


def _bring(conn: Connection, helpdesk: str, customer_ref: str, account_id: int) -> None:
    """The incidents of a record that nobody has paid for, whoever had the record before."""
    of_record = and_(
        incidents.c.helpdesk == helpdesk,
        incidents.c.customer_ref == customer_ref,
        incidents.c.account_id != account_id,
    )
    paid = select(txs.c.id).where(txs.c.incident_id == incidents.c.id).exists()
    conn.execute(update(incidents).where(of_record, ~paid).values(account_id=account_id))


def _is(record: Row[Any]) -> ColumnElement[bool]:
    return and_(links.c.helpdesk == record.helpdesk, links.c.customer_ref == record.customer_ref)
