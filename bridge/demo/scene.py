"""Stand-ins of helpdesks and a bridge beside them, talking HTTP over loopback, with one clock.

The demo plays on it, and so do the end-to-end tests. What sets the helpdesks up is what
`points-bridge setup` runs.
"""

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

from bridge.bootstrap import Inbound, opened, provisioner, wanted
from bridge.errors import BridgeError
from bridge.jobs import run_once
from bridge.sandbox.serve import serve
from bridge.sandbox.zammad import Token, ZammadSandbox
from bridge.sandbox.zendesk import Client, ZendeskSandbox
from bridge.service.core import Bridge
from bridge.settings import Purpose, Settings, load_settings
from bridge.settings.secrets import secret_variable
from bridge.setup.plan import apply, changes, plan
from bridge.terminal.output import say
from bridge.worker import drain
from webhooks.receiver import create_app

#: The names in the settings, of a Zammad and of a Zendesk.
HELPDESK, CLOUD = "support", "cloud"
#: A Monday, 10:00 in Berlin and 4:00 in Toronto.
START = datetime(2026, 11, 23, 9, tzinfo=UTC)

#: Since when they are in service; or for so long before a clock that starts earlier.
_IN_SERVICE, _BEFORE = datetime(2026, 11, 1, tzinfo=UTC), timedelta(days=22)

Box = ZammadSandbox | ZendeskSandbox


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
class Stand:
    """A stand-in, and what the settings say of it but its address.

    Attributes:
        name: the helpdesk's, in the settings.
        make: the stand-in, as after its installation or as somebody left it.
        table: the lines of its table in the settings file.
        secrets: by their keys. Nothing is secret about a helpdesk that lives for some seconds.
    """

    name: str
    make: Callable[[Clock], Box]
    table: str
    secrets: Mapping[str, str] = field(repr=False)

    @property
    def environ(self) -> dict[str, str]:
        """The secrets as environment variables."""
        return {secret_variable(self.name, key): value for key, value in self.secrets.items()}


ZAMMAD = Stand(
    HELPDESK,
    ZammadSandbox,
    'vendor = "zammad"\n',
    {"token": Token.BRIDGE, "setup_token": Token.SETUP},
)
ZENDESK = Stand(
    CLOUD,
    ZendeskSandbox,
    f'vendor = "zendesk"\nclient_id = "{Client.BRIDGE}"\nsetup_client_id = "{Client.SETUP}"\n'
    "show_balance = true\n",
    {"client_secret": Client.BRIDGE.secret, "setup_client_secret": Client.SETUP.secret},
)


@dataclass(frozen=True, slots=True)
class Scene:
    """One or more helpdesks, a bridge beside them, and the clock of all.

    Attributes:
        boxes: the stand-ins, by the helpdesks' names.
        urls: where they are.
        receiver: where the bridge receives, without a path.
        settings: what the bridge and its set-up run with.
    """

    bridge: Bridge
    clock: Clock
    boxes: Mapping[str, Box]
    urls: Mapping[str, str]
    receiver: str
    settings: Settings

    @property
    def zammad(self) -> ZammadSandbox:
        """The stand-in for Zammad, where the scene has one."""
        return cast("ZammadSandbox", self.boxes[HELPDESK])

    @property
    def zendesk(self) -> ZendeskSandbox:
        """The stand-in for Zendesk, where the scene has one."""
        return cast("ZendeskSandbox", self.boxes[CLOUD])

    def webhook_url(self, helpdesk: str) -> str:
        """Where that helpdesk sends its webhooks."""
        return f"{self.receiver}/webhooks/{helpdesk}"

    def tell(self, what: str) -> None:
        """What happens, and when."""
        say(f"[dim]{self.clock():%a %Y-%m-%d %H:%M}Z[/]  {what}")

    def settle(self) -> None:
        """Let every webhook arrive, and everything come of it that comes of it."""
        while sum(box.webhooks.drain() for box in self.boxes.values()) + drain(self.bridge):
            pass

    def wait(self, time: timedelta) -> None:
        """Let time pass, and the schedule run."""
        self.clock.move(time)
        run_once(self.bridge)
        self.settle()


@contextmanager
def open_scene(
    directory: Path, *stands: Stand, clock: Clock | None = None, set_up: bool = True
) -> Iterator[Scene]:
    """The bridge beside these helpdesks, running on loopback, and set up in them.

    The receiver has its address before it serves: the helpdesks are told of it first. With
    `set_up` False nobody has told them, and the stands hold the webhooks' secrets.
    """
    clock = clock or Clock(START)
    boxes = {one.name: one.make(clock) for one in stands}
    environ = {name: value for one in stands for name, value in one.environ.items()}
    with ExitStack() as stack:
        urls = {name: stack.enter_context(serve(box.app)) for name, box in boxes.items()}
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        receiver = f"http://127.0.0.1:{listening.getsockname()[1]}"
        since = min(_IN_SERVICE, clock() - _BEFORE)
        path = _settings_file(directory, receiver, stands, urls, since)
        if set_up:
            before = load_settings(path, environ, Purpose.SET_UP)
            for name in boxes:
                run_setup(before, name, clock().date())
        settings = load_settings(path, environ)
        bridge = stack.enter_context(opened(settings, now=clock))
        stack.enter_context(serve(create_app(Inbound(bridge), clock), listening=listening))
        yield Scene(bridge, clock, boxes, urls, receiver, settings)


def run_setup(settings: Settings, helpdesk: str, today: date) -> None:
    """As `points-bridge setup HELPDESK --yes` does, on a day of our choice. May be repeated.

    Raises:
        BridgeError: something could not be set up.
    """
    goal = replace(wanted(settings, helpdesk), today=today)
    for done in apply(changes(plan(provisioner(settings, helpdesk), goal))):
        if done.failure:
            raise BridgeError(done.failure)


def _settings_file(
    directory: Path,
    receiver: str,
    stands: Sequence[Stand],
    urls: Mapping[str, str],
    since: datetime,
) -> Path:
    path = directory / "points-bridge.toml"
    tables = [
        f'[helpdesks.{one.name}]\nurl = "{urls[one.name]}"\n'
        f"in_service_since = {since.isoformat()}\n{one.table}"
        for one in stands
    ]
    own = f'[defaults]\nzone = "Europe/Berlin"\n[listen]\npublic_url = "{receiver}"\n'
    path.write_text("\n".join([own, *tables]), encoding="utf-8")
    return path
