"""What accounts have, as a person or a script reads it."""

from collections.abc import Iterable
from datetime import date

from bridge.ledger.holdings import LotLine
from bridge.policy.notation import format_weekly
from bridge.policy.points import last_valid_day
from bridge.service.reports import Balance
from bridge.terminal.output import escaped, say, table


def show_balances(found: Iterable[Balance]) -> None:
    """Every account on a line."""
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


def show_balance(found: Balance) -> None:
    """What an account has, when it expires, and when support is open for it."""
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


def _last_day(found: Balance, lot: LotLine) -> date:
    return last_valid_day(lot.expires_at, found.located.calendar.zone)


def _country(found: Balance) -> str:
    return f"{found.located.country or 'none'} ({found.located.source.value})"


def _hours(found: Balance) -> str:
    """When support is open, what single dates are otherwise, and the promise."""
    said = found.located.hours.as_dict()
    always = found.located.hours.around_the_clock
    week = "around the clock" if always else format_weekly(found.located.calendar.weekly)
    dates = [
        f"{name} {', '.join(said[name])}" for name in ("closed", "worked", "open") if said.get(name)
    ]
    promise = f"an answer within {found.located.terms.response_seconds / 3600:g} of them"
    return "; ".join([week, *dates, promise])


def balance_as_json(found: Balance) -> dict[str, object]:
    """The same for scripts."""
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
