"""Commands about points: buying them, and where they are."""

from datetime import date, datetime
from typing import Annotated, Any

import typer

from bridge.cli.common import Account, bridge_of
from bridge.cli.numbers import between, taking, whole
from bridge.ledger.holdings import LotLine
from bridge.ledger.names import REF
from bridge.policy.hours import HOUR
from bridge.policy.notation import format_weekly, parse_day
from bridge.policy.places import Address
from bridge.policy.points import last_valid_day
from bridge.policy.service_hours import Hours
from bridge.policy.terms import LONGEST_PROMISE, SHORTEST_PROMISE
from bridge.service import purchases, reports
from bridge.service.accounts import HoursChange, change_account
from bridge.settings import Purpose
from bridge.terminal.output import Json, dump, escaped, say, table
from bridge.terminal.statement import show_statement

commands = typer.Typer()

_POINTS = whole("points are", purchases.MOST_POINTS)


def _dates(what: str, example: str) -> Any:
    return typer.Option(help=f"A date that is {what}, e.g. {example}; once for each.")


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
        f"{verb} [bold]{bought.points}[/] points for [bold]{escaped(bought.account)}[/], "
        f"valid through {bought.last_valid_day}. On hand: [bold]{bought.balance}[/]."
    )
    if bought.new_account:
        say("[yellow]Note:[/] this account is new; a customer of exactly that name takes it up.")
    for stored in bought.released:
        say(f"Released: {escaped(stored.helpdesk)} ticket {escaped(stored.ticket_number)}.")


@commands.command(epilog="Example: points-bridge accounts --json")
def accounts(context: typer.Context, as_json: Json = False) -> None:
    """List every account with its points."""
    with bridge_of(context, Purpose.LEDGER) as bridge:
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
    ' --hours "Mon-Thu 08:00-18:00, Fri 08:00-15:00"'
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
    hours: Annotated[
        str | None, typer.Option(help='Weekly hours: "Mon-Thu 08:00-18:00, Fri 08:00-15:00".')
    ] = None,
    around_the_clock: Annotated[
        bool, typer.Option("--around-the-clock", help="Every hour counts, on holidays too.")
    ] = False,
    response_hours: Annotated[
        float | None,
        typer.Option(
            help="The promise, in business hours.",
            parser=between("response hours are", SHORTEST_PROMISE / HOUR, LONGEST_PROMISE / HOUR),
        ),
    ] = None,
    holidays: Annotated[
        str | None, typer.Option(help="Which holidays close, e.g. public,bank.")
    ] = None,
    closed: Annotated[list[str], _dates("closed", "2026-12-24")] = [],  # noqa: B006
    worked: Annotated[list[str], _dates("worked although a holiday", "2026-10-03")] = [],  # noqa: B006
    open_: Annotated[
        list[str],
        typer.Option("--open", help='A date and its own hours: "2026-12-31 09:00-12:00".'),
    ] = [],  # noqa: B006
    as_usual: Annotated[list[str], _dates("as usual again", "2026-12-24")] = [],  # noqa: B006
    clear_hours: Annotated[
        bool, typer.Option("--clear-hours", help="Forget all that was said of its hours, first.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make an account, or say where it is, when it works and which customer records it has."""
    said = {
        "hours": hours,
        "around_the_clock": around_the_clock or None,
        "response_hours": response_hours,
        "holiday_categories": holidays.split(",") if holidays is not None else None,
        "closed": closed,
        "worked": worked,
        "open": open_,
    }
    change = HoursChange(
        Hours.from_dict({key: value for key, value in said.items() if value is not None}),
        [parse_day(day) for day in as_usual],
        forget=clear_hours,
    )
    with bridge_of(context, Purpose.LEDGER) as bridge:
        address = Address(zone, country, subdivision)
        changed = change_account(bridge, ref, address, link, change)
        found = reports.balance(bridge, f"{REF}{changed.ref}")
    _show(found, as_json)


@commands.command(epilog='Example: points-bridge balance "Acme GmbH"')
def balance(context: typer.Context, account: Account, as_json: Json = False) -> None:
    """Show what an account has on hand, and when it expires."""
    with bridge_of(context, Purpose.LEDGER) as bridge:
        found = reports.balance(bridge, account)
    _show(found, as_json)


@commands.command(epilog='Example: points-bridge statement "Acme GmbH" --json')
def statement(context: typer.Context, account: Account, as_json: Json = False) -> None:
    """Show every booking of an account, oldest first."""
    with bridge_of(context, Purpose.LEDGER) as bridge:
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
        f"[bold]{escaped(found.account.ref)}[/]: [bold]{found.on_hand}[/] points on hand, "
        f"{found.held} waiting; {found.located.calendar.zone}, holidays: {_country(found)}."
    )
    say(f"Hours: {escaped(_hours(found))}.")
    for warning in found.located.warnings:
        say(f"[yellow]Note:[/] {escaped(warning)}.")
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


def _hours(found: reports.Balance) -> str:
    """When support is open, what single dates are otherwise, and the promise."""
    said = found.located.hours.as_dict()
    always = found.located.hours.around_the_clock
    week = "around the clock" if always else format_weekly(found.located.calendar.weekly)
    dates = [
        f"{name} {', '.join(said[name])}" for name in ("closed", "worked", "open") if said.get(name)
    ]
    promise = f"an answer within {found.located.terms.response_seconds / HOUR:g} of them"
    return "; ".join([week, *dates, promise])


def _as_json(found: reports.Balance) -> dict[str, object]:
    return {
        "account": found.account.ref,
        "on_hand": found.on_hand,
        "waiting": found.held,
        "zone": found.located.calendar.zone,
        "country": found.located.country,
        "subdivision": found.located.subdivision,
        "country_source": found.located.source,
        "hours": found.account.hours.as_dict(),
        "warnings": found.located.warnings,
        "lots": found.lots,
    }
