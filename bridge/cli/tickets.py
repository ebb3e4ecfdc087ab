"""Commands about tickets: why one is as it is, and when an answer is due."""

from typing import Annotated

import typer

from bridge.cli.common import HelpdeskName, bridge_of
from bridge.cli.numbers import between
from bridge.policy.places import Address
from bridge.policy.terms import Terms
from bridge.service import reports
from bridge.service.due import first_response
from bridge.terminal.due import show_expected
from bridge.terminal.explanation import show_explanation
from bridge.terminal.output import Json, dump

commands = typer.Typer()


@commands.command(epilog="Example: points-bridge explain support 31001")
def explain(
    context: typer.Context,
    helpdesk: HelpdeskName,
    ticket: Annotated[str, typer.Argument(help="The ticket's number, or its id.")],
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
    ] = (Terms().response_seconds / 3600),
    as_json: Json = False,
) -> None:
    """Compute when a first response is due, without any settings or database."""
    found = first_response(opened_at, Address(timezone, country, subdivision), round(hours * 3600))
    if as_json:
        due_at = {"due_at": found.due.at, "by_close": found.due.by_close}
        dump({"opened_at": found.opened_at} | due_at | found.inputs | {"warnings": found.warnings})
    else:
        show_expected(found)
