"""What the commands share: the settings, and the bridge that they describe."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from bridge.bootstrap import opened
from bridge.logs import configure_logs
from bridge.service.core import Bridge
from bridge.settings import Settings, load_settings

Account = Annotated[str, typer.Argument(help="The account: its ref, usually the customer's name.")]


def settings_of(context: typer.Context, *, setting_up: bool = False) -> Settings:
    """The settings that the command line names, checked.

    With `setting_up`, secrets that `points-bridge setup` makes may be missing still.

    Raises:
        SettingsError: names every problem.
    """
    path: Path = context.obj
    return load_settings(path, os.environ, setting_up=setting_up)


@contextmanager
def bridge_of(context: typer.Context) -> Iterator[Bridge]:
    """The bridge, for the time of one command. Beside a running server, too."""
    configure_logs()
    with opened(settings_of(context)) as bridge:
        yield bridge
