"""Since when a helpdesk's tickets are metered, and which open ones from before that takes in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from bridge.adapters.provisioning import Problem, Provisioner, Severity
from bridge.database.engine import Database
from bridge.errors import BridgeError, HelpdeskRefused, HelpdeskUnavailable
from bridge.ledger import accounts, incidents
from bridge.settings import Settings

#: So many open tickets are looked at: whoever has more has the same thing to decide.
MOST = 1000
_ALMOST_A_SECOND = timedelta(microseconds=999_999)


@dataclass(frozen=True, slots=True)
class InService:
    """Tickets created at `since` (UTC) or later are metered; None: not before a set-up or a server.

    `taken_in` counts those that are open and of which the ledger knows nothing: the next change of
    one is decided as if it were new. It counts no further than `MOST`.
    """

    since: datetime | None
    taken_in: int = 0

    @property
    def sentence(self) -> str:
        """What it means, for people."""
        if self.since is None:
            return "Tickets that are opened from now on are metered, and no older ones."
        metered = f"Tickets created since {self.since:%Y-%m-%d %H:%M} UTC are metered"
        if not self.taken_in:
            return f"{metered}; the bridge knows all of them that are open."
        count = f"{MOST} or more" if self.taken_in >= MOST else str(self.taken_in)
        return (
            f"{metered}: that takes in {count} that are open and unknown to the bridge. The next"
            " change of each is decided like a new ticket: charged, or held and its customer told."
        )


def in_service(settings: Settings, name: str, provisioner: Provisioner) -> InService:
    """Since when a helpdesk is in service, and what that takes in. Reads only.

    Raises:
        HelpdeskRefused: its tickets cannot be searched.
        HelpdeskUnavailable: try again later.
        SettingsError: the database cannot be used.
        LedgerBusy: the database is locked.
    """
    with Database.open(settings.database) as database:
        is_there = database.is_current()
        since = settings.helpdesks[name].options.in_service_since
        if since is None and is_there:
            since = database.read(lambda conn: accounts.in_service_since(conn, name))
        if since is None:
            return InService(None)
        # Helpdesks search by whole seconds: what is older by a part of one is not taken in.
        found = set(islice(provisioner.open_tickets(since + _ALMOST_A_SECOND), MOST))
        known = database.read(lambda c: incidents.known(c, name, found)) if is_there else set()
        return InService(since, len(found - known))


def waiting(settings: Settings, name: str) -> int:
    """How many of a helpdesk's tickets wait for points, by the ledger. Reads only.

    Raises:
        SettingsError: the database cannot be used.
        LedgerBusy: the database is locked.
    """
    with Database.open(settings.database) as database:
        if not database.is_current():
            return 0
        return database.read(lambda conn: incidents.waiting_in(conn, name))


def service_problems(settings: Settings, name: str, provisioner: Provisioner) -> list[Problem]:
    """What an admin should know of it. Reads only; raises nothing in our error tree."""
    where = f"{name}: in service"
    try:
        found = in_service(settings, name, provisioner)
    except (HelpdeskRefused, HelpdeskUnavailable) as error:
        remedy = "until then it is not known how many open tickets the bridge takes in"
        return [Problem(Severity.NOTE, where, str(error), remedy)]
    except BridgeError:
        return []  # of the database, which has a problem of its own
    if found.since is None:
        what = "no ticket is metered yet"
        remedy = f"`points-bridge setup {name}` or `serve` begins with those opened from then on"
        return [Problem(Severity.NOTE, where, what, remedy)]
    if not found.taken_in:
        return []
    remedy = f"to leave them alone set in_service_since of {name} to a later time"
    return [Problem(Severity.WARNING, where, found.sentence, remedy)]
