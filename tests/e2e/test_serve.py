"""The server as people start it: its own process, granian or gunicorn, and a clean end."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from bridge.cli.scene import SECRETS, WEBHOOK_SECRET
from bridge.sandbox.zammad import ZammadSandbox

BIN = Path(sys.executable).parent
DEADLINE = 60.0


@dataclass
class Deployment:
    """A settings file, the environment that goes with it, and a helpdesk that runs."""

    zammad: ZammadSandbox
    settings: Path
    environ: dict[str, str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def points(self, *arguments: str) -> str:
        """Run a command to its end; what it printed."""
        done = subprocess.run(
            [BIN / "points-bridge", *arguments],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=True,
        )
        return done.stdout

    @contextmanager
    def running(self, *command: str) -> Iterator["subprocess.Popen[str]"]:
        """A server, ended with SIGTERM."""
        process = subprocess.Popen(
            [str(BIN / command[0]), *command[1:]],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=DEADLINE)
            print(output)

    def ready(self) -> None:
        until(lambda: _status(f"{self.url}/health/ready") == 200)


def until(true: Callable[[], bool]) -> None:
    """Poll until it is so; a deadline is the test's failure, never its pass."""
    end = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def _status(url: str) -> int | None:
    try:
        return requests.get(url, timeout=5, allow_redirects=False).status_code
    except requests.RequestException:
        return None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    zammad = ZammadSandbox(lambda: datetime.now(UTC), retry_scale=0.01)
    port = free_port()
    settings = tmp_path / "points-bridge.toml"
    with zammad.running() as helpdesk_url:
        settings.write_text(
            f'[listen]\nport = {port}\n[defaults]\nzone = "Europe/Berlin"\n'
            f'[helpdesks.support]\nvendor = "zammad"\nurl = "{helpdesk_url}"\n',
            encoding="utf-8",
        )
        environ = {**os.environ, **SECRETS, "POINTS_BRIDGE_SETTINGS": str(settings)}
        zammad.provision_points(f"http://127.0.0.1:{port}/webhooks/support", WEBHOOK_SECRET)
        zammad.model.add_organization("Acme GmbH")
        zammad.model.add_customer("Carla", "carla@acme.example", "Acme GmbH")
        yield Deployment(zammad, settings, environ, port)


def charged(deployment: Deployment) -> bool:
    with deployment.zammad.model.store.lock:
        tickets = list(deployment.zammad.model.store.tables["Ticket"].values())
    return any(ticket["points_state"] == "charged" for ticket in tickets)


def test_serve_charges_a_ticket_and_ends_cleanly(deployment: Deployment) -> None:
    with deployment.running("points-bridge", "serve") as server:
        deployment.ready()
        deployment.points("purchase", "Acme GmbH", "10", "--reference", "INV-1")
        deployment.zammad.model.customer_mails("carla@acme.example", "Help", "Please.")
        until(lambda: charged(deployment))
        assert _status(f"{deployment.url}/health/live") == 200
    assert server.returncode == 0
    # It closed the database: the last connection puts the write-ahead log into the file.
    assert not list(deployment.settings.parent.glob("*.db-wal"))
    assert '"kind": "charge"' in deployment.points("statement", "Acme GmbH", "--json")


def test_a_second_server_on_the_same_database_is_refused(deployment: Deployment) -> None:
    with deployment.running("points-bridge", "serve"):
        deployment.ready()
        second = subprocess.run(
            [BIN / "points-bridge", "serve", "--port", str(free_port())],
            env=deployment.environ,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
    assert second.returncode == 1
    assert "another server" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_port_in_use_is_one_clear_sentence(deployment: Deployment) -> None:
    with socket.create_server(("127.0.0.1", deployment.port)):
        refused = subprocess.run(
            [BIN / "points-bridge", "serve"],
            env=deployment.environ,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
    assert refused.returncode == 1
    assert f"cannot listen on 127.0.0.1:{deployment.port}" in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stderr


def test_gunicorn_receives_while_another_process_works(deployment: Deployment) -> None:
    deployment.points("purchase", "Acme GmbH", "10", "--reference", "INV-1")
    gunicorn = [
        "gunicorn", "--bind", f"127.0.0.1:{deployment.port}", "--workers", "2", "--threads", "4",
        "webhooks.wsgi:receiver()",
    ]  # fmt: skip
    with deployment.running(*gunicorn):
        deployment.ready()
        deployment.zammad.model.customer_mails("carla@acme.example", "Help", "Please.")
        assert deployment.zammad.webhooks.wait_until_idle(DEADLINE)
        with deployment.running("points-bridge", "work"):
            until(lambda: charged(deployment))


def test_a_killed_server_loses_nothing_that_it_acknowledged(deployment: Deployment) -> None:
    deployment.points("purchase", "Acme GmbH", "10", "--reference", "INV-1")
    with deployment.running("points-bridge", "serve", "--receiver-only") as server:
        deployment.ready()
        deployment.zammad.model.customer_mails("carla@acme.example", "Help", "Please.")
        assert deployment.zammad.webhooks.wait_until_idle(DEADLINE)
        os.kill(server.pid, signal.SIGKILL)
    with deployment.running("points-bridge", "work"):
        until(lambda: charged(deployment))
