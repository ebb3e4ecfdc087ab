"""`points-bridge setup`: show what is to be made in a helpdesk, ask, make it, prove it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import typer

from bridge.adapters.provisioning import Action, Plan, Provisioner, Step
from bridge.adapters.vendor import public_address
from bridge.bootstrap import provisioner as provisioner_of
from bridge.bootstrap import take_up
from bridge.bootstrap import wanted as wanted_of
from bridge.cli.common import bridge_of, settings_of
from bridge.errors import BadRequest
from bridge.logs import configure_logs
from bridge.settings import Purpose, Settings
from bridge.setup.going_live import InService, in_service
from bridge.setup.plan import apply, changes, plan, removal
from bridge.setup.prove import PATIENCE, Proved, prove
from bridge.terminal.output import Json, complain, dump, escaped, say, table

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
    _refuse(
        {
            "--prove goes with neither --dry-run nor --remove": prove_it and (dry_run or remove),
            "--json cannot ask; add --yes or --dry-run": as_json and not (yes or dry_run),
        }
    )
    configure_logs()
    settings = settings_of(context, Purpose.SET_UP)
    provisioner = provisioner_of(settings, helpdesk)
    wanted = wanted_of(settings, helpdesk, _address(url))
    found = removal(provisioner) if remove else plan(provisioner, wanted)
    service = None if remove else in_service(settings, helpdesk, provisioner)
    if not as_json:
        _show(helpdesk, found, service)
    steps = changes(found)[: 0 if dry_run else None]
    if steps and not yes:
        typer.confirm(f"Carry out {len(steps)} changes in {helpdesk}?", abort=True)
    if service and not dry_run:
        _take_up(settings, helpdesk, service, ask=not yes)
    outcome = _carry_out(steps, quiet=as_json)
    if prove_it and not outcome.failed:
        outcome.proved = _prove(context, helpdesk, provisioner, ask=not yes, quiet=as_json)
    if as_json:
        plan_as_json = {"plan": [_as_json(step) for step in found], "changes": len(steps)}
        dump(plan_as_json | {"in_service": service} | asdict(outcome))
    if not outcome.fine:
        raise typer.Exit(1)


def _refuse(combinations: Mapping[str, bool]) -> None:
    for complaint, given in combinations.items():
        if given:
            raise typer.BadParameter(complaint)


def _address(url: str | None) -> str | None:
    try:
        return public_address(url) if url is not None else None
    except ValueError as error:
        raise BadRequest(f"--url {error}") from None


def _take_up(settings: Settings, helpdesk: str, service: InService, *, ask: bool) -> None:
    if ask and service.taken_in:
        typer.confirm(f"Take in those {service.taken_in} open tickets?", abort=True)
    take_up(settings, helpdesk)


def _show(helpdesk: str, plan: Plan, service: InService | None) -> None:
    kept = sum(step.action is Action.KEEP for step in plan)
    rows = [_row(step) for step in plan if step.action is not Action.KEEP]
    if rows:
        table(f"Plan for {helpdesk}", ("What to do", "What", "Name", "Why"), rows)
    say(f"{kept} things are as they must be.")
    if not any(step.changes for step in plan):
        say("[green]Nothing is to be done.[/]")
    if service:
        say(escaped(service.sentence))


def _row(step: Step) -> tuple[object, ...]:
    return step.action, step.kind, step.name, step.why or None


def _carry_out(steps: Sequence[Step], *, quiet: bool) -> _Outcome:
    outcome = _Outcome()
    for number, done in enumerate(apply(steps), start=1):
        if done.left_out:
            outcome.left_out.append(done.failure)
            complain(f"{done.failure}\nIt is left out: the bridge works without it.")
        elif done.failure:
            outcome.failed = done.failure
            complain(f"{done.failure}\n{_GOES_ON}")
        elif not quiet:
            count, step = f"[dim]{number}/{len(steps)}[/]", done.step
            say(f"{count} {_DONE[step.action]} {escaped(step.kind)} {escaped(step.name)}")
    if not (quiet or outcome.failed) and any(one.action is not Action.REMOVE for one in steps):
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
    say(f"{word} {escaped(one.event)}: {escaped(one.detail)}")


def _as_json(step: Step) -> dict[str, Any]:
    return {"action": step.action, "kind": step.kind, "name": step.name, "why": step.why}
