"""A helpdesk's stand-in and a bridge beside it, talking HTTP over loopback, with one clock.

The demo plays on it, and so do the end-to-end tests.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.bootstrap import Inbound, opened
from bridge.jobs import run_once
from bridge.sandbox.serve import serve
from bridge.sandbox.zammad import Token, ZammadSandbox
from bridge.sandbox.zendesk import Client, ZendeskSandbox
from bridge.service.core import Bridge
from bridge.settings import load_settings
from bridge.terminal.output import say
from bridge.worker import drain
from webhooks.receiver import create_app

#: Nothing is secret about a helpdesk that lives for some seconds on loopback.
WEBHOOK_SECRET = "demo-webhook-secret"  # noqa: S105
HELPDESK = "support"
#: A Zendesk beside it, where a scene has both.
CLOUD = "cloud"
#: A Monday, 10:00 in Berlin and 4:00 in Toronto.
START = datetime(2026, 11, 23, 9, tzinfo=UTC)


SECRETS = {
    "POINTS_BRIDGE_SUPPORT_TOKEN": Token.BRIDGE,
    "POINTS_BRIDGE_SUPPORT_WEBHOOK_SECRET": WEBHOOK_SECRET,
}


class Clock:
    """A clock that stands still until it is moved, or let go."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._released: float | None = None

    def __call__(self) -> datetime:
        """The present instant, UTC."""
        if self._released is None:
            return self._now
        return self._now + timedelta(seconds=time.monotonic() - self._released)

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self._now += by

    def release(self) -> None:
        """From now on it runs by itself."""
        self._released = time.monotonic()


@dataclass(frozen=True, slots=True)
class Scene:
    """A helpdesk, a bridge beside it, and the clock of both."""

    zammad: ZammadSandbox
    bridge: Bridge
    clock: Clock
    helpdesk_url: str
    webhook_url: str

    def tell(self, what: str) -> None:
        """What happens, and when."""
        say(f"[dim]{self.clock():%a %Y-%m-%d %H:%M}Z[/]  {what}")

    def settle(self) -> None:
        """Let every webhook arrive, and everything come of it that comes of it."""
        while self.zammad.webhooks.drain() + drain(self.bridge):
            pass

    def wait(self, time: timedelta) -> None:
        """Let time pass, and the schedule run."""
        self.clock.move(time)
        run_once(self.bridge)
        self.settle()


@dataclass(frozen=True, slots=True)
class TwoDesks(Scene):
    """The same with a Zendesk beside the Zammad: one bridge, one ledger."""

    zendesk: ZendeskSandbox

    def settle(self) -> None:
        """Let every webhook of both arrive, and everything come of it that comes of it."""
        while self.zendesk.webhooks.drain() + self.zammad.webhooks.drain() + drain(self.bridge):
            pass


@contextmanager
def open_scene(
    directory: Path,
    *,
    clock: Clock | None = None,
    secrets: Mapping[str, str] = SECRETS,
    extra_settings: str = "",
    set_up: bool = True,
) -> Iterator[Scene]:
    """Both systems, running on loopback, with the bridge set up in the helpdesk.

    `extra_settings` are lines for the helpdesk's table, and for those after it. With `set_up` False
    the helpdesk is as after its installation.
    """
    clock = clock or Clock(START)
    zammad = ZammadSandbox(clock)
    with serve(zammad.app) as helpdesk_url:
        settings = load_settings(_settings_file(directory, helpdesk_url, extra_settings), secrets)
        with (
            opened(settings, now=clock) as bridge,
            serve(create_app(Inbound(bridge), clock)) as url,
        ):
            webhook_url = f"{url}/webhooks/{HELPDESK}"
            if set_up:
                zammad.provision_points(webhook_url, WEBHOOK_SECRET)
            yield Scene(zammad, bridge, clock, helpdesk_url, webhook_url)


@contextmanager
def open_two_desks(directory: Path) -> Iterator[TwoDesks]:
    """A scene with both vendors, the bridge set up in both."""
    clock = Clock(START)
    zendesk = ZendeskSandbox(clock)
    secret = zendesk.provision_points("http://127.0.0.1:9/")  # the receiver's port comes later
    secrets = {
        **SECRETS,
        "POINTS_BRIDGE_CLOUD_CLIENT_SECRET": Client.BRIDGE.secret,
        "POINTS_BRIDGE_CLOUD_WEBHOOK_SECRET": secret,
    }
    with serve(zendesk.app) as cloud_url:
        table = f"""
        [helpdesks.{CLOUD}]
        vendor = "zendesk"
        url = "{cloud_url}"
        client_id = "{Client.BRIDGE}"
        show_balance = true
        in_service_since = 2026-11-01T00:00:00Z
        """
        with open_scene(directory, clock=clock, secrets=secrets, extra_settings=table) as scene:
            receiver = scene.webhook_url.removesuffix(HELPDESK)
            zendesk.point_at(f"{receiver}{CLOUD}")
            yield TwoDesks(
                scene.zammad,
                scene.bridge,
                scene.clock,
                scene.helpdesk_url,
                scene.webhook_url,
                zendesk,
            )


def _settings_file(directory: Path, helpdesk_url: str, extra: str) -> Path:
    path = directory / "points-bridge.toml"
    path.write_text(
        f"""
        [defaults]
        zone = "Europe/Berlin"

        [helpdesks.{HELPDESK}]
        vendor = "zammad"
        url = "{helpdesk_url}"
        in_service_since = 2026-11-01T00:00:00Z
        {extra}
        """,
        encoding="utf-8",
    )
    return path
