"""Commands about tickets: why one is as it is, and when an answer is due."""

from datetime import datetime
from typing import Annotated

import typer

from bridge.cli.common import bridge_of
from bridge.cli.numbers import between
from bridge.errors import BadRequest
from bridge.policy.calendars import Region, build_calendar, clock_inputs, find_place
from bridge.policy.hours import HOUR, Due, add_business_time
from bridge.policy.rules import stamp
from bridge.policy.terms import Terms
from bridge.policy.zones import load_zone
from bridge.service import reports
from bridge.terminal.explanation import show_explanation
from bridge.terminal.output import Json, dump, escaped, say, table

commands = typer.Typer()


@commands.command(epilog="Example: points-bridge explain support 31001")
def explain(
    context: typer.Context,
    helpdesk: Annotated[str, typer.Argument(help="The helpdesk's name in the settings.")],
    ticket: Annotated[str, typer.Argument(help="The ticket's id (not its number).")],
    as_json: Json = False,
) -> None:
    """Say why a ticket is as it is: every rule in order, its inputs, its outcome."""
    with bridge_of(context) as bridge:
        found = reports.explain(bridge, helpdesk, ticket)
    if as_json:
        dump(found)
    else:
        show_explanation(found)


@commands.command(
    epilog="Example: points-bridge due --opened-at 2026-11-20T15:30 --timezone Europe/Berlin"
)
def due(
    opened_at: Annotated[
        str, typer.Option(help="ISO 8601; without an offset it is local time in the zone.")
    ],
    timezone: Annotated[str, typer.Option(help="IANA time zone, e.g. Europe/Berlin.")],
    country: Annotated[
        str | None, typer.Option(help="Whose holidays, e.g. DE; else the zone's country.")
    ] = None,
    subdivision: Annotated[str | None, typer.Option(help="State or province, e.g. BY.")] = None,
    hours: Annotated[
        float,
        typer.Option(
            help="The promise, in business hours.", parser=between("hours are", 0, 10_000)
        ),
    ] = (Terms().response_seconds / HOUR),
    as_json: Json = False,
) -> None:
    """Compute when a first response is due, without any settings or database."""
    if subdivision and not country:
        raise BadRequest("a subdivision needs its country; give --country too")
    start = _instant(opened_at, timezone)
    place = find_place(timezone, Region(country, subdivision) if country else None)
    calendar = build_calendar(timezone, place.country, place.subdivision)
    try:
        promised = add_business_time(start, round(hours * HOUR), calendar)
        inputs = clock_inputs(calendar, start, promised.at, place.source).as_dict()
    except (OverflowError, ValueError, OSError):
        raise BadRequest("that is beyond the years that calendars know") from None
    if as_json:
        dump({"due_at": promised.at, "by_close": promised.by_close} | inputs)
        return
    _show_due(start, promised, timezone, inputs)
    for warning in place.warnings:
        say(f"[yellow]Note:[/] {escaped(warning)}.")


def _show_due(start: datetime, promised: Due, timezone: str, inputs: dict[str, object]) -> None:
    zone = load_zone(timezone)
    rows = [
        (name, f"{at.astimezone(zone):%a %Y-%m-%d %H:%M:%S %Z}", stamp(at))
        for name, at in (
            ("Opened", start),
            ("First response due", promised.at),
            ("That is, by", promised.by_close),
        )
    ]
    table(f"Due in {timezone}", ("What", "There", "UTC"), rows)
    say(f"Country {inputs['country']} ({inputs['country_source']}), holidays "
        f"{inputs['holidays_version']}, zones {inputs['iana_version']}.")  # fmt: skip
    closed = inputs["closed_dates"]
    if isinstance(closed, list) and closed:
        say(f"Closed days between: {', '.join(map(str, closed))}.")


def _instant(text: str, timezone: str) -> datetime:
    zone = load_zone(timezone)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"{text!r} is no ISO 8601 time, like 2026-11-20T15:30") from None
    return at if at.tzinfo else at.replace(tzinfo=zone)
