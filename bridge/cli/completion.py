"""What a shell offers at Tab: the names of accounts and of helpdesks. It never fails loudly.

Names come from customers, and a shell runs what it is given: those that hold more than letters,
digits and harmless signs are not offered.
"""

import os
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

import typer

from bridge.database.engine import Database
from bridge.ledger import names
from bridge.settings import Purpose, Settings, load_settings
from webhooks.wsgi import SETTINGS_VARIABLE

_HARMLESS = re.compile(r"\w[\w .,+@/&-]*")

#: Seconds for which somebody at a prompt waits while others write.
_PATIENCE = 0.5


class _Quoted(str):
    """A name as bash must have it. What was typed of it is quoted in another way, or not at all."""

    __slots__ = ()

    def startswith(self, *_: object) -> bool:
        """True, for typer would compare it with what was typed."""
        return True


def accounts(context: typer.Context, incomplete: str) -> list[str]:
    """The names of accounts that begin so, from the ledger as it is: it is not migrated."""
    try:
        settings = _settings(context)
        with Database.open(settings.database, wait=_PATIENCE) as db:
            known = db.read(names.every) if db.is_current() else []
    except Exception:  # noqa: BLE001 - somebody is typing: whatever it is, the command says it
        return []
    return list(_offered(known, incomplete))


def helpdesks(context: typer.Context, incomplete: str) -> list[str]:
    """The names of the settings' helpdesks that begin so."""
    try:
        known = _settings(context).helpdesks
    except Exception:  # noqa: BLE001 - as above
        return []
    return list(_offered(known, incomplete))


def _settings(context: typer.Context) -> Settings:
    """The settings that are named on the line so far, or else where they always are."""
    named = context.find_root().params.get("settings") or os.environ.get(SETTINGS_VARIABLE)
    return load_settings(Path(named or "points-bridge.toml"), os.environ, Purpose.LEDGER)


def _offered(known: Iterable[str], incomplete: str) -> Iterator[str]:
    bare = "COMP_WORDS" in os.environ and not _in_quotes(os.environ["COMP_WORDS"])
    for name in known:
        if name.startswith(incomplete) and _HARMLESS.fullmatch(name):
            yield _Quoted(re.sub(r"([ &])", r"\\\1", name)) if bare else name


def _in_quotes(line: str) -> bool:
    try:
        shlex.split(line)
    except ValueError:
        return True
    return False
