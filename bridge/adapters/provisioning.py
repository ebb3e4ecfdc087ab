"""The contract of setting a helpdesk up: a plan that is shown first, steps, problems, trials.

Only what carries our marker is ever changed or removed; what an admin made is reported.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeVar

from bridge.errors import BridgeError
from bridge.policy.places import NOTHING_SAID, Address
from bridge.policy.service_hours import Hours
from bridge.policy.terms import Terms

_TERMS = Terms()


class Action(StrEnum):
    """What is to become of one thing in the helpdesk."""

    KEEP = "keep"
    MAKE = "make"
    CHANGE = "change"
    REMOVE = "remove"
    REPORT = "report"
    """Nothing is done: an admin decides. `Step.remedy` says about what."""
    BLOCK = "block"
    """Nothing at all is done until somebody has acted as `Step.remedy` says."""


def _nothing() -> None:
    """Some steps only tell."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing in the helpdesk, and what is to become of it.

    `kind` and `name` are the helpdesk's own words, as its admin sees them, and `detail` goes on
    from them. `required` is False for what the bridge works without, `pressing` for what is done
    with the next set-up and is no fault until then, `advice` is True for what is no fault at all.
    `apply` carries the step out on what is there at that moment, so it may be repeated, also after
    an attempt of which nobody knows whether it arrived; it raises `HelpdeskUnavailable` or
    `HelpdeskRefused`.
    """

    kind: str
    name: str
    action: Action
    detail: str = ""
    remedy: str = ""
    required: bool = field(default=True, kw_only=True)
    pressing: bool = field(default=True, kw_only=True)
    advice: bool = field(default=False, kw_only=True)
    apply: Callable[[], None] = field(default=_nothing, repr=False, compare=False, kw_only=True)

    @property
    def changes(self) -> bool:
        """Whether applying it changes the helpdesk."""
        return self.action in {Action.MAKE, Action.CHANGE, Action.REMOVE}

    @property
    def why(self) -> str:
        """The detail, and what to do about it."""
        return "; ".join(filter(None, (self.detail, self.remedy)))


Plan = tuple[Step, ...]
"""Steps in the order in which they are applied: later ones may need earlier ones."""


class SecretPlace(Protocol):
    """Where secrets are kept that come of a set-up: the helpdesk made them, or we did."""

    def place(self, key: str) -> Path | None:
        """The file that `keep` writes; None where the admin holds that secret elsewhere."""

    def keep(self, key: str, value: str) -> None:
        """Write it there, readable to nobody else. Safe to repeat.

        Raises:
            SettingsError: it cannot be written there.
        """


@dataclass(frozen=True, slots=True)
class Promise:
    """A first response that the bridge has promised and nobody has given. Instants are UTC.

    `number` is the ticket's number as people see it; `started_at` is when the clock began.
    """

    ticket_id: str
    number: str
    started_at: datetime
    due_at: datetime


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the helpdesk is to do for the bridge.

    `endpoint` is the full address of the bridge's receiver for this helpdesk; None where nobody
    said it: then it is not compared. `reopen_days` is how long a re-open is free. `home` is where
    customers are of whom nothing else is known, `hours` what holds for those who say nothing of
    their hours, `response_seconds` the business time in which a first response is promised,
    `today` the date in UTC, and `promises` are some of those that run, newest first: for a helpdesk
    that counts business time as well.
    """

    endpoint: str | None
    reopen_days: int = _TERMS.reopen_days
    home: Address = field(default_factory=Address)
    hours: Hours = NOTHING_SAID
    response_seconds: int = _TERMS.response_seconds
    today: date = field(default_factory=_today)
    promises: tuple[Promise, ...] = ()


class Severity(StrEnum):
    """How bad a problem is, worst first. Only a `PROBLEM` makes a check fail."""

    PROBLEM = "problem"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be, and what to do about it. Never holds a secret."""

    severity: Severity
    where: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Probe:
    """A webhook request that is authentic, and not about a ticket."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes


@dataclass(frozen=True, slots=True)
class Trial:
    """Proof that the helpdesk tells the bridge of one kind of event.

    `event` is the label that the delivery must carry. `act` makes the event happen on a test ticket
    and returns that ticket's id; None where these credentials cannot, and `reason` says why.
    `by_hand` is what a person must do to the ticket, where no program can make it happen.
    `opened` fills with the ids of the test tickets, also of an act that fails after it opened one.
    """

    event: str
    act: Callable[[], str] | None = field(default=None, repr=False)
    reason: str = ""
    by_hand: str = ""
    opened: list[str] = field(default_factory=list)


class Provisioner(ABC):
    """Sets one helpdesk up, checks it, and takes the set-up away again. For one thread.

    Every call has a deadline, follows no redirect and fails in the error tree only.
    """

    @abstractmethod
    def plan(self, wanted: Wanted) -> Plan:
        """What there is and what is to be done. Reads only. Nothing changes after it was applied.

        Raises:
            HelpdeskRefused: the credentials lack a right without which nothing can be planned.
            HelpdeskUnavailable: try again later.
        """

    @abstractmethod
    def removal(self, *, hide_fields: bool = False) -> Plan:
        """How to take away what was set up. Fields stay, and so does everything in them.

        With `hide_fields` those that show points are taken out of sight, until the next set-up.

        Raises: as `plan`.
        """

    @abstractmethod
    def check(self, wanted: Wanted, now: Callable[[], datetime]) -> list[Problem]:
        """What keeps the bridge from working with this helpdesk. Reads only, raises nothing.

        Credentials, rights, clock, the vendor's limits; and all that a plan would change.
        """

    @abstractmethod
    def open_tickets(self, since: datetime) -> Iterator[str]:
        """The ids of the tickets that are open and were created after `since` (UTC), oldest first.

        Reads only, and only as far as it is asked for: a call for each page. A ticket may come
        twice where others are opened meanwhile; of `since` whole seconds count.

        Raises: as `plan`.
        """

    @abstractmethod
    def probe(self) -> Probe | None:
        """A request that our own receiver must accept and ignore. No I/O.

        None: there is no secret to sign it with yet.
        """

    @abstractmethod
    def trials(self) -> tuple[Trial, ...]:
        """A trial for each kind of event, to be acted in this order. The last act closes all.

        Raises:
            HelpdeskRefused: a test ticket would cost somebody points, or cannot be made.
            HelpdeskUnavailable: try again later.
        """

    @abstractmethod
    def discard(self, ticket_id: str) -> None:
        """Delete a test ticket; what is gone already is fine.

        Raises:
            HelpdeskRefused: these credentials may not; the ticket stays.
            HelpdeskUnavailable: try again later.
        """


TRIAL_TITLE = "points-bridge setup: a test, please ignore"
"""What test tickets are called."""

_WRONG = {
    Action.MAKE: "is missing",
    Action.CHANGE: "is not as it must be",
    Action.REMOVE: "is one too many",
}


def problems_in(plan: Iterable[Step], where: str, remedy: str) -> list[Problem]:
    """What is wrong with a helpdesk, by its plan; `remedy` is the command that carries it out."""
    return [
        Problem(_severity(step), where, _said(step), step.remedy or remedy)
        for step in plan
        if step.action is not Action.KEEP and step.pressing
    ]


def unreachable(where: str, error: BridgeError, credential: str) -> Problem:
    """A helpdesk that could not be asked; `credential` is the vendor's word for what it wants."""
    remedy = (
        f"check the helpdesk's url (scheme, host, port) and {credential} in the settings, and"
        " whether it runs"
    )
    return Problem(Severity.PROBLEM, where, str(error), remedy)


def _severity(step: Step) -> Severity:
    if step.advice:
        return Severity.NOTE
    mild = step.action is Action.REMOVE or not step.required
    return Severity.WARNING if mild else Severity.PROBLEM


def _said(step: Step) -> str:
    wrong = _WRONG.get(step.action, "")
    detail = f"({step.detail})" if wrong and step.detail else step.detail
    return " ".join(filter(None, (step.kind, step.name, wrong, detail)))


_UNDELIVERED = {
    401: "the two sides have different secrets: run `points-bridge setup {name}` and start the"
    " receiver anew",
    404: "check the webhook's address, public_url and the helpdesk's name in the settings",
    413: "let the proxy in front of the receiver take bodies of 1 MiB",
    422: "`points-bridge queues list --state dead` says what could not be read",
}


_LATELY = timedelta(days=1)
R = TypeVar("R")


def lately(rows: Iterable[R], at: Callable[[R], datetime], now: datetime) -> list[R]:
    """What a helpdesk noted in the last day, oldest first; where that is nothing, the latest."""
    ordered = sorted(rows, key=at)
    return [row for row in ordered if now - at(row) <= _LATELY] or ordered[-1:]


def delivery_remedy(name: str, status: int | None) -> str:
    """What to do where deliveries failed with that status; None: there was no answer at all."""
    if status is None:
        does = "can the helpdesk reach public_url (name, certificate, firewall), and is it answered"
        return f"{does} within seconds?"
    if 300 <= status < 400:
        return "let nothing redirect webhooks: give the address at which the receiver is"
    usual = "is `points-bridge serve` running? Its log, or that of the proxy before it, says why"
    return _UNDELIVERED.get(status, usual).format(name=name)


#: An answer's Date is cut to whole seconds, and says nothing of how long it took to arrive.
_USUAL_SKEW = timedelta(seconds=30)
_WRONG_SKEW = timedelta(minutes=5)


def clock_problem(where: str, theirs: datetime | None, ours: datetime) -> list[Problem]:
    """What is wrong where the two clocks differ. `theirs` None: its answer told no time."""
    if theirs is None:
        what = "its clock cannot be compared with ours: its answers have no Date header"
        remedy = "compare them by hand; does a proxy before it take that header away?"
        return [Problem(Severity.NOTE, where, what, remedy)]
    skew = abs(theirs - ours)
    if skew <= _USUAL_SKEW:
        return []
    ahead = "ahead of" if theirs > ours else "behind"
    return [
        Problem(
            Severity.PROBLEM if skew > _WRONG_SKEW else Severity.WARNING,
            where,
            f"its clock is {round(skew.total_seconds())} s {ahead} ours: there it is"
            f" {theirs:%Y-%m-%d %H:%M:%S}Z, here {ours:%Y-%m-%d %H:%M:%S}Z",
            "let both machines keep time by NTP: due times rest on both clocks",
        )
    ]
