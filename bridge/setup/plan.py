"""Setting a helpdesk up: what is to be done as a value, and the doing of it step by step."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from bridge.adapters.provisioning import Action, Plan, Provisioner, Step, Wanted
from bridge.errors import BadRequest, BridgeError, HelpdeskRefused, HelpdeskUnavailable


@dataclass(frozen=True, slots=True)
class Applied:
    """A step that was carried out, or was not for a `reason`.

    With `left_out` the set-up goes on: the bridge works without it. Otherwise it has ended.
    """

    step: Step
    reason: str = ""
    left_out: bool = False

    @property
    def failure(self) -> str:
        """What failed, and why; "" where nothing did."""
        return f"{self.step.kind} {self.step.name}: {self.reason}" if self.reason else ""


def plan(provisioner: Provisioner, wanted: Wanted) -> Plan:
    """What there is in a helpdesk, and what is to be done. Reads only.

    Raises:
        BadRequest: nobody said how the helpdesk reaches the receiver.
        HelpdeskRefused: the credentials lack a right without which nothing can be planned.
        HelpdeskUnavailable: try again later.
    """
    if wanted.endpoint is None:
        raise BadRequest(
            "say how the helpdesk reaches the receiver: set public_url in [listen], or give"
            " --url https://..."
        )
    return _asked(partial(provisioner.plan, wanted))


def removal(provisioner: Provisioner, *, hide_fields: bool = False) -> Plan:
    """How to take away what was set up. Reads only. Raises as `plan`."""
    return _asked(partial(provisioner.removal, hide_fields=hide_fields))


def _asked(look: Callable[[], Plan]) -> Plan:
    try:
        return look()
    except HelpdeskUnavailable as error:
        remedy = "check scheme, host and port of the helpdesk's url, and whether it runs"
        told = f"{error}; {remedy}"
        raise HelpdeskUnavailable(told, retry_after=error.retry_after) from None


def changes(found: Plan) -> tuple[Step, ...]:
    """The steps of a plan that change something, in their order.

    Raises:
        BadRequest: something must be done by somebody first; says what.
    """
    blocked = [
        f"{step.kind} {step.name} {step.why}" for step in found if step.action is Action.BLOCK
    ]
    if blocked:
        raise BadRequest("\n".join(["nothing was changed:", *blocked]))
    return tuple(step for step in found if step.changes)


def apply(steps: Sequence[Step]) -> Iterator[Applied]:
    """Carry steps out in order, each one as it is asked for; ends at the first that must not fail.

    May be repeated: what was done before stays, and a new plan goes on from there. What the bridge
    can do without may be refused, and nothing else.
    """
    for step in steps:
        try:
            step.apply()
        except BridgeError as error:
            left_out = not step.required and isinstance(error, HelpdeskRefused)
            open_end = "; it may have been carried out all the same"
            reason = f"{error}{open_end if isinstance(error, HelpdeskUnavailable) else ''}"
            yield Applied(step, reason, left_out)
            if not left_out:
                return
        else:
            yield Applied(step)
