"""Commands about accounts: what they have, where they are, when support is open for them."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

import typer

from bridge.cli.common import Account, bridge_of, confirmed, settings_of
from bridge.cli.numbers import between
from bridge.errors import RecordTaken, SettingsError, Unconfirmed, UnknownAccount
from bridge.ledger.names import REF
from bridge.policy.notation import parse_day
from bridge.policy.places import Address
from bridge.policy.service_hours import Hours
from bridge.service import reports
from bridge.service.accounts import AccountChange, HoursChange, change_account
from bridge.service.core import Bridge
from bridge.settings import Purpose
from bridge.terminal.balance import (
    balance_as_json,
    names_as_json,
    show_balance,
    show_balances,
    show_change,
)
from bridge.terminal.output import Json, dump, telling
from bridge.terminal.statement import show_statement

commands = typer.Typer()


class Said(StrEnum):
    """What an account can say of itself, and take back."""

    ZONE = "zone"
    COUNTRY = "country"
    SUBDIVISION = "subdivision"


def _dates(what: str, example: str) -> Any:
    return typer.Option(help=f"A date that is {what}, e.g. {example}; once for each.")


_LINK = typer.Option(help="A customer record that is this account: support:organization:2")
_UNLINK = typer.Option(help="A customer record that is not this account.")
_TAKE = typer.Option("--yes", help="Take a linked record from another account.")
_RENAME = typer.Option(help="What it is called from now on; the old name still works.")
_CLEAR = typer.Option(help="Forget what was said of this; once for each.")
_HOURS = typer.Option(help='Weekly hours: "Mon-Thu 08:00-18:00, Fri 08:00-15:00".')
_AROUND_THE_CLOCK = typer.Option("--around-the-clock", help="Every hour counts, on holidays too.")
_PROMISE = typer.Option(
    help="The promise, in business hours.", parser=between("response hours are", 0.25, 2000)
)
_HOLIDAYS = typer.Option(help="Which holidays close, e.g. public,bank.")
_OPEN = typer.Option("--open", help='A date and its own hours: "2026-12-31 09:00-12:00".')
_CLEAR_HOURS = typer.Option("--clear-hours", help="Forget all that was said of its hours, first.")


@commands.command(epilog="Example: points-bridge accounts --json")
def accounts(context: typer.Context, as_json: Json = False) -> None:
    """List every account with its points."""
    with bridge_of(context, Purpose.LEDGER) as bridge:
        found = reports.balances(bridge)
    if as_json:
        dump([balance_as_json(one) for one in found])
    else:
        show_balances(found)


@commands.command(
    epilog='Example: points-bridge account "Acme GmbH" --zone Europe/Berlin --country DE'
    ' --hours "Mon-Thu 08:00-18:00, Fri 08:00-15:00"'
)
def account(
    context: typer.Context,
    ref: Account,
    zone: Annotated[str | None, typer.Option(help="IANA time zone, e.g. Europe/Berlin.")] = None,
    country: Annotated[str | None, typer.Option(help="Whose holidays, e.g. DE.")] = None,
    subdivision: Annotated[str | None, typer.Option(help="State or province, e.g. BY.")] = None,
    link: Annotated[str | None, _LINK] = None,
    hours: Annotated[str | None, _HOURS] = None,
    around_the_clock: Annotated[bool, _AROUND_THE_CLOCK] = False,
    response_hours: Annotated[float | None, _PROMISE] = None,
    holidays: Annotated[str | None, _HOLIDAYS] = None,
    closed: Annotated[list[str], _dates("closed", "2026-12-24")] = [],  # noqa: B006
    worked: Annotated[list[str], _dates("worked although a holiday", "2026-10-03")] = [],  # noqa: B006
    open_: Annotated[list[str], _OPEN] = [],  # noqa: B006
    as_usual: Annotated[list[str], _dates("as usual again", "2026-12-24")] = [],  # noqa: B006
    clear_hours: Annotated[bool, _CLEAR_HOURS] = False,
    clear: Annotated[list[Said], _CLEAR] = [],  # noqa: B006
    rename: Annotated[str | None, _RENAME] = None,
    unlink: Annotated[str | None, _UNLINK] = None,
    new: Annotated[bool, typer.Option("--new", help="Make it if nobody is called so.")] = False,
    yes: Annotated[bool, _TAKE] = False,
    as_json: Json = False,
) -> None:
    """Say where an account is, when it works, what it is called and which records it has."""
    hours_said = {
        "hours": hours,
        "around_the_clock": around_the_clock or None,
        "response_hours": response_hours,
        "holiday_categories": holidays.split(",") if holidays is not None else None,
        "closed": closed,
        "worked": worked,
        "open": open_,
    }
    change = HoursChange(
        Hours.from_dict({key: value for key, value in hours_said.items() if value is not None}),
        [parse_day(day) for day in as_usual],
        forget=clear_hours,
    )
    wanted = AccountChange(Address(zone, country, subdivision), clear, change, rename, link, unlink)
    said = {UnknownAccount: new, RecordTaken: yes}
    with _asking(context, link) as bridge:
        changed = confirmed(lambda sure: change_account(bridge, ref, _sure(wanted, sure)), said)
        found = reports.balance(bridge, f"{REF}{changed.account.ref}")
    with telling():
        if as_json:
            told = {"was": changed.was, "now": changed.now, "unchecked": changed.unchecked}
            dump(balance_as_json(found) | told)
        else:
            show_change(changed)
            show_balance(found)


@contextmanager
def _asking(context: typer.Context, link: str | None) -> Iterator[Bridge]:
    """A bridge that can ask the helpdesk for the record to be linked, where its secrets are."""
    purpose = Purpose.SERVE if link else Purpose.LEDGER
    try:
        settings_of(context, purpose)
    except SettingsError:
        purpose = Purpose.LEDGER
    with bridge_of(context, purpose) as bridge:
        yield bridge


def _sure(change: AccountChange, sure: Collection[type[Unconfirmed]]) -> AccountChange:
    return replace(change, new=UnknownAccount in sure, take=RecordTaken in sure)


@commands.command(epilog='Example: points-bridge balance "Acme GmbH"')
def balance(context: typer.Context, account: Account, as_json: Json = False) -> None:
    """Show what an account has on hand, and when it expires."""
    with bridge_of(context, Purpose.LEDGER) as bridge:
        found = reports.balance(bridge, account)
    _print(found, as_json)


@commands.command(epilog='Example: points-bridge statement "Acme GmbH" --json')
def statement(context: typer.Context, account: Account, as_json: Json = False) -> None:
    """Show every booking of an account, oldest first."""
    with bridge_of(context, Purpose.LEDGER) as bridge:
        found = reports.statement(bridge, account)
    if as_json:
        dump(names_as_json(found) | {"entries": found.entries})
    else:
        show_statement(found)


def _print(found: reports.Balance, as_json: bool) -> None:
    if as_json:
        dump(balance_as_json(found))
    else:
        show_balance(found)
