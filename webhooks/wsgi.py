"""What a WSGI server loads. Settings come from the file that `POINTS_BRIDGE_SETTINGS` names.

    granian --interface wsgi --factory webhooks.wsgi:receiver
    gunicorn --threads 8 'webhooks.wsgi:receiver()'

`receiver` takes deliveries and leaves the rest to `points-bridge work`; any number of processes may
run it. `everything` also works and keeps the schedule: one process, which `points-bridge serve` is.
"""

import os
import signal
import threading
from contextlib import ExitStack
from multiprocessing.util import Finalize
from pathlib import Path

from flask import Flask

from bridge.bootstrap import Inbound, opened, receiving, utc_now, working
from bridge.logs import configure_logs
from bridge.settings import load_settings
from bridge.settings.secrets import warn_of_exposed
from webhooks.receiver import create_app

SETTINGS_VARIABLE = "POINTS_BRIDGE_SETTINGS"
#: The process without which this one must not go on, where a supervisor names itself.
PARENT_VARIABLE = "POINTS_BRIDGE_PARENT"

_PARENT_CHECK_SECONDS = 0.5


def receiver() -> Flask:
    """The receiver alone.

    Raises:
        SettingsError: the settings or the database cannot be used.
    """
    return create_app(_until_exit(alone=True), utc_now)


def everything() -> Flask:
    """Receiver, workers and schedule in this process; stopped in order when it ends.

    Raises:
        SettingsError: as `receiver`, or another such process works on the same database.
    """
    return create_app(_until_exit(alone=False), utc_now)


def _until_exit(*, alone: bool) -> Inbound:
    configure_logs()
    if os.environ.get(PARENT_VARIABLE) == str(os.getppid()):
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    path = Path(os.environ.get(SETTINGS_VARIABLE, "points-bridge.toml"))
    stack = ExitStack()
    settings = load_settings(path, os.environ)
    warn_of_exposed(settings.exposed())
    bridge = stack.enter_context(opened(settings))
    inbound = receiving(bridge) if alone else stack.enter_context(working(bridge))
    # Not atexit: it does not run in a worker that its server has forked. Where this process is no
    # such worker, multiprocessing's own exit function runs it all the same.
    Finalize(None, stack.close, exitpriority=0)
    return inbound


def _end_with(parent: int) -> None:
    """End when the supervisor is killed: an orphan would keep the port and the database's lock."""
    gone = threading.Event()
    while os.getppid() == parent:
        gone.wait(_PARENT_CHECK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
