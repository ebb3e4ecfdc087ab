"""The command about points: buying them."""

from datetime import date, datetime
from typing import Annotated

import typer

from bridge.cli.common import Account, bridge_of
from bridge.cli.numbers import taking, whole
from bridge.service import purchases
from bridge.settings import Purpose
from bridge.terminal.names import called
from bridge.terminal.output import Json, dump, escaped, say

commands = typer.Typer()

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
    as_json: Json = False,
) -> None:
    """Book points that an account bought, and release its waiting tickets."""
    with bridge_of(context, Purpose.LEDGER) as bridge:
        day: date | None = on.date() if on else None
        bought = purchases.buy(bridge, account, points, reference=reference, on=day)
    if as_json:
        dump(bought)
        return
    verb = "Booked" if bought.created else "Booked before, nothing changed:"
    say(
        f"{verb} [bold]{bought.points}[/] points for {called(bought.account, bought.name)}, "
        f"valid through {bought.last_valid_day}. On hand: [bold]{bought.balance}[/]."
    )
    if bought.new_account:
        say("[yellow]Note:[/] this account is new; a customer of exactly that name takes it up.")
    for stored in bought.released:
        say(f"Released: {escaped(stored.helpdesk)} ticket {escaped(stored.ticket_number)}.")
