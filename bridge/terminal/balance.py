"""What accounts have, as a person or a script reads it."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from bridge.ledger.holdings import LotLine
from bridge.ledger.names import now_called
from bridge.policy.hours import HOUR
from bridge.policy.notation import format_open_day, format_weekly
from bridge.policy.places import AccountCalendar
from bridge.policy.points import last_valid_day
from bridge.service.accounts import Changed
from bridge.service.reports import Balance, Statement
from bridge.terminal.names import called
from bridge.terminal.output import escaped, say, table


def show_balances(found: Iterable[Balance]) -> None:
    """Every account on a line."""
    rows = [
        (
            one.account.ref + now_called(one.account.ref, one.account.name),
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
    who = called(found.account.ref, found.account.name)
    say(
        f"{who}: [bold]{found.on_hand}[/] points on hand, "
        f"{found.held} waiting; {found.located.calendar.zone}, holidays: {_country(found)}."
    )
    say(f"Hours: {escaped(_hours(found))}.")
    say(f"Customer records: {escaped(', '.join(found.records) or 'none yet')}.")
    if found.expired_unbooked:
        say(
            f"[yellow]Note:[/] {found.expired_unbooked} points have expired, which is not booked"
            " yet: a server books it 72 hours later."
        )
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


def show_change(changed: Changed) -> None:
    """What a change did: from what to what."""
    if changed.made:
        say(f"Made the account [bold]{escaped(changed.account.ref)}[/].")
    else:
        for name, was in changed.was.items():
            now = changed.now[name]
            say(f"{escaped(name)}: {escaped(_legible(was))} → [bold]{escaped(_legible(now))}[/]")
    if changed.unchecked:
        say(
            "[yellow]Note:[/] it was not checked whether the helpdesk has that record: its secrets"
            " are not at hand."
        )


def _legible(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "nothing" if value is None else str(value)


def _last_day(found: Balance, lot: LotLine) -> date:
    return last_valid_day(lot.expires_at, found.located.calendar.zone)


def _country(found: Balance) -> str:
    place = found.located.place
    where = "-".join(filter(None, (place.country, place.subdivision))) or "none"
    categories = found.account.hours.categories
    closing = f", {' and '.join(categories)}" if categories else ""
    return f"{where} ({place.source.value}{closing})"


def _hours(found: Balance) -> str:
    """When support is open, what single dates are otherwise, and the promise."""
    said = _in_effect(found.located)
    week = "around the clock" if said["around_the_clock"] else said["hours"]
    dates = [f"{name} {', '.join(said[name])}" for name in ("closed", "worked", "open")]
    promise = f"an answer within {said['response_hours']:g} of them"
    return "; ".join([week, *(one for one in dates if not one.endswith(" ")), promise])


def names_as_json(found: Balance | Statement) -> dict[str, object]:
    """What an account is called, for scripts: its ref first."""
    return {
        "account": found.account.ref,
        "name": found.account.name,
        "also_known_as": found.also_known_as,
    }


def balance_as_json(found: Balance) -> dict[str, object]:
    """The same for scripts. `hours` is what the account itself says, the other what holds."""
    return names_as_json(found) | {
        "records": found.records,
        "on_hand": found.on_hand,
        "expired_unbooked": found.expired_unbooked,
        "waiting": found.held,
        "zone": found.located.calendar.zone,
        "country": found.located.place.country,
        "subdivision": found.located.place.subdivision,
        "country_source": found.located.place.source,
        "hours": found.account.hours.as_dict(),
        "effective_hours": _in_effect(found.located),
        "warnings": found.located.warnings,
        "lots": found.lots,
    }


def _in_effect(located: AccountCalendar) -> dict[str, Any]:
    """The hours that hold once defaults and the place are known, as people write them."""
    calendar = located.calendar
    return {
        "hours": format_weekly(calendar.weekly),
        "around_the_clock": bool(located.hours.around_the_clock),
        "response_hours": located.terms.response_seconds / HOUR,
        "closed": [str(day) for day in sorted(calendar.extra_closed)],
        "worked": [str(day) for day in sorted(calendar.removed)],
        "open": [format_open_day(*one) for one in sorted(calendar.open_windows.items())],
    }
