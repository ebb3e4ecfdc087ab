"""Whether everything is as it must be: facts are gathered, then judged; each problem has a remedy.

`problems_of` and `reach_problems` judge, purely. Nothing here changes anything.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from bridge.adapters.http import Failure, GuardedSession, checked_base_url, decoded
from bridge.adapters.provisioning import (
    Probe,
    Problem,
    Promise,
    Provisioner,
    Severity,
    Wanted,
)
from bridge.adapters.vendor import is_loopback
from bridge.database.engine import Database
from bridge.database.schema import inbox, outbox
from bridge.errors import BridgeError, HelpdeskRefused
from bridge.ledger import displays, incidents
from bridge.ledger.audit import audit
from bridge.policy.calendars import DataVersions, Region, data_versions, locate, public_holidays
from bridge.queues import rows
from bridge.settings import Settings
from bridge.ticket import Received

#: Two connections that write or checkpoint at the same moment can, rarely, corrupt a database
#: before this version (https://www.sqlite.org/wal.html#walresetbug).
_WAL_RESET_MENDED = (3, 51, 3)
_SLOW, _STUCK = timedelta(minutes=10), timedelta(hours=1)
_YEARS_WITHOUT_ZONES = 2
_DEADLINE = 10.0
_MOST_PROMISES = 20


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """The database: what is queued and stuck, and what its audit says.

    `unshown`: why organisations of a helpdesk do not show their points, a reason for each.
    `promises` are the newest first responses that are still owed, by helpdesk.
    """

    revision: str | None
    head: str
    audit: tuple[str, ...] = ()
    unshown: Mapping[str, list[str]] = field(default_factory=dict)
    backlog: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    oldest: datetime | None = None
    promises: Mapping[str, tuple[Promise, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is on our side. `ledger` is None, and `unread` says why, where it is not read.

    `holidays_known` says whether the holiday data of `country` reach over this year and the next.
    """

    now: datetime
    sqlite: tuple[int, ...]
    versions: DataVersions
    country: str | None
    holidays_known: bool
    ledger: LedgerFacts | None
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a helpdesk meets at the receiver's public address; None for no complaint.

    `unready` is why /health/ready is not 200; `refused` is why a signed delivery about nothing was
    not ignored, with `status` where there was an answer at all.
    """

    url: str | None
    unready: str | None = None
    refused: str | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong, worst first, and the facts of our side."""

    problems: tuple[Problem, ...]
    facts: Facts

    @property
    def sound(self) -> bool:
        """Whether nothing must be mended; warnings and notes do not count."""
        return all(problem.severity is not Severity.PROBLEM for problem in self.problems)


def examine(
    settings: Settings,
    helpdesks: Mapping[str, tuple[Provisioner | None, Wanted]],
    now: Callable[[], datetime],
) -> Diagnosis:
    """Look at everything. Reads only; raises nothing in our error tree.

    Args:
        settings: those of the deployment.
        helpdesks: what sets each of them up, None where that is done by hand, and its wanted state.
        now: the present (aware, UTC).
    """
    facts = gather(settings, now())
    found = problems_of(facts)
    if settings.listen.public_url is None:
        found += reach_problems(Reach(None), "")
    for name, (provisioner, wanted) in helpdesks.items():
        if provisioner is None:
            remedy = "compare it with its page in docs"
            what = "is set up by hand and cannot be looked at"
            found.append(Problem(Severity.NOTE, name, what, remedy))
            continue
        probe = provisioner.probe()
        if probe is None:
            what, remedy = "there is no webhook secret yet", f"run `points-bridge setup {name}`"
            found.append(Problem(Severity.PROBLEM, f"{name}: signature", what, remedy))
        elif settings.listen.public_url:
            reach = look(settings.listen.public_url, name, probe)
            found += reach_problems(reach, name)
        promises = facts.ledger.promises.get(name, ()) if facts.ledger else ()
        found += [
            replace(problem, where=f"{name}: {problem.where}")
            for problem in provisioner.check(replace(wanted, promises=promises), now)
        ]
    order = list(Severity)
    once = dict.fromkeys(found)  # helpdesks share a receiver, and its problems
    return Diagnosis(tuple(sorted(once, key=lambda one: order.index(one.severity))), facts)


def gather(settings: Settings, now: datetime) -> Facts:
    """The facts of our side."""
    ledger, unread = None, ""
    try:
        with Database.open(settings.database) as database:
            ledger = _ledger_facts(database, settings.helpdesks)
    except BridgeError as error:
        unread = str(error)
    except (SQLAlchemyError, ValueError) as error:
        # What is in a damaged file must neither end the examination nor be quoted.
        unread = f"it holds what cannot be read ({type(error).__name__})"
    home = settings.defaults
    place = locate(
        home.zone, default=Region(home.country, home.subdivision) if home.country else None
    )
    return Facts(
        now=now,
        sqlite=sqlite3.sqlite_version_info,
        versions=data_versions(),
        country=place.country,
        holidays_known=place.country is None
        or public_holidays(place.country, place.subdivision).covers(now.year, now.year + 1),
        ledger=ledger,
        unread=unread,
    )


def look(public_url: str, name: str, probe: Probe) -> Reach:
    """What a helpdesk would meet: readiness, and a signed delivery that is about no ticket."""
    base = checked_base_url(public_url)
    session = GuardedSession(
        base, sign=lambda request: request, deadline=_DEADLINE, explain=_answered
    )
    unready = refused = status = None
    try:
        session.get(f"{base}/health/ready")
    except BridgeError as error:
        unready = str(error)
    try:
        response = session.post(
            f"{base}/webhooks/{name}", data=probe.body, headers=dict(probe.headers)
        )
        if decoded(response) != {"status": Received.IGNORED.value}:
            refused, status = "what answers there is not the bridge's receiver", 200
    except BridgeError as error:
        refused, status = str(error), getattr(error, "status", None)
    return Reach(public_url, unready, refused, status)


def problems_of(facts: Facts) -> list[Problem]:
    """What is wrong on our side."""
    found = _data_problems(facts)
    if facts.sqlite < _WAL_RESET_MENDED:
        version = ".".join(map(str, facts.sqlite))
        what = (
            f"SQLite {version} can, rarely, corrupt a database that two connections write or"
            " checkpoint at the same moment; the bridge never lets two do so"
        )
        remedy = "let nothing else write to the database file; SQLite 3.51.3 has it mended"
        found.append(Problem(Severity.NOTE, "database", what, remedy))
    if facts.ledger is None:
        remedy = "check `database` in the settings, and the file's owner and disk, or its backup"
        return [*found, Problem(Severity.PROBLEM, "database", facts.unread, remedy)]
    return found + _ledger_problems(facts.ledger, facts.now)


def reach_problems(reach: Reach, name: str) -> list[Problem]:
    """What is wrong with the way from a helpdesk to the receiver."""
    if reach.url is None:
        what = "it is not known how helpdesks reach the receiver, so that was not tried"
        return [Problem(Severity.WARNING, "receiver", what, "set public_url in [listen]")]
    found = []
    parts = urlsplit(reach.url)
    if parts.scheme == "http" and not is_loopback(str(parts.hostname)):
        what = f"deliveries to {reach.url} travel unencrypted, with what customers write"
        remedy = "put a proxy with a certificate in front and write https:// in public_url"
        found.append(Problem(Severity.WARNING, "receiver", what, remedy))
    if reach.unready:
        remedy = (
            "is `points-bridge serve` running, and does the proxy hand on /health/ready and"
            " /webhooks/?"
        )
        found.append(Problem(Severity.PROBLEM, "receiver", reach.unready, remedy))
    if reach.refused:
        where = f"{name}: signature"
        found.append(Problem(Severity.PROBLEM, where, reach.refused, _mend(reach.status, name)))
    return found


def _mend(status: int | None, name: str) -> str:
    if status == 401:
        return "start the receiver anew with the webhook secret that this command has"
    if status == 404:
        return f"start the receiver anew with the settings that name {name}; check public_url"
    return "check public_url and the proxy in front of the receiver"


def _answered(failure: Failure) -> BridgeError | None:
    """What our own receiver says of a failure; it knows no secret and says none."""
    body = failure.body if isinstance(failure.body, dict) else {}
    said = [str(body.get("error") or "no reason given"), *map(str, body.get("problems") or ())]
    return HelpdeskRefused(
        f"{failure.where}: answers {failure.status}: {'; '.join(said)}"[:500], status=failure.status
    )


def _data_problems(facts: Facts) -> list[Problem]:
    found = []
    versions = facts.versions
    if facts.now.year - int(versions.tzdata[:4]) >= _YEARS_WITHOUT_ZONES:
        what = f"the time zones are those of {versions.tzdata}; several change every year"
        found.append(Problem(Severity.WARNING, "time zones", what, "install a newer tzdata"))
    if not facts.holidays_known:
        what = f"holidays {versions.holidays} does not know all of {facts.country} until next year"
        remedy = "install a newer holidays; until then due times there count holidays as work days"
        found.append(Problem(Severity.WARNING, "holidays", what, remedy))
    return found


def _ledger_problems(ledger: LedgerFacts, now: datetime) -> list[Problem]:
    if ledger.revision != ledger.head:
        what = (
            f"its schema is {ledger.revision or 'not there yet'}; this version needs {ledger.head}"
        )
        remedy = "start `points-bridge serve`, which brings it up to date; back it up before"
        return [Problem(Severity.PROBLEM, "database", what, remedy)]
    restore = "stop the server, keep a copy of the file, and restore the last sound backup"
    found = [Problem(Severity.PROBLEM, "ledger", wrong, restore) for wrong in ledger.audit]
    dead = {queue: states.get(rows.DEAD, 0) for queue, states in ledger.backlog.items()}
    if any(dead.values()):
        counts = ", ".join(f"{count} in the {queue}" for queue, count in dead.items() if count)
        what = f"dead letters wait for somebody: {counts}"
        remedy = "`points-bridge deliveries list --state dead` says why; mend that, then replay"
        found.append(Problem(Severity.PROBLEM, "queues", what, remedy))
    return [*found, *_delay_problems(ledger, now), *_display_problems(ledger)]


def _delay_problems(ledger: LedgerFacts, now: datetime) -> list[Problem]:
    age = now - ledger.oldest if ledger.oldest else timedelta()
    if age < _SLOW:
        return []
    severity = Severity.PROBLEM if age >= _STUCK else Severity.WARNING
    what = f"the oldest work has been queued for {round(age / timedelta(minutes=1))} minutes"
    remedy = (
        "is `points-bridge serve` or `points-bridge work` running? `points-bridge deliveries list`"
        " says what failed"
    )
    return [Problem(severity, "queues", what, remedy)]


def _display_problems(ledger: LedgerFacts) -> list[Problem]:
    remedy = "mend that; or let the helpdesk's show_balance be false, and tickets alone show points"
    return [
        Problem(
            Severity.WARNING,
            f"{name}: organisations",
            f"{len(reasons)} of them do not show their points, one since: {reasons[0]}",
            remedy,
        )
        for name, reasons in ledger.unshown.items()
    ]


def _ledger_facts(database: Database, helpdesks: Iterable[str]) -> LedgerFacts:
    revision, head = database.revisions()
    if revision != head:
        return LedgerFacts(revision, head)
    return LedgerFacts(
        revision,
        head,
        tuple(database.read(audit)),
        database.read(lambda conn: displays.problems(conn, helpdesks)),
        database.read(rows.backlog),
        database.read(_oldest_queued),
        {name: database.read(partial(_promises, helpdesk=name)) for name in helpdesks},
    )


def _promises(conn: Connection, helpdesk: str) -> tuple[Promise, ...]:
    found = incidents.promised(conn, helpdesk, _MOST_PROMISES)
    return tuple(
        Promise(one.ticket_id, one.ticket_number, clock.started_at, clock.due_at)
        for one in found
        if (clock := one.incident.clock)
    )


def _oldest_queued(conn: Connection) -> datetime | None:
    columns = ((inbox, inbox.c.received_at), (outbox, outbox.c.created_at))
    oldest = [
        conn.scalar(select(func.min(stored_at)).where(table.c.state == rows.QUEUED))
        for table, stored_at in columns
    ]
    return min((at for at in oldest if at), default=None)
