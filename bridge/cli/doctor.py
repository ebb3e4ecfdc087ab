"""`points-bridge doctor`: is everything as it must be, and what is to be done where it is not."""

from typing import Annotated, Any

import typer

from bridge.adapters.provisioning import Problem, Provisioner, Severity
from bridge.bootstrap import provisioner, utc_now, wanted
from bridge.cli import completion
from bridge.cli.common import settings_of
from bridge.errors import BadRequest, SettingsError
from bridge.logs import configure_logs
from bridge.settings import Purpose, Settings
from bridge.setup.doctor import Diagnosis, examine
from bridge.terminal.output import Json, cell, dump, escaped, say

commands = typer.Typer()

_WORDS = {
    Severity.PROBLEM: "[bold red]problem[/]",
    Severity.WARNING: "[yellow]warning[/]",
    Severity.NOTE: "[cyan]note[/]",
}


@commands.command(epilog="Example: points-bridge doctor --json")
def doctor(
    context: typer.Context,
    helpdesk: Annotated[
        str | None,
        typer.Argument(
            help="The helpdesk's name in the settings [all of them].",
            autocompletion=completion.helpdesks,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Look for what is wrong, and say what to do about it.

    The exit code is 1 if something must be mended; warnings and notes do not count.
    """
    configure_logs()
    try:
        settings = settings_of(context, Purpose.SET_UP)
    except SettingsError as error:
        if as_json:
            dump({"ok": False, "problems": [*map(_unread, str(error).splitlines())], "figures": {}})
            raise typer.Exit(1) from None
        raise
    names = [helpdesk] if helpdesk else list(settings.helpdesks)
    looked_at = {name: (_provisioner(settings, name), wanted(settings, name)) for name in names}
    diagnosis = examine(settings, looked_at, utc_now)
    if as_json:
        dump(_as_json(diagnosis))
    else:
        _show(diagnosis)
    if not diagnosis.sound:
        raise typer.Exit(1)


def _provisioner(settings: Settings, name: str) -> Provisioner | None:
    try:
        return provisioner(settings, name)
    except BadRequest:
        return None


def _unread(problem: str) -> Problem:
    return Problem(Severity.PROBLEM, "settings", problem, "mend that; docs/settings.md says how")


def _show(diagnosis: Diagnosis) -> None:
    for one in diagnosis.problems:
        say(f"{_WORDS[one.severity]} [bold]{escaped(one.where)}[/]: {escaped(one.what)}")
        say(escaped(one.remedy), indent=4, style="dim")
    found = [one.severity for one in diagnosis.problems]
    counts = [(found.count(severity), severity.value) for severity in Severity]
    say(", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts) + ".")
    for name, value in (_figures(diagnosis) | _in_words(diagnosis)).items():
        say(f"{name}: {escaped(cell(value))}", style="dim")
    if diagnosis.sound:
        say("[green]Nothing must be mended.[/]")


def _figures(diagnosis: Diagnosis) -> dict[str, Any]:
    """What a report of a fault should say beside the problems."""
    facts, ledger = diagnosis.facts, diagnosis.facts.ledger
    return {
        "sqlite": ".".join(map(str, facts.sqlite)),
        "schema": ledger.revision if ledger else None,
        "tzdata": facts.versions.tzdata,
        "iana": facts.versions.iana,
        "holidays": facts.versions.holidays,
        "queues": ledger.backlog if ledger else None,
        "oldest_queued": ledger.oldest if ledger else None,
    }


def _in_words(diagnosis: Diagnosis) -> dict[str, str]:
    """The figures that a person does not read as they are."""
    ledger = diagnosis.facts.ledger
    if not ledger:
        return {}
    queues = {
        queue: ", ".join(f"{count} {state}" for state, count in states.items()) or "empty"
        for queue, states in ledger.backlog.items()
    }
    return {"queues": "; ".join(f"{queue} {states}" for queue, states in queues.items())}


def _as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "ok": diagnosis.sound,
        "problems": diagnosis.problems,
        "figures": _figures(diagnosis),
    }
