"""Commands about points: buying them, and where they are."""

from datetime import date, datetime
from typing import Annotated

import typer
from rich.markup import escape

from bridge.cli.common import Account, bridge_of
from bridge.ledger.accounts import Address
from bridge.ledger.holdings import LotLine
from bridge.policy.points import last_valid_day
from bridge.service import purchases, reports
from bridge.service.accounts import change_account
from bridge.terminal.output import Json, dump, say, table
from bridge.terminal.statement import show_statement

commands = typer.Typer()


@commands.command(epilog='Example: points-bridge purchase "Acme GmbH" 100 --reference INV-2026-17')
def purchase(
    context: typer.Context,
    account: Account,
    points: Annotated[int, typer.Argument(help="How many points.", min=1)],
    reference: Annotated[
        str, typer.Option(help="Order, invoice or payment. The same one is booked once.")
    ],
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day of purchase in the account's zone; today."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Book points that an account bought, and release its waiting tickets."""
    with bridge_of(context) as bridge:
        day: date | None = on.date() if on else None
        bought = purchases.buy(bridge, account, points, reference=reference, on=day)
    if as_json:
        dump(bought)
        return
    verb = "Booked" if bought.created else "Booked before, nothing changed:"
    say(
        f"{verb} [bold]{bought.points}[/] points for [bold]{escape(bought.account)}[/], "
        f"valid through {bought.last_valid_day}. On hand: [bold]{bought.balance}[/]."
    )
    if bought.new_account:
        say("[yellow]Note:[/] this account is new; a customer of exactly that name takes it up.")
    for stored in bought.released:
        say(f"Released: {stored.helpdesk} ticket {escape(stored.ticket_number)}.")


@commands.command(epilog="Example: points-bridge accounts --json")
def accounts(context: typer.Context, as_json: Json = False) -> None:
    """List every account with its points."""
    with bridge_of(context) as bridge:
        found = reports.balances(bridge)
    if as_json:
        dump([_as_json(one) for one in found])
        return
    rows = [
        (
            one.account.ref,
            one.on_hand,
            _last_day(one, one.lots[0]) if one.lots else None,
            one.held,
            one.located.calendar.zone,
            _country(one),
        )
        for one in found
    ]
    columns = ("Account", "#On hand", "Next expiry", "#Waiting", "Zone", "Holidays")
    table("Accounts", columns, rows)


@commands.command(
    epilog='Example: points-bridge account "Acme GmbH" --zone Europe/Berlin --country DE'
)
def account(
    context: typer.Context,
    ref: Account,
    zone: Annotated[str | None, typer.Option(help="IANA time zone, e.g. Europe/Berlin.")] = None,
    country: Annotated[str | None, typer.Option(help="Whose holidays, e.g. DE.")] = None,
    subdivision: Annotated[str | None, typer.Option(help="State or province, e.g. BY.")] = None,
    link: Annotated[
        str | None,
        typer.Option(help="A customer record that is this account: support:organization:2"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make an account, or say where it is and which customer records belong to it."""
    with bridge_of(context) as bridge:
        changed = change_account(bridge, ref, Address(zone, country, subdivision), link)
        found = reports.balance(bridge, changed.ref)
    _show(found, as_json)


@commands.command(epilog='Example: points-bridge balance "Acme GmbH"')
def balance(context: typer.Context, account: Account, as_json: Json = False) -> None:
    """Show what an account has on hand, and when it expires."""
    with bridge_of(context) as bridge:
        found = reports.balance(bridge, account)
    _show(found, as_json)


@commands.command(epilog='Example: points-bridge statement "Acme GmbH" --json')
def statement(context: typer.Context, account: Account, as_json: Json = False) -> None:
    """Show every booking of an account, oldest first."""
    with bridge_of(context) as bridge:
        owner, lines = reports.statement(bridge, account)
    if as_json:
        dump({"account": owner.ref, "entries": lines})
    else:
        show_statement(owner, lines)


def _show(found: reports.Balance, as_json: bool) -> None:
    if as_json:
        dump(_as_json(found))
        return
    say(
        f"[bold]{escape(found.account.ref)}[/]: [bold]{found.on_hand}[/] points on hand, "
        f"{found.held} waiting; {found.located.calendar.zone}, holidays: {_country(found)}."
    )
    for warning in found.located.warnings:
        say(f"[yellow]Note:[/] {escape(warning)}.")
    rows = [
        (
            lot.reference,
            lot.kind,
            lot.remaining,
            lot.points,
            lot.purchased_on,
            _last_day(found, lot),
        )
        for lot in found.lots
    ]
    if rows:
        columns = ("Lot", "Kind", "#Left", "#Of", "Bought on", "Valid through")
        table("Points", columns, rows)


def _last_day(found: reports.Balance, lot: LotLine) -> date:
    return last_valid_day(lot.expires_at, found.located.calendar.zone)


def _country(found: reports.Balance) -> str:
    return f"{found.located.country or 'none'} ({found.located.source.value})"


def _as_json(found: reports.Balance) -> dict[str, object]:
    return {
        "account": found.account.ref,
        "on_hand": found.on_hand,
        "waiting": found.held,
        "zone": found.located.calendar.zone,
        "country": found.located.country,
        "subdivision": found.located.subdivision,
        "country_source": found.located.source,
        "warnings": found.located.warnings,
        "lots": found.lots,
    }
