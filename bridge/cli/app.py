"""The command line as a whole."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bridge import __version__
from bridge.cli import accounts, doctor, points, queues, serving, setup, tickets
from bridge.terminal.output import say
from webhooks.wsgi import SETTINGS_VARIABLE


class _Commands(TyperGroup):
    """All of them: what one of them says of a wrong option begins with no word of a library."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Try it without a helpdesk: points-bridge demo",
)
for part in (
    serving.commands,
    setup.commands,
    doctor.commands,
    points.commands,
    accounts.commands,
    tickets.commands,
):
    app.add_typer(part)
app.add_typer(points.undoing, name="purchases")
app.add_typer(queues.commands, name="queues")
app.add_typer(serving.settings_commands, name="settings")


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"points-bridge {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    context: typer.Context,
    settings: Annotated[
        Path,
        typer.Option(
            envvar=SETTINGS_VARIABLE,
            help="The settings file; `points-bridge settings example` prints one to start from.",
        ),
    ] = Path("points-bridge.toml"),
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Prepaid support points for the helpdesk you already have."""
    context.obj = settings
