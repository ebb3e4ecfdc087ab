"""What every use case works with: the database, the helpdesks, the terms and the clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from bridge.adapters.base import Adapter
from bridge.coordination import Wake
from bridge.database.engine import Database
from bridge.errors import UnknownHelpdesk
from bridge.ledger.accounts import Account
from bridge.policy.places import NOTHING_SAID, AccountCalendar, Address, locate_account
from bridge.policy.service_hours import Hours
from bridge.policy.terms import Terms
from bridge.texts import Texts
from bridge.ticket import Status


@dataclass(frozen=True, slots=True)
class Helpdesk:
    """One configured helpdesk: its adapter, and how it is to be treated.

    `in_service_since` (UTC): tickets created before are left alone; None: since this database first
    heard of the helpdesk. `announce_release`: whether requesters of held tickets are told that work
    begins. `held_status` None leaves a held ticket's status as it is. `buy_text` and
    `buy_link` say how points are bought, as far as anything is said of that.
    """

    name: str
    adapter: Adapter
    in_service_since: datetime | None = None
    held_status: Status | None = None
    declined_status: Status | None = Status.CLOSED
    announce_release: bool = True
    language: str = "en"
    buy_text: str = ""
    buy_link: str = ""


@dataclass(frozen=True, slots=True)
class Bridge:
    """The wired system. `home` is where accounts are that nobody says anything else of.

    `hours` is what holds for an account that says nothing of its own hours. `now` gives the present
    instant (aware UTC).
    """

    db: Database
    helpdesks: Mapping[str, Helpdesk]
    terms: Terms
    home: Address
    texts: Texts
    now: Callable[[], datetime]
    hours: Hours = NOTHING_SAID
    wake: Wake = field(default_factory=Wake)

    def helpdesk(self, name: str) -> Helpdesk:
        """A configured helpdesk.

        Raises:
            UnknownHelpdesk: there is none of that name.
        """
        if name not in self.helpdesks:
            known = ", ".join(sorted(self.helpdesks)) or "none"
            raise UnknownHelpdesk(f"no helpdesk {name!r} is configured; known: {known}")
        return self.helpdesks[name]

    def locate(self, account: Account) -> AccountCalendar:
        """When support is open for an account, and how soon it is promised an answer.

        Its own setting comes first, then what its helpdesk says, then the deployment's default. A
        helpdesk's record that cannot be read is left out with a warning and stops no ticket.
        """
        hours = account.hours.over(self.hours)
        return _locate(account.address, account.helpdesk_address, self.home, hours, self.terms)


_locate = lru_cache(maxsize=4096)(locate_account)
