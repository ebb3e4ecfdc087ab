"""Commands about points: buying them, and taking back a purchase that was a mistake."""

from datetime import date, datetime
from typing import Annotated

import typer

from bridge.cli import completion
from bridge.cli.common import Account, bridge_of, confirmed, operator
from bridge.cli.numbers import taking, whole
from bridge.errors import UnknownAccount
from bridge.service import purchases
from bridge.settings import Purpose
from bridge.terminal.names import called
from bridge.terminal.output import Json, dump, escaped, say, table, telling

commands = typer.Typer()
undoing = typer.Typer(help="Purchases that were booked.", no_args_is_help=True)

_POINTS = whole("points are", purchases.MOST_POINTS)


@commands.command(
    cls=taking(_POINTS),
    epilog='Example: points-bridge purchase "Acme GmbH" 100 --reference INV-2026-17',
)
def purchase(
    context: typer.Context,
    account: Account,
    points: Annotated[int, typer.Argument(help="How many points.", parser=_POINTS)],
    reference: Annotated[
        str, typer.Option(help="Order, invoice or payment. The same one is booked once.")
    ],
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day of purchase in the account's zone; today."),
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Make the account if nobody is called so.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Book points that an account bought, and release its waiting tickets."""
    day: date | None = on.date() if on else None
    with bridge_of(context, Purpose.LEDGER) as bridge:
        bought = confirmed(
            lambda sure: purchases.buy(
                bridge, account, points, reference=reference, on=day, new=UnknownAccount in sure
            ),
            {UnknownAccount: new},
        )
    with telling():
        if as_json:
            dump(bought)
        else:
            _show_bought(bought)


def _show_bought(bought: purchases.Bought) -> None:
    verb = "Booked" if bought.created else f"Booked before as {bought.reference}, nothing changed:"
    say(
        f"{escaped(verb)} [bold]{bought.points}[/] points for"
        f" {called(bought.account, bought.name)}, bought on {bought.purchased_on}, valid through"
        f" {bought.last_valid_day}. On hand: [bold]{bought.balance}[/]."
    )
    if bought.new_account:
        say("[yellow]Note:[/] this account is new; a customer of exactly that name takes it up.")
    for stored in bought.released:
        say(f"Released: {escaped(stored.helpdesk)} ticket {escaped(stored.ticket_number)}.")


@undoing.command("list", epilog='Example: points-bridge purchases list "Acme GmbH" --json')
def list_purchases(
    context: typer.Context,
    account: Annotated[
        str | None,
        typer.Argument(help="Of this account alone.", autocompletion=completion.accounts),
    ] = None,
    as_json: Json = False,
) -> None:
    """List purchases, oldest first."""
    with bridge_of(context, Purpose.LEDGER) as bridge:
        found = purchases.listed(bridge, account)
    if as_json:
        dump(found)
        return
    columns = ("Reference", "Account", "#Points", "#Left", "Bought on", "Expires")
    rows = [
        (one.reference, one.account, one.points, one.remaining, one.purchased_on, one.expires_at)
        for one in found
    ]
    table("Purchases", columns, rows)


@undoing.command(
    epilog='Example: points-bridge purchases cancel INV-2026-17 --reason "typed the wrong name"'
)
def cancel(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(help="The reference it was booked under.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the booking.")],
    as_json: Json = False,
) -> None:
    """Take back what is unspent of a purchase; its reference stays taken. Safe to repeat."""
    with bridge_of(context, Purpose.LEDGER) as bridge:
        done = purchases.cancel(bridge, reference, reason, actor=operator())
    with telling():
        if as_json:
            dump(done)
        else:
            _show_cancelled(done)


def _show_cancelled(done: purchases.Cancelled) -> None:
    who = called(done.account, done.name)
    if not done.created:
        say(f"Cancelled before, on {done.at:%Y-%m-%d}: nothing more of {who} to take back.")
        return
    say(
        f"Cancelled {escaped(done.reference)}: [bold]{done.points}[/] of {done.bought} points taken"
        f" back from {who}. On hand: [bold]{done.balance}[/]."
    )
