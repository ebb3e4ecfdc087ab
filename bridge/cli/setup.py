"""`points-bridge setup`: show what is to be made in a helpdesk, ask, make it, prove it."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import typer
from rich.markup import escape

from bridge.adapters.provisioning import Action, Plan, Provisioner, Step, Wanted
from bridge.adapters.vendor import web_address
from bridge.bootstrap import provisioner as provisioner_of
from bridge.bootstrap import wanted as wanted_of
from bridge.cli.common import bridge_of, settings_of
from bridge.errors import BadRequest, BridgeError, HelpdeskRefused
from bridge.logs import configure_logs
from bridge.setup.prove import PATIENCE, Proved, prove
from bridge.terminal.output import Json, complain, dump, say, table

commands = typer.Typer()

_DONE = {
    Action.MAKE: "[green]made[/]",
    Action.CHANGE: "[yellow]changed[/]",
    Action.REMOVE: "[red]removed[/]",
}


_NEXT = (
    "Next: start `points-bridge serve`, anew if it runs, since it reads secrets when it starts;"
    " then `points-bridge doctor` tells whether all is well."
)
_GOES_ON = (
    "What was done before stays. Mend that and run the same command again: it goes on from there."
)


@dataclass
class _Outcome:
    """What came of a plan: the required step that failed, the others that were refused."""

    failed: str | None = None
    left_out: list[str] = field(default_factory=list)
    proved: list[Proved] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        return not self.failed and all(one.arrived is not False for one in self.proved)


@commands.command(
    epilog="Example: points-bridge setup support --url https://points.example.com --prove"
)
def setup(
    context: typer.Context,
    helpdesk: Annotated[str, typer.Argument(help="The helpdesk's name in the settings.")],
    url: Annotated[
        str | None,
        typer.Option(help="How the helpdesk reaches the receiver [listen.public_url]."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, change nothing.")] = (
        False
    ),
    remove: Annotated[
        bool, typer.Option("--remove", help="Take it away again; fields and their data stay.")
    ] = False,
    prove_it: Annotated[
        bool,
        typer.Option("--prove", help="Then open test tickets: does each event reach the receiver?"),
    ] = False,
    as_json: Json = False,
) -> None:
    """Set a helpdesk up for the bridge: fields, webhook, triggers. Safe to repeat."""
    if prove_it and (dry_run or remove):
        raise typer.BadParameter("--prove goes with neither --dry-run nor --remove")
    if as_json and not (yes or dry_run):
        raise typer.BadParameter("--json cannot ask; add --yes or --dry-run")
    configure_logs()
    settings = settings_of(context, setting_up=True)
    provisioner = provisioner_of(settings, helpdesk)
    wanted = wanted_of(settings, helpdesk, _address(url))
    plan = provisioner.removal() if remove else _plan(provisioner, wanted)
    if not as_json:
        _show(helpdesk, plan)
    _stop_if_blocked(plan)
    changes = [] if dry_run else [step for step in plan if step.changes]
    if changes and not yes:
        typer.confirm(f"Carry out {len(changes)} changes in {helpdesk}?", abort=True)
    outcome = _carry_out(changes, quiet=as_json)
    if prove_it and not outcome.failed:
        outcome.proved = _prove(context, helpdesk, provisioner, ask=not yes, quiet=as_json)
    if as_json:
        dump({"plan": [_as_json(step) for step in plan], "changes": len(changes)} | asdict(outcome))
    if not outcome.fine:
        raise typer.Exit(1)


def _address(url: str | None) -> str | None:
    try:
        return web_address(url) if url is not None else None
    except ValueError as error:
        raise BadRequest(f"--url {error}") from None


def _plan(provisioner: Provisioner, wanted: Wanted) -> Plan:
    if wanted.endpoint is None:
        raise BadRequest(
            "say how the helpdesk reaches the receiver: set public_url in [listen], or give"
            " --url https://..."
        )
    return provisioner.plan(wanted)


def _show(helpdesk: str, plan: Plan) -> None:
    kept = sum(step.action is Action.KEEP for step in plan)
    rows = [_row(step) for step in plan if step.action is not Action.KEEP]
    if rows:
        table(f"Plan for {helpdesk}", ("What to do", "What", "Name", "Why"), rows)
    say(f"{kept} things are as they must be.")
    if not any(step.changes for step in plan):
        say("[green]Nothing is to be done.[/]")


def _row(step: Step) -> tuple[object, ...]:
    return step.action, step.kind, step.name, _why(step) or None


def _why(step: Step) -> str:
    return "; ".join(filter(None, (step.detail, step.remedy)))


def _stop_if_blocked(plan: Plan) -> None:
    blocked = [
        f"{step.kind} {step.name} {_why(step)}" for step in plan if step.action is Action.BLOCK
    ]
    if blocked:
        raise BadRequest("\n".join(["nothing was changed:", *blocked]))


def _carry_out(changes: Sequence[Step], *, quiet: bool) -> _Outcome:
    """Apply the steps in order; what the bridge can do without may be refused, nothing else."""
    outcome = _Outcome()
    for number, step in enumerate(changes, start=1):
        try:
            step.apply()
        except BridgeError as error:
            told = f"{step.kind} {step.name}: {error}"
            if step.required or not isinstance(error, HelpdeskRefused):
                outcome.failed = told
                complain(f"{told}\n{_GOES_ON}")
                return outcome
            outcome.left_out.append(told)
            complain(f"{told}\nIt is left out: the bridge works without it.")
            continue
        if not quiet:
            count = f"[dim]{number}/{len(changes)}[/]"
            say(f"{count} {_DONE[step.action]} {step.kind} {escape(step.name)}")
    if not quiet and any(step.action is not Action.REMOVE for step in changes):
        say(_NEXT)
    return outcome


def _prove(
    context: typer.Context, helpdesk: str, provisioner: Provisioner, *, ask: bool, quiet: bool
) -> list[Proved]:
    """Try each event; with `ask`, a person is asked for what no program can do."""

    def asked(wanted: str) -> bool:
        return ask and typer.confirm(f"Please {wanted}. Is it done?")

    if not quiet:
        say(f"Test tickets, up to {PATIENCE:.0f} s for each event; they are closed afterwards.")
    found = []
    with bridge_of(context) as bridge:
        for one in prove(bridge.db, helpdesk, provisioner.trials(), time.sleep, asked):
            found.append(one)
            if not quiet:
                _say_proved(one)
    return found


def _say_proved(one: Proved) -> None:
    word = "[green]arrived[/]" if one.arrived else "[bold red]did not arrive[/]"
    if one.arrived is None:
        word = "[yellow]not tried[/]"
    say(f"{word} {escape(one.event)}: {escape(one.detail)}")


def _as_json(step: Step) -> dict[str, Any]:
    return {"action": step.action, "kind": step.kind, "name": step.name, "why": _why(step)}
