"""Whether a helpdesk really tells us: each trial's delivery must arrive in the inbox."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from bridge.adapters.provisioning import Provisioner, Trial
from bridge.database.engine import Database
from bridge.errors import BridgeError, SettingsError
from bridge.queues import rows
from bridge.queues.rows import QueueRow
from bridge.setup.facts import look

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


def unheard(database: Database, public_url: str, name: str, provisioner: Provisioner) -> str:
    """Why no test ticket is worth opening: nobody would hear of it; "" where that is not known.

    Where nothing answers at the receiver's address from here, the helpdesk may reach it all the
    same; but not where no server works on this database either.
    """
    reach = look(public_url, name, provisioner.probe())
    if not reach.refused or reach.status is not None:
        return ""
    try:
        with database.serving_lock():
            return f"{reach.refused}; start `points-bridge serve`, then run this again"
    except SettingsError:
        return ""  # one works here: its address may be no matter from this machine


def prove(
    database: Database,
    helpdesk: str,
    trials: Sequence[Trial],
    sleep: Callable[[float], None],
    ask: Callable[[str], bool],
) -> Iterator[Proved]:
    """Act the trials one after the other; a receiver must be running on the same database.

    Where the first delivery does not arrive, nothing else is tried: none would. Not repeatable
    without a trace: each time leaves test tickets in the helpdesk, for `tidy` to take away.

    Args:
        database: where the receiver stores what arrives.
        helpdesk: its name in the settings.
        trials: what to act.
        sleep: waits so many seconds.
        ask: asks a person to do something in the helpdesk; whether it was done.
    """
    lost = heard = False
    for trial in trials:
        if trial.act is None or lost:
            yield Proved(trial.event, None, trial.reason or "the first one did not arrive")
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
        found = _awaited(database, helpdesk, ticket_id, trial.event, sleep)
        heard = heard or bool(found.arrived)
        lost = not heard
        yield found


def tidy(
    database: Database,
    helpdesk: str,
    provisioner: Provisioner,
    tickets: Iterable[str],
    sleep: Callable[[float], None],
) -> list[str]:
    """Delete test tickets, once nothing is owed to them any more; those that must stay.

    What is owed to a ticket that is gone would be a dead letter, so where nobody works they stay.
    """
    wanted = list(dict.fromkeys(tickets))

    def is_idle() -> bool:
        found = (row for one in wanted for row in _rows(database, helpdesk, one))
        return not any(row.state == rows.QUEUED for row in found)

    if not _until(is_idle, sleep):
        return wanted
    left = []
    for ticket_id in wanted:
        try:
            provisioner.discard(ticket_id)
        except BridgeError:
            left.append(ticket_id)
    return left


def _rows(database: Database, helpdesk: str, ticket_id: str) -> list[QueueRow]:
    return database.read(partial(rows.about, helpdesk=helpdesk, ticket_id=ticket_id))


def _awaited(
    database: Database, helpdesk: str, ticket_id: str, event: str, sleep: Callable[[float], None]
) -> Proved:
    def has_arrived() -> bool:
        found = _rows(database, helpdesk, ticket_id)
        return any(row.queue == "inbox" and row.what == event for row in found)

    if _until(has_arrived, sleep):
        return Proved(event, True, f"ticket {ticket_id}")
    return Proved(
        event,
        arrived=False,
        detail=f"nothing came about ticket {ticket_id} in {PATIENCE:.0f} s: is the receiver"
        " running on this database, and does the helpdesk reach it? `points-bridge doctor` tells",
    )


def _until(is_so: Callable[[], bool], sleep: Callable[[float], None]) -> bool:
    for _ in range(_POLLS):
        if is_so():
            return True
        sleep(_POLL_SECONDS)
    return False
