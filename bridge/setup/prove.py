"""Whether a helpdesk really tells us: each trial's delivery must arrive in the inbox."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from bridge.adapters.provisioning import Trial
from bridge.database.engine import Database
from bridge.errors import BridgeError
from bridge.queues import rows

_POLLS = 240
_POLL_SECONDS = 0.25
#: Seconds that a delivery may take: helpdesks look for work every few seconds.
PATIENCE = _POLLS * _POLL_SECONDS


@dataclass(frozen=True, slots=True)
class Proved:
    """The outcome of a trial. `arrived` None: it could not be tried, and `detail` says why."""

    event: str
    arrived: bool | None
    detail: str = ""


def prove(
    database: Database,
    helpdesk: str,
    trials: Sequence[Trial],
    sleep: Callable[[float], None],
    ask: Callable[[str], bool],
) -> Iterator[Proved]:
    """Act the trials one after the other; a receiver must be running on the same database.

    Not repeatable without a trace: each time leaves test tickets in the helpdesk.

    Args:
        database: where the receiver stores what arrives.
        helpdesk: its name in the settings.
        trials: what to act.
        sleep: waits so many seconds.
        ask: asks a person to do something in the helpdesk; whether it was done.
    """
    for trial in trials:
        if trial.act is None:
            yield Proved(trial.event, None, trial.reason)
            continue
        try:
            ticket_id = trial.act()
        except BridgeError as error:
            yield Proved(trial.event, arrived=False, detail=str(error))
            continue
        wanted = trial.by_hand.format(ticket=ticket_id)
        if wanted and not ask(wanted):
            yield Proved(trial.event, None, f"it takes a person: {wanted}")
            continue
        yield _awaited(database, helpdesk, ticket_id, trial.event, sleep)


def _awaited(
    database: Database, helpdesk: str, ticket_id: str, event: str, sleep: Callable[[float], None]
) -> Proved:
    of_the_ticket = partial(rows.about, helpdesk=helpdesk, ticket_id=ticket_id)
    for _ in range(_POLLS):
        found = database.read(of_the_ticket)
        if any(row.queue == "inbox" and row.what == event for row in found):
            return Proved(event, arrived=True, detail=f"ticket {ticket_id}")
        sleep(_POLL_SECONDS)
    return Proved(
        event,
        arrived=False,
        detail=f"nothing came about ticket {ticket_id} in {PATIENCE:.0f} s: is the receiver"
        " running on this database, and does the helpdesk reach it? `points-bridge doctor` tells",
    )
