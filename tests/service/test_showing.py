"""What accounts have, shown on the organisations' records."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import structlog

from bridge.errors import HelpdeskRefused, HelpdeskUnavailable
from bridge.service import showing
from bridge.service.showing import show_accounts
from bridge.ticket import AccountFields, Customer
from tests.service.conftest import ACME, BETA, DAY, NOW, SECOND, House


@pytest.fixture
def known(house: House) -> House:
    """Acme and Beta are known to the helpdesk."""
    house.buy(100)
    house.open("5")
    house.open("6", BETA)
    house.run()
    house.desk.calls.clear()
    return house


def shown(house: House) -> int:
    """How many records are written now."""
    return show_accounts(house.bridge)


def test_they_show_balance_and_next_expiry(known: House) -> None:
    assert shown(known) == 2
    assert known.desk.accounts == {
        ACME.ref: AccountFields(90, date(2027, 11, 23)),
        BETA.ref: AccountFields(0),
    }


def test_a_person_s_record_shows_nothing(house: House) -> None:
    house.open("5", Customer("person:8", "carla@acme.example"))
    house.run()
    assert shown(house) == 0


def test_they_are_not_written_again_while_nothing_changes(known: House) -> None:
    shown(known)
    known.later(hours=23)
    assert shown(known) == 0


def test_a_booking_is_shown_when_a_record_may_be_written_again(known: House) -> None:
    shown(known)
    known.buy(10)
    known.later(seconds=11)
    assert shown(known) == 0
    known.later(seconds=1)
    assert shown(known) == 1
    assert known.desk.accounts[ACME.ref].balance == 100


def test_somebody_may_have_typed_over_it_so_it_is_written_daily(known: House) -> None:
    shown(known)
    known.now += DAY - SECOND
    assert shown(known) == 0
    known.now += SECOND
    assert shown(known) == 2


def test_an_expiry_is_shown_at_once(house: House) -> None:
    house.buy(20, on=date(2025, 11, 23))
    house.buy(50)
    house.open()
    house.run()
    house.now = NOW.replace(hour=22, minute=59)
    shown(house)
    assert house.desk.accounts[ACME.ref] == AccountFields(60, date(2026, 11, 23))
    house.now = NOW.replace(hour=23)
    assert shown(house) == 1
    assert house.desk.accounts[ACME.ref] == AccountFields(50, date(2027, 11, 23))


def test_a_helpdesk_that_does_not_show_accounts_is_left_alone(known: House) -> None:
    known.desk.shows_accounts = False
    assert shown(known) == 0
    assert known.desk.calls == []


def test_a_helpdesk_that_is_down_is_asked_again_a_minute_later(known: House) -> None:
    known.desk.failing["show account"] = HelpdeskUnavailable("down")
    assert shown(known) == 0
    assert known.desk.calls == ["show account"]
    known.desk.failing.clear()
    known.later(seconds=59)
    assert shown(known) == 1
    known.later(seconds=1)
    assert shown(known) == 1


def test_the_wait_that_a_helpdesk_asks_for_is_kept(known: House) -> None:
    known.desk.failing["show account"] = HelpdeskUnavailable("slow down", retry_after=300)
    shown(known)
    known.desk.failing.clear()
    known.later(seconds=299)
    assert shown(known) == 1
    known.later(seconds=1)
    assert shown(known) == 1


def test_what_was_written_before_the_failure_counts(
    known: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    show = known.desk.show_account

    def fail_for_beta(customer: str, fields: AccountFields) -> None:
        if customer == BETA.ref:
            raise HelpdeskUnavailable("down")
        show(customer, fields)

    monkeypatch.setattr(known.desk, "show_account", fail_for_beta)
    assert shown(known) == 1


def test_a_record_that_is_refused_does_not_stop_the_others_and_waits_an_hour(
    known: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    show = known.desk.show_account

    def refuse_acme(customer: str, fields: AccountFields) -> None:
        if customer == ACME.ref:
            raise HelpdeskRefused("no such organisation")
        show(customer, fields)

    monkeypatch.setattr(known.desk, "show_account", refuse_acme)
    with structlog.testing.capture_logs() as logs:
        shown(known)
    assert list(known.desk.accounts) == [BETA.ref]
    assert logs == [
        {
            "event": "an account is not shown",
            "log_level": "warning",
            "record": ACME.ref,
            "error": "no such organisation",
        }
    ]
    monkeypatch.setattr(known.desk, "show_account", show)
    known.now += timedelta(hours=1) - SECOND
    assert shown(known) == 0
    known.now += SECOND
    assert shown(known) == 1


def test_one_run_writes_a_batch(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "_BATCH", 2)
    for number in range(5):
        house.open(str(number), replace(ACME, ref=f"organization:{number}"))
    house.run()
    assert [shown(house) for _ in range(4)] == [2, 2, 1, 0]
