"""Who owns points: by which record, and by which name. Two customers never share any."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, select

from bridge.database.schema import accounts as table
from bridge.database.schema import incidents
from bridge.errors import BadRequest, LedgerBusy
from bridge.ledger import accounts
from bridge.ledger.accounts import Account
from bridge.ticket import Customer
from tests.ledger.conftest import NOW, Book

ACME = Customer("organization:2", "Acme GmbH")


def met(book: Book, customer: Customer = ACME, helpdesk: str = "support") -> Account:
    """The account of a customer who has opened a ticket."""
    return book.db.write(partial(accounts.resolve, helpdesk=helpdesk, customer=customer, now=NOW))


def named(book: Book, name: str) -> Account:
    """The account that somebody at the command line means."""
    return book.db.read(lambda conn: accounts.find(conn, name))


def bought(book: Book, name: str, points: int = 50) -> Account:
    account = book.db.write(lambda conn: accounts.find_or_create(conn, name, NOW))
    book.buy(account.id, points)
    return account


def link(book: Book, account: Account, record: str, helpdesk: str = "support") -> None:
    book.db.write(lambda conn: accounts.link_to(conn, account.id, helpdesk, record))


def opened(book: Book, account: Account, record: str | None, state: str = "charged") -> int:
    """An incident of a record that nobody has paid for."""
    incident = book.incident(account.id)
    held_at = NOW if state == "awaiting_points" else None

    def change(conn: Connection) -> None:
        row = incidents.update().where(incidents.c.id == incident)
        conn.execute(row.values(customer_ref=record, state=state, held_at=held_at))

    book.db.write(change)
    return incident


def owner(book: Book, incident: int) -> int:
    query = select(incidents.c.account_id).where(incidents.c.id == incident)
    return book.db.read(lambda conn: int(conn.execute(query).scalar_one()))


def refusal(book: Book, name: str) -> str:
    with pytest.raises(BadRequest) as refused:
        named(book, name)
    return str(refused.value)


def test_a_customer_has_one_account_however_often_it_is_met(book: Book) -> None:
    assert met(book) == met(book) == named(book, "Acme GmbH")


@pytest.mark.parametrize("name", ["Acme GmbH", "acme  gmbh", "ACME GMBH "])
def test_points_that_were_bought_beforehand_await_the_customer_of_that_name(
    book: Book, name: str
) -> None:
    assert met(book).id == bought(book, "Acme GmbH").id == named(book, name).id


def test_letters_beyond_ascii_are_compared_in_any_case(book: Book) -> None:
    """SQLite's own lower() leaves them, so that a customer could not be found by its name."""
    before = bought(book, "Ärzte Straße")
    assert met(book, Customer("organization:7", "ÄRZTE STRASSE")).id == before.id


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("support", ACME), ("cloud", Customer("organization:9", "Acme GmbH"))),
        (("support", ACME), ("support", Customer("organization:9", "Acme GmbH"))),
        (("support", ACME), ("support", Customer("organization:9", "ACME  gmbh"))),
        (
            ("support", Customer("person:8", "carla@acme.example")),
            ("cloud", Customer("person:8", "carla@acme.example")),
        ),
        (
            ("support", Customer("organization:2", "carla@acme.example")),
            ("support", Customer("person:8", "carla@acme.example")),
        ),
    ],
    ids=["two helpdesks", "one helpdesk", "another spelling", "a person", "an address for a name"],
)
@pytest.mark.parametrize("beforehand", [True, False], ids=["purchase first", "ticket first"])
def test_two_customers_of_one_name_never_share_points(
    book: Book, first: tuple[str, Customer], second: tuple[str, Customer], beforehand: bool
) -> None:
    name = first[1].name
    if beforehand:
        bought(book, name)
    mine = met(book, first[1], first[0])
    if not beforehand:
        bought(book, name)
    other = met(book, second[1], second[0])
    assert mine.id != other.id
    assert (book.balance(mine.id), book.balance(other.id)) == (50, 0)
    assert met(book, second[1], second[0]).id == other.id


@pytest.mark.parametrize("name", ["Acme GmbH", "acme"])
def test_a_person_without_an_address_takes_up_no_points(book: Book, name: str) -> None:
    """A login or a handle may be chosen by whoever has it."""
    waiting = bought(book, name)
    assert met(book, Customer("person:8", name)).id != waiting.id


def test_a_person_takes_up_what_was_bought_for_its_address(book: Book) -> None:
    waiting = bought(book, "carla@acme.example")
    assert met(book, Customer("person:8", "Carla@Acme.example")).id == waiting.id


def test_a_customer_without_a_name_has_an_account_all_the_same(book: Book) -> None:
    assert met(book, Customer("organization:4", " ")).ref == "support organization:4"


@pytest.mark.parametrize("name", ["\u200b", "\u202e \u2066", "\x07"])
def test_a_name_that_nobody_sees_is_none(book: Book, name: str) -> None:
    account = met(book, Customer("organization:2", name))
    assert account.ref == "support organization:2"
    assert "no account is called ''" in refusal(book, "")


@pytest.mark.parametrize(
    ("name", "ref"),
    [
        ("Acme\u202e\x07\nGmbH", "Acme GmbH"),
        ("Acme\u200bGmbH", "AcmeGmbH"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
    ],
)
def test_what_nobody_sees_in_a_helpdesks_name_is_left_out(book: Book, name: str, ref: str) -> None:
    """Nobody is there to type it anew; and it would turn round what a terminal shows."""
    assert met(book, Customer("organization:2", name)).ref == ref


def test_a_ref_that_looks_like_the_one_to_be_given_is_no_obstacle(book: Book) -> None:
    met(book, Customer("organization:3", "Acme GmbH (support organization:2)"))
    met(book, Customer("organization:4", "Acme GmbH"))
    assert met(book).ref == "Acme GmbH (support organization:2 2)"


def test_the_name_of_a_renamed_organisation_follows_and_the_old_one_is_still_known(
    book: Book,
) -> None:
    """ "The same organisation under a new name stays the same account, and its name follows." """
    before = bought(book, "acme gmbh")
    met(book)
    after = met(book, Customer("organization:2", "Zenith AG"))
    assert (after.id, after.ref, after.name) == (before.id, "acme gmbh", "Zenith AG")
    for name in ("Acme GmbH", "Zenith AG", "zenith ag"):
        assert named(book, name) == after
        assert bought(book, name).id == after.id


def test_every_name_that_an_account_ever_had_means_it(book: Book) -> None:
    met(book)
    account = met(book, Customer("organization:2", "Zenith AG"))
    met(book, Customer("organization:2", "Zenith SE"))
    assert {bought(book, name).id for name in ("Acme GmbH", "Zenith AG", "Zenith SE")} == {
        account.id
    }


def test_an_account_of_several_records_is_called_as_the_one_it_is_named_after(book: Book) -> None:
    account = met(book)
    link(book, account, "organization:9", "cloud")
    assert met(book, Customer("organization:9", "Acme"), "cloud").name == "Acme GmbH"
    assert met(book, Customer("organization:9", "Acme US"), "cloud").name == "Acme GmbH"
    assert met(book, Customer("organization:2", "Acme SE")).name == "Acme SE"
    for name in ("Acme", "Acme US", "Acme SE", "Acme GmbH"):
        assert named(book, name).id == account.id


def test_a_renamed_organisation_that_takes_anothers_name_gets_none_of_its_points(
    book: Book,
) -> None:
    bought(book, "Acme GmbH")
    acme, beta = met(book), met(book, Customer("organization:3", "Beta Ltd"))
    renamed = met(book, Customer("organization:3", "Acme GmbH"))
    assert (renamed.id, renamed.name) == (beta.id, "Acme GmbH")
    assert (book.balance(acme.id), book.balance(beta.id)) == (50, 0)


def test_a_renamed_organisation_takes_up_nothing_that_awaits_its_new_name(book: Book) -> None:
    met(book)
    waiting = bought(book, "Zenith AG")
    assert met(book, Customer("organization:2", "Zenith AG")).id != waiting.id
    newcomer = met(book, Customer("organization:5", "Zenith AG"))
    assert newcomer.id != waiting.id


def test_a_name_that_two_accounts_have_says_nothing_and_both_can_be_named(book: Book) -> None:
    acme, beta = met(book), met(book, Customer("organization:3", "Beta Ltd"))
    met(book, Customer("organization:3", "Acme GmbH"))
    assert refusal(book, "acme gmbh") == (
        "'acme gmbh' may mean several accounts; write 'ref:Acme GmbH' (support:organization:2), or"
        " 'ref:Beta Ltd' (now called Acme GmbH, support:organization:3)"
    )
    assert named(book, "ref:Acme GmbH").id == acme.id
    assert named(book, "ref:Beta Ltd").id == named(book, "Beta Ltd").id == beta.id
    with pytest.raises(BadRequest, match="may mean several"):
        bought(book, "Acme GmbH")


def test_a_ref_is_taken_letter_by_letter_and_makes_no_account(book: Book) -> None:
    met(book)
    assert "no account has the ref 'acme gmbh'" in refusal(book, "ref:acme gmbh")
    with pytest.raises(BadRequest, match="no account has the ref 'Beta'"):
        bought(book, "ref:Beta")


def test_an_account_needs_a_name(book: Book) -> None:
    with pytest.raises(BadRequest, match="the account's name is empty"):
        bought(book, "  ")


def test_linking_a_record_moves_what_is_held_of_that_record_only(book: Book) -> None:
    """ "Linking two records to one account moves only what belongs to that record." """
    old, new = met(book), met(book, Customer("organization:3", "Beta Ltd"))
    link(book, old, "organization:9")
    held = opened(book, old, "organization:9", "awaiting_points")
    declined = opened(book, old, "organization:9", "declined")
    others = [
        opened(book, old, "organization:2", "awaiting_points"),
        opened(book, old, None, "awaiting_points"),
    ]
    link(book, new, "organization:9")
    assert [owner(book, one) for one in (held, declined, *others)] == [new.id] * 2 + [old.id] * 2


def test_linking_a_record_leaves_the_same_record_of_another_helpdesk_alone(book: Book) -> None:
    old, new = met(book), met(book, Customer("organization:3", "Beta Ltd"))
    link(book, old, "organization:9")
    link(book, old, "organization:9", "cloud")
    held = opened(book, old, "organization:9", "awaiting_points")
    link(book, new, "organization:9", "cloud")
    assert owner(book, held) == old.id


def test_what_was_charged_stays_with_who_paid_when_its_record_is_linked(book: Book) -> None:
    old = bought(book, "Acme GmbH")
    met(book)
    link(book, old, "organization:9")
    charged = opened(book, old, "organization:9")
    book.charge(charged, old.id)
    new = met(book, Customer("organization:3", "Beta Ltd"))
    link(book, new, "organization:9")
    assert (owner(book, charged), book.balance(old.id)) == (old.id, 40)
    assert met(book, Customer("organization:9", "Gamma")).id == new.id


def test_the_last_record_of_an_account_with_bookings_is_not_taken_away(book: Book) -> None:
    bought(book, "Acme GmbH")
    met(book)
    other = met(book, Customer("organization:3", "Beta Ltd"))
    with pytest.raises(BadRequest, match=r"the only customer record of the account 'Acme GmbH'"):
        link(book, other, "organization:2")
    assert named(book, "Acme GmbH").id == met(book).id


def test_a_record_takes_its_name_along(book: Book) -> None:
    old, new = met(book), met(book, Customer("organization:3", "Beta Ltd"))
    link(book, old, "organization:9")
    met(book, Customer("organization:9", "Gamma"))
    link(book, new, "organization:9")
    assert named(book, "Gamma").id == new.id


def test_linking_again_changes_nothing(book: Book) -> None:
    account = met(book)
    held = opened(book, account, "organization:2", "awaiting_points")
    link(book, account, "organization:2")
    assert (owner(book, held), met(book).id) == (account.id, account.id)


def test_two_workers_that_meet_a_new_record_at_once_agree(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker is first, right after ours has seen that the record is new."""
    look = accounts._record
    first: list[Account] = []

    def overtaken(conn: Connection, helpdesk: str, customer_ref: str) -> Any:
        seen = look(conn, helpdesk, customer_ref)
        if not first:
            monkeypatch.setattr(accounts, "_record", look)
            first.append(accounts.resolve(conn, "support", ACME, NOW))
        return seen

    monkeypatch.setattr(accounts, "_record", overtaken)
    assert [met(book)] == first
    assert book.db.read(lambda conn: conn.scalars(select(table.c.ref)).all()) == ["Acme GmbH"]


def test_a_record_that_others_add_all_the_time_is_left_for_later(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "_record", lambda *_: None)
    monkeypatch.setattr(accounts, "_introduce", lambda *_: None)
    with pytest.raises(LedgerBusy, match="support:organization:2 is being added by others"):
        met(book)


def test_letters_that_names_take_for_one_another_tell_mailboxes_apart(book: Book) -> None:
    """Two domains that differ in ß and ss belong to two people."""
    bought(book, "bob@strasse.example")
    other = met(book, Customer("person:9", "bob@straße.example"))
    assert other.ref != "bob@strasse.example"
    assert met(book, Customer("person:10", "Bob@Strasse.example")).ref == "bob@strasse.example"
