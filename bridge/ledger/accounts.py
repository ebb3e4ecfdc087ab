"""Accounts: who owns points, under which names the helpdesks know them, and where they live."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.database.schema import accounts, helpdesks, incidents, links, txs
from bridge.errors import BadRequest
from bridge.policy.places import Address as Address
from bridge.ticket import Customer


@dataclass(frozen=True, slots=True)
class Account:
    """The customer record that owns points, in all helpdesks together.

    `address` is what an admin set for the account; `told` what the helpdesk's own record says.
    """

    id: int
    ref: str
    name: str
    address: Address
    told: Address


def take_up(conn: Connection, names: Iterable[str], now: datetime) -> None:
    """Note when the bridge first heard of each helpdesk. Repeating changes nothing."""
    known = set(conn.scalars(select(helpdesks.c.name)))
    for name in sorted(set(names) - known):
        conn.execute(insert(helpdesks).values(name=name, first_seen_at=now))


def in_service_since(conn: Connection, helpdesk: str) -> datetime:
    """When the bridge took up that helpdesk (UTC): older tickets are none of its business."""
    query = select(helpdesks.c.first_seen_at).where(helpdesks.c.name == helpdesk)
    known: datetime = conn.execute(query).scalar_one()
    return known


def resolve(conn: Connection, helpdesk: str, customer: Customer, now: datetime) -> Account:
    """The account of a helpdesk's customer; made and linked where there is none yet.

    An account that was created beforehand (by a purchase) and that no helpdesk knows yet is taken
    up when its ref is the customer's name. An account that is known somewhere already is shared
    only when an admin says so (`link_to`): two customers of one name must not share points.
    Repeating is safe.
    """
    account_id = conn.scalar(
        select(links.c.account_id).where(
            links.c.helpdesk == helpdesk, links.c.customer_ref == customer.ref
        )
    )
    if account_id is None:
        account_id = _unlinked(conn, customer.name) or create(
            conn, _free_ref(conn, helpdesk, customer), customer.name, Address(), now
        )
    _link(conn, helpdesk, customer, account_id)
    return by_id(conn, account_id)


def find_or_create(conn: Connection, ref: str, now: datetime) -> Account:
    """The account of that ref or name; made where there is none, for points bought beforehand."""
    known = _search(conn, ref)
    return by_id(conn, known if known is not None else create(conn, ref, ref, Address(), now))


def is_known(conn: Connection, ref: str) -> bool:
    """Whether there is an account of that ref or name."""
    return _search(conn, ref) is not None


def find(conn: Connection, ref: str) -> Account:
    """The account of that ref or name.

    Raises:
        BadRequest: there is none.
    """
    known = _search(conn, ref)
    if known is None:
        raise BadRequest(f"no account is called {ref!r}; `points-bridge accounts` lists them")
    return by_id(conn, known)


def create(conn: Connection, ref: str, name: str, address: Address, now: datetime) -> int:
    """A new account without points.

    Raises:
        BadRequest: the ref is empty or taken.
    """
    ref = ref.strip()
    if not ref:
        raise BadRequest("an account needs a ref: the organisation's name, or an address")
    if _search(conn, ref) is not None:
        raise BadRequest(f"there is an account {ref!r} already")
    result = conn.execute(
        insert(accounts)
        .values(
            ref=ref,
            name=name,
            zone=address.zone,
            country=address.country,
            subdivision=address.subdivision,
            created_at=now,
        )
        .returning(accounts.c.id)
    )
    return int(result.scalar_one())


def relocate(conn: Connection, account_id: int, address: Address) -> None:
    """Set an account's own zone, country and subdivision; None leaves a value as it is."""
    given = {
        name: value
        for name, value in (
            ("zone", address.zone),
            ("country", address.country),
            ("subdivision", address.subdivision),
        )
        if value is not None
    }
    if given:
        conn.execute(update(accounts).where(accounts.c.id == account_id).values(**given))


def link_to(conn: Connection, account_id: int, helpdesk: str, customer_ref: str) -> None:
    """Say that a helpdesk's customer is this account; its held incidents come along.

    Raises:
        BadRequest: that customer has another account already, and points were moved there.
    """
    mine = and_(links.c.helpdesk == helpdesk, links.c.customer_ref == customer_ref)
    owner = conn.scalar(select(links.c.account_id).where(mine))
    if owner is None:
        row = {"helpdesk": helpdesk, "customer_ref": customer_ref, "account_id": account_id}
        conn.execute(insert(links).values(**row))
        return
    if owner != account_id and conn.scalar(select(txs.c.id).where(txs.c.account_id == owner)):
        name = by_id(conn, owner).ref
        raise BadRequest(
            f"{helpdesk}:{customer_ref} belongs to the account {name!r}, which has bookings already"
        )
    conn.execute(update(links).where(mine).values(account_id=account_id))
    moved = update(incidents).where(
        incidents.c.account_id == owner, incidents.c.helpdesk == helpdesk
    )
    conn.execute(moved.values(account_id=account_id))


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
    return Account(row.id, row.ref, row.name, address, Address(*told))


def owner_of(conn: Connection, helpdesk: str, customer_ref: str) -> int | None:
    """The account of a helpdesk's customer record; None where nobody has met it."""
    mine = and_(links.c.helpdesk == helpdesk, links.c.customer_ref == customer_ref)
    return conn.scalar(select(links.c.account_id).where(mine))


def all_accounts(conn: Connection) -> list[Account]:
    """Every account, by ref."""
    return [by_id(conn, i) for i in conn.scalars(select(accounts.c.id).order_by(accounts.c.ref))]


def _search(conn: Connection, ref: str) -> int | None:
    wanted = ref.strip().lower()
    found = select(accounts.c.id).where(
        or_(func.lower(accounts.c.ref) == wanted, func.lower(accounts.c.name) == wanted)
    )
    return conn.scalar(found.order_by(accounts.c.id).limit(1))


def _unlinked(conn: Connection, name: str) -> int | None:
    """An account of that name which no helpdesk knows yet."""
    account_id = _search(conn, name)
    taken = select(links.c.account_id).where(links.c.account_id == account_id).limit(1)
    return None if account_id is None or conn.scalar(taken) is not None else account_id


def _free_ref(conn: Connection, helpdesk: str, customer: Customer) -> str:
    taken = _search(conn, customer.name) is not None
    return f"{customer.name} ({helpdesk} {customer.ref})" if taken else customer.name


def _link(conn: Connection, helpdesk: str, customer: Customer, account_id: int) -> None:
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    told = {
        "zone": customer.zone,
        "country": customer.country,
        "subdivision": customer.subdivision,
    }
    row = {"helpdesk": helpdesk, "customer_ref": customer.ref, "account_id": account_id}
    conn.execute(
        dialect.insert(links)
        .values(**row, **told)
        .on_conflict_do_update(index_elements=["helpdesk", "customer_ref"], set_=told)
    )
