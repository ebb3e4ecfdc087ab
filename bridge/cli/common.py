"""What the commands share: the settings, the bridge that they describe, and what is no text."""

import getpass
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from bridge.bootstrap import opened
from bridge.cli import completion
from bridge.errors import BadRequest, RecordTaken, Unconfirmed, UnknownAccount
from bridge.logs import configure_logs
from bridge.service.core import Bridge
from bridge.settings import Purpose, Settings, load_settings
from bridge.settings.secrets import is_text
from bridge.terminal.output import complain

Account = Annotated[
    str,
    typer.Argument(
        help="The account: its ref, usually the customer's name.",
        autocompletion=completion.accounts,
    ),
]

HelpdeskName = Annotated[
    str,
    typer.Argument(
        help="The helpdesk's name in the settings.", autocompletion=completion.helpdesks
    ),
]

T = TypeVar("T")

#: What is asked about something that may be a slip, and the option that answers.
_SLIPS: dict[type[Unconfirmed], tuple[str, str]] = {
    UnknownAccount: ("Make a new account?", "--new for a new one"),
    RecordTaken: ("Take it from there?", "--yes to take it from there"),
}

#: What the names of our variables begin with.
_OURS = "POINTS_BRIDGE_"


def settings_of(context: typer.Context, purpose: Purpose = Purpose.SERVE) -> Settings:
    """The settings that the command line names, checked as far as the purpose needs them.

    Raises:
        SettingsError: names every problem.
    """
    path: Path = context.obj
    return load_settings(path, os.environ, purpose)


@contextmanager
def bridge_of(context: typer.Context, purpose: Purpose = Purpose.SERVE) -> Iterator[Bridge]:
    """The bridge, for the time of one command. Beside a running server, too."""
    configure_logs()
    with opened(settings_of(context, purpose)) as bridge:
        yield bridge


def confirmed(
    attempt: Callable[[Collection[type[Unconfirmed]]], T], said: Mapping[type[Unconfirmed], bool]
) -> T:
    """What may be a slip is done where an option says that it is meant, or a person who is asked.

    Raises:
        BadRequest: nobody can be asked; names the option.
    """
    sure = {kind for kind, meant in said.items() if meant}
    while True:
        try:
            return attempt(sure)
        except Unconfirmed as slip:
            question, option = _SLIPS[type(slip)]
            if not sys.stdin.isatty():
                raise BadRequest(f"{slip}; add {option}") from None
            complain(str(slip))
            typer.confirm(question, abort=True, err=True)
            sure.add(type(slip))


def operator() -> str:
    """Who types, as the machine knows them; in a container a user may have a number only."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def not_text(arguments: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """What is wrong with arguments, or with variables that we read; None: all of them are text.

    What is none can be neither printed nor stored nor sent. A variable may hold a secret, so its
    value is not repeated.
    """
    for text in arguments:
        if not is_text(text):
            return f"the argument {_legible(text)} is not text in UTF-8; type it anew in UTF-8"
    for name, value in environ.items():
        if _OURS in name and not is_text(name + value):
            return f"the variable {_legible(name)} is not text in UTF-8; set it anew in UTF-8"
    return None


def _legible(text: str) -> str:
    return os.fsencode(text).decode("utf-8", "backslashreplace")
