"""Commands that run things: the server, its parts, the demo, and the check of the settings."""

import os
import signal
import socket
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from bridge.bootstrap import opened, working
from bridge.cli.common import bridge_of, settings_of
from bridge.cli.numbers import whole
from bridge.errors import SettingsError
from bridge.settings import Settings, example_settings
from bridge.settings.secrets import warn_of_exposed
from bridge.terminal.output import Json, dump, escaped, say
from webhooks.wsgi import PARENT_VARIABLE, SETTINGS_VARIABLE

commands = typer.Typer()
settings_commands = typer.Typer(help="The settings file.", no_args_is_help=True)

#: Requests that are verified and stored at the same time; they share one commit.
_REQUEST_THREADS = 16


@commands.command(epilog="Example: points-bridge --settings /etc/points-bridge.toml serve")
def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Instead of the settings' listen.host.")] = None,
    port: Annotated[
        int | None,
        typer.Option(
            help="Instead of the settings' listen.port.", parser=whole("a port is", 65_535)
        ),
    ] = None,
    receiver_only: Annotated[
        bool, typer.Option("--receiver-only", help="Leave the work to `points-bridge work`.")
    ] = False,
) -> None:
    """Receive webhooks, work on them and keep the schedule, in one process."""
    settings = settings_of(context)
    address = _free_address(host or settings.listen.host, port or settings.listen.port)
    with opened(settings) as bridge, nullcontext() if receiver_only else bridge.db.serving_lock():
        pass  # what would fail in the server's process fails here, with a message
    path: Path = context.obj
    os.environ |= {SETTINGS_VARIABLE: str(path.resolve()), PARENT_VARIABLE: str(os.getpid())}
    say(f"Receiving on http://{address[0]}:{address[1]}/webhooks/<helpdesk>: {_names(settings)}")
    Server(
        f"webhooks.wsgi:{'receiver' if receiver_only else 'everything'}",
        factory=True,
        interface=Interfaces.WSGI,
        address=address[0],
        port=address[1],
        workers=1,
        blocking_threads=_REQUEST_THREADS,
        log_level=LogLevels.error,
    ).serve()


@commands.command(epilog="Example: points-bridge work")
def work(context: typer.Context) -> None:
    """Work and keep the schedule, beside receivers that run elsewhere."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with bridge_of(context) as bridge, working(bridge):
        warn_of_exposed(settings_of(context).exposed())
        say("Working. Ctrl-C ends it.")
        stop.wait()


@commands.command(epilog="Example: points-bridge demo --serve")
def demo(
    serve_on: Annotated[
        bool, typer.Option("--serve", help="Stay up afterwards, and say where to look.")
    ] = False,
) -> None:
    """Show the whole life of some tickets on this machine, with a stand-in for the helpdesk."""
    from bridge.demo.story import run

    run(stay=serve_on)


@settings_commands.command(epilog="Example: points-bridge settings check --json")
def check(context: typer.Context, as_json: Json = False) -> None:
    """Check the settings file and the secrets; names every problem at once."""
    settings = settings_of(context)
    found = {
        "settings": str(context.obj),
        "database": settings.database,
        "helpdesks": {name: one.options.vendor for name, one in settings.helpdesks.items()},
    }
    if as_json:
        dump({"ok": True} | found)
    else:
        say(f"[green]The settings are sound.[/] Helpdesks: {_names(settings)}. "
            f"Database: {escaped(settings.database)}.")  # fmt: skip


@settings_commands.command(
    epilog="Example: points-bridge settings example > points-bridge.toml",
)
def example() -> None:
    """Print a settings file with every key, to start from."""
    typer.echo(example_settings(), nl=False)


def _free_address(host: str, port: int) -> tuple[str, int]:
    """The IP address and port to listen on, after trying it.

    Raises:
        SettingsError: nobody can listen there; says why.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.create_server((str(address[0]), port), family=family):
            return str(address[0]), port
    except OSError as error:
        raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None


def _names(settings: Settings) -> str:
    return ", ".join(f"{name} ({one.options.vendor})" for name, one in settings.helpdesks.items())
