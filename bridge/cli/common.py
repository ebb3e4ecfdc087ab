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
from bridge.settings import Purpose, Settings, load_settings

Account = Annotated[str, typer.Argument(help="The account: its ref, usually the customer's name.")]


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
