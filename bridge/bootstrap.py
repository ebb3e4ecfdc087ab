"""Settings in, wired objects out. The only place where anything is put together."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

from bridge.adapters.base import Adapter
from bridge.adapters.provisioning import Provisioner, Wanted
from bridge.adapters.registry import VENDORS
from bridge.database.engine import Database
from bridge.errors import BadRequest, BridgeError, UnknownHelpdesk
from bridge.jobs import Jobs
from bridge.ledger.accounts import put_into_service
from bridge.queues import rows
from bridge.service.core import Bridge, Helpdesk
from bridge.service.intake import receive
from bridge.settings import HelpdeskSettings, Settings
from bridge.ticket import HttpDelivery, Received, Status
from bridge.worker import Workers


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


@contextmanager
def opened(settings: Settings, now: Callable[[], datetime] = utc_now) -> Iterator[Bridge]:
    """The bridge on its database, which is made or brought up to date first.

    Raises:
        SettingsError: the database cannot be used.
        LedgerBusy: the database is locked.
    """
    with Database.open(settings.database) as database:
        database.migrate()
        yield Bridge(
            db=database,
            helpdesks={
                name: _helpdesk(helpdesk, settings) for name, helpdesk in settings.helpdesks.items()
            },
            terms=settings.terms,
            home=settings.defaults.address,
            texts=settings.texts,
            now=now,
            hours=settings.defaults.service_hours(),
        )


def take_up(settings: Settings, name: str) -> None:
    """Meter what is opened in the helpdesk of that name from now on; done once, and kept.

    Raises: as `opened`.
    """
    with opened(settings) as bridge:
        bridge.db.write(lambda conn: put_into_service(conn, [name], bridge.now()))


def provisioner(settings: Settings, name: str) -> Provisioner:
    """What sets up the helpdesk of that name, and checks it. Connects to nothing yet.

    Raises:
        UnknownHelpdesk: none of that name is configured.
        BadRequest: helpdesks of its vendor are set up by hand.
        SettingsError: its url or one of its secrets cannot be used.
    """
    if name not in settings.helpdesks:
        known = ", ".join(sorted(settings.helpdesks))
        raise UnknownHelpdesk(f"no helpdesk {name!r} is configured; known: {known}")
    helpdesk = settings.helpdesks[name]
    vendor = helpdesk.options.vendor
    build = VENDORS[vendor].provisioner
    if build is None:
        raise BadRequest(f"a {vendor} is set up by hand; its page in docs says how")
    return build(name, helpdesk.vendor_settings, helpdesk.secrets)


def wanted(settings: Settings, name: str, public_url: str | None = None) -> Wanted:
    """What the helpdesk of that name is to do; `public_url` overrules that of the settings."""
    base = public_url or settings.listen.public_url
    endpoint = f"{base}/webhooks/{name}" if base else None
    hours = settings.defaults.service_hours()
    return Wanted(
        endpoint,
        reopen_days=settings.terms.reopen_days,
        home=settings.defaults.address,
        hours=hours,
        response_seconds=hours.applied_to(settings.terms).response_seconds,
        today=utc_now().date(),
    )


@dataclass(frozen=True, slots=True)
class Inbound:
    """What the receiver needs of a bridge; with its workers and jobs where they run beside it."""

    bridge: Bridge
    workers: Workers | None = None
    jobs: Jobs | None = None

    def receive(self, helpdesk: str, delivery: HttpDelivery) -> Received:
        """Keep a delivery; see `bridge.service.intake.receive`."""
        return receive(self.bridge, helpdesk, delivery)

    def problems(self) -> list[str]:
        """Why this process is not ready; empty when it is. No helpdesk is asked."""
        found = [*(self.workers.problems() if self.workers else [])]
        found += self.jobs.problems() if self.jobs else []
        try:
            self.bridge.db.write(lambda _conn: None)
        except BridgeError as error:
            found.append(f"the database takes no writes: {error}")
            return found
        denied = self.bridge.db.read(lambda conn: rows.denied(conn, self.bridge.now()))
        return found + [
            f"{name}: the helpdesk takes the bridge's credentials for wrong, or forbids what it"
            f" must do (answer {status}); `points-bridge doctor {name}` says what is lacking"
            for name, status in sorted(denied.items())
            if name in self.bridge.helpdesks
        ]


def receiving(bridge: Bridge) -> Inbound:
    """A receiver alone; what is opened from now on is metered, where that was not so already.

    Raises:
        LedgerBusy: the database is locked.
    """
    bridge.db.write(lambda conn: put_into_service(conn, bridge.helpdesks, bridge.now()))
    return Inbound(bridge)


@contextmanager
def working(bridge: Bridge) -> Iterator[Inbound]:
    """Workers and jobs, running until the end of the block. One such server on a SQLite database.

    Raises:
        SettingsError: another server works on this database.
    """
    workers, jobs = Workers(bridge), Jobs(bridge)
    with ExitStack() as stack:
        stack.enter_context(bridge.db.serving_lock())
        inbound = replace(receiving(bridge), workers=workers, jobs=jobs)
        # Nobody else works here: what a server that was killed had in hand is taken up at once.
        bridge.db.write(rows.end_leases)
        stack.callback(workers.stop)
        stack.callback(jobs.stop)
        workers.start()
        jobs.start()
        yield inbound


class _NotAsked:
    """Stands where an adapter would, for commands that ask helpdesks nothing."""

    def knows(self, _customer: str) -> None:
        """Nobody is asked."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"{name}: these settings were read for the ledger alone")


def _helpdesk(settings: HelpdeskSettings, every: Settings) -> Helpdesk:
    options, own = settings.options, settings.vendor_settings
    build = VENDORS[options.vendor].build
    buying = options if options.buy_text or options.buy_link else every.buying
    return Helpdesk(
        name=settings.name,
        adapter=build(settings.name, own) if own else cast("Adapter", _NotAsked()),
        in_service_since=options.in_service_since,
        held_status=Status(options.held_status) if options.held_status else None,
        declined_status=Status(options.declined_status),
        announce_release=options.announce_release,
        language=every.defaults.language,
        buy_text=buying.buy_text or "",
        buy_link=buying.buy_link or "",
    )
