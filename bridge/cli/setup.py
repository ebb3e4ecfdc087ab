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
from bridge.cli.common import HelpdeskName, bridge_of, settings_of
from bridge.errors import BadRequest
from bridge.logs import configure_logs
from bridge.settings import Purpose, Settings
from bridge.setup.going_live import InService, in_service, waiting
from bridge.setup.plan import Applied, apply, changes, plan, removal
from bridge.setup.prove import PATIENCE, Proved, prove, tidy, unheard
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
_AGAIN = "What was done before stays. Run the same command again: it goes on from there."
_INTERRUPTED = 130
_ANNOUNCED = (
    "Test tickets are opened, of the setup token's own user, and deleted afterwards. By the"
    " helpdesk's usual settings that user alone is mailed about them, {mails} times at most, and"
    " the bridge's own user about what a held ticket is told. Up to {seconds} s for each event."
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


_URL = typer.Option(help="How the helpdesk reaches the receiver [listen.public_url].")
_HIDE_FIELDS = typer.Option(
    "--hide-fields", help="With --remove: take the fields out of sight, too."
)
_PROVE = typer.Option("--prove", help="Then open test tickets: does each event reach the receiver?")


@commands.command(
    epilog="Example: points-bridge setup support --url https://points.example.com --prove"
)
def setup(
    context: typer.Context,
    helpdesk: HelpdeskName,
    url: Annotated[str | None, _URL] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, change nothing.")] = (
        False
    ),
    remove: Annotated[
        bool, typer.Option("--remove", help="Take it away again; fields and their data stay.")
    ] = False,
    hide_fields: Annotated[bool, _HIDE_FIELDS] = False,
    prove_it: Annotated[bool, _PROVE] = False,
    as_json: Json = False,
) -> None:
    """Set a helpdesk up for the bridge: fields, webhook, triggers. Safe to repeat."""
    _refuse(
        {
            "--prove goes with neither --dry-run nor --remove": prove_it and (dry_run or remove),
            "--hide-fields goes with --remove alone": hide_fields and not remove,
            "--json cannot ask; add --yes or --dry-run": as_json and not (yes or dry_run),
        }
    )
    configure_logs()
    settings = settings_of(context, Purpose.SET_UP)
    provisioner = provisioner_of(settings, helpdesk)
    wanted = wanted_of(settings, helpdesk, _address(url))
    if remove:
        found, service = removal(provisioner, hide_fields=hide_fields), None
        told = _left_behind(waiting(settings, helpdesk), hidden=hide_fields)
    else:
        found, service = plan(provisioner, wanted), in_service(settings, helpdesk, provisioner)
        told = service.sentence
    if not as_json:
        _show(helpdesk, found, told)
    steps = changes(found)[: 0 if dry_run else None]
    if steps and not yes:
        typer.confirm(f"Carry out {len(steps)} changes in {helpdesk}?", abort=True)
    if service and not dry_run:
        _take_up(settings, helpdesk, service, ask=not yes)
    outcome = _carry_out(steps, quiet=as_json)
    if prove_it and not outcome.failed:
        base = _address(url) or str(settings.listen.public_url)
        outcome.proved = _prove(context, helpdesk, provisioner, base, ask=not yes, quiet=as_json)
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


def _left_behind(held: int, *, hidden: bool) -> str:
    """What becomes of fields and held tickets, which no removal takes away."""
    stay = "Fields and their values stay."
    if not hidden:
        stay = (
            "Fields and their values stay, and agents can edit them then: what keeps them read-only"
            " goes. Add --hide-fields to take them out of sight as well."
        )
    if not held:
        return stay
    return (
        f"{stay} {held} tickets wait for points: nothing more is heard of them, but a purchase"
        " still releases and charges them, and `serve` still declines them on their day; stop it,"
        " or look at them first."
    )


def _show(helpdesk: str, plan: Plan, told: str) -> None:
    rows = [_row(step) for step in plan if step.action is not Action.KEEP]
    if rows:
        table(f"Plan for {helpdesk}", ("What to do", "What", "Name", "Why"), rows)
    if kept := _as_they_must_be(plan):
        say(f"As they must be: {escaped(kept)}.")
    if not any(step.changes for step in plan):
        say("[green]Nothing is to be done.[/]")
    say(escaped(told))


def _as_they_must_be(plan: Plan) -> str:
    """The names of what is kept, by kind; of a webhook also where it sends to."""
    kept: dict[str, list[str]] = {}
    for step in plan:
        if step.action is Action.KEEP:
            detail = f" ({step.why})" if step.why else ""
            kept.setdefault(step.kind, []).append(f"{step.name}{detail}")
    return "; ".join(f"{kind} {', '.join(names)}" for kind, names in kept.items())


def _row(step: Step) -> tuple[object, ...]:
    return step.action, step.kind, step.name, step.why or None


def _carry_out(steps: Sequence[Step], *, quiet: bool) -> _Outcome:
    outcome, number = _Outcome(), 0
    try:
        for number, done in enumerate(apply(steps), start=1):
            _note(outcome, done, f"{number}/{len(steps)}", quiet=quiet)
    except KeyboardInterrupt:
        complain(_stopped(steps, number))
        raise typer.Exit(_INTERRUPTED) from None
    if not (quiet or outcome.failed) and any(one.action is not Action.REMOVE for one in steps):
        say(_NEXT)
    return outcome


def _note(outcome: _Outcome, done: Applied, count: str, *, quiet: bool) -> None:
    step = done.step
    if done.left_out:
        outcome.left_out.append(done.failure)
        complain(f"{done.failure}\nIt is left out: the bridge works without it.")
    elif done.failure:
        outcome.failed = done.failure
        complain(f"{done.failure}\n{_GOES_ON}")
    elif not quiet:
        say(f"[dim]{count}[/] {_DONE[step.action]} {escaped(step.kind)} {escaped(step.name)}")


def _stopped(steps: Sequence[Step], done: int) -> str:
    """Where a set-up was interrupted: that step may have been carried out, or not."""
    at = steps[min(done, len(steps) - 1)]
    return (
        f"stopped at {done + 1} of {len(steps)}, {at.kind} {at.name}, which may have been carried"
        f" out.\n{_AGAIN}"
    )


def _prove(
    context: typer.Context,
    helpdesk: str,
    provisioner: Provisioner,
    base: str,
    *,
    ask: bool,
    quiet: bool,
) -> list[Proved]:
    """Try each event; with `ask`, a person is asked for what no program can do."""

    def asked(wanted: str) -> bool:
        return ask and typer.confirm(f"Please {wanted}. Is it done?")

    found: list[Proved] = []
    with bridge_of(context) as bridge:
        if why := unheard(bridge.db, base, helpdesk, provisioner):
            raise BadRequest(f"no test ticket was opened: nobody would hear of it: {why}")
        trials = provisioner.trials()
        if not quiet:
            say(_ANNOUNCED.format(mails=2 * len(trials), seconds=f"{PATIENCE:.0f}"))
        for one in prove(bridge.db, helpdesk, trials, time.sleep, asked):
            found.append(one)
            if not quiet:
                _say_proved(one)
        tickets = [ticket for trial in trials for ticket in trial.opened]
        left = tidy(bridge.db, helpdesk, provisioner, tickets, time.sleep)
    if left and not quiet:
        say(f"Test tickets that could not be deleted: {', '.join(left)}; delete them by hand.")
    return found


def _say_proved(one: Proved) -> None:
    word = "[green]arrived[/]" if one.arrived else "[bold red]did not arrive[/]"
    if one.arrived is None:
        word = "[yellow]not tried[/]"
    say(f"{word} {escaped(one.event)}: {escaped(one.detail)}")


def _as_json(step: Step) -> dict[str, Any]:
    return {"action": step.action, "kind": step.kind, "name": step.name, "why": step.why}
