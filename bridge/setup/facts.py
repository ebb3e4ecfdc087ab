"""What there is on the bridge's own side, and what answers at its address; nothing is judged here.

Reads only.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from bridge.adapters.http import Failure, GuardedSession, checked_base_url, decoded
from bridge.adapters.provisioning import Probe, Promise
from bridge.database.engine import Database
from bridge.errors import BridgeError, HelpdeskRefused
from bridge.ledger import displays, incidents
from bridge.ledger.audit import audit
from bridge.policy.calendars import DataVersions, Region, data_versions, find_place, public_holidays
from bridge.queues import rows
from bridge.settings import Settings
from bridge.settings.secrets import Exposed
from bridge.ticket import Received

_DEADLINE = 10.0
_MOST_PROMISES = 20


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """The database: what is queued and stuck, and what its audit says.

    `unshown`: why organisations of a helpdesk do not show their points, a reason for each.
    `unreadable`: how many dead letters name no ticket.
    `promises` are the newest first responses that are still owed, by helpdesk.
    """

    revision: str | None
    head: str
    audit: tuple[str, ...] = ()
    unshown: Mapping[str, list[str]] = field(default_factory=dict)
    backlog: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    oldest: datetime | None = None
    promises: Mapping[str, tuple[Promise, ...]] = field(default_factory=dict)
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is on our side. `ledger` is None, and `unread` says why, where it is not read.

    `exposed` are the files with secrets that others can read. `holidays_known` says whether the
    holiday data of `country` reach over this year and the next.
    """

    now: datetime
    sqlite: tuple[int, ...]
    versions: DataVersions
    country: str | None
    holidays_known: bool
    ledger: LedgerFacts | None
    unread: str = ""
    exposed: tuple[Exposed, ...] = ()


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
    place = find_place(
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
        exposed=tuple(settings.exposed()),
    )


def look(public_url: str, name: str, probe: Probe | None) -> Reach:
    """What a helpdesk would meet: readiness, and a signed delivery that is about no ticket.

    Without a probe, for want of a secret, readiness alone.
    """
    base = checked_base_url(public_url)
    session = GuardedSession(
        base, sign=lambda request: request, deadline=_DEADLINE, explain=_answered
    )
    unready = refused = status = None
    try:
        session.get(f"{base}/health/ready")
    except BridgeError as error:
        unready = str(error)
    if probe is None:
        return Reach(public_url, unready)
    try:
        response = session.post(
            f"{base}/webhooks/{name}", data=probe.body, headers=dict(probe.headers)
        )
        if decoded(response) != {"status": Received.IGNORED.value}:
            refused, status = "what answers there is not the bridge's receiver", 200
    except BridgeError as error:
        refused, status = str(error), getattr(error, "status", None)
    return Reach(public_url, unready, refused, status)


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
        database.read(rows.oldest_queued),
        {name: _promised(database, name) for name in helpdesks},
        database.read(rows.unreadable),
    )


def _promised(database: Database, helpdesk: str) -> tuple[Promise, ...]:
    find = partial(incidents.promised, helpdesk=helpdesk, limit=_MOST_PROMISES)
    return tuple(
        Promise(one.ticket_id, one.ticket_number, clock.started_at, clock.due_at)
        for one in database.read(find)
        if (clock := one.incident.clock)
    )


def _answered(failure: Failure) -> BridgeError | None:
    """What our own receiver says of a failure; it knows no secret and says none."""
    body = failure.body if isinstance(failure.body, dict) else {}
    said = [str(body.get("error") or "no reason given"), *map(str, body.get("problems") or ())]
    return HelpdeskRefused(
        f"{failure.where}: answers {failure.status}: {'; '.join(said)}"[:500], status=failure.status
    )
