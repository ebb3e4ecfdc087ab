"""The server as people start it: its own process, granian or gunicorn, and a clean end."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.demo.scene import HELPDESK, ZAMMAD, run_setup
from bridge.sandbox.zammad import ZammadSandbox
from bridge.settings import Purpose, load_settings
from tests.e2e.deployment import BIN, DEADLINE, Deployment, free_port, status_of, until


@dataclass
class WithZammad(Deployment):
    """The same with a helpdesk that runs."""

    zammad: ZammadSandbox


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[WithZammad]:
    zammad = ZammadSandbox(lambda: datetime.now(UTC), retry_scale=0.01)
    port = free_port()
    settings = tmp_path / "points-bridge.toml"
    with zammad.running() as helpdesk_url:
        settings.write_text(
            f'[listen]\nport = {port}\npublic_url = "http://127.0.0.1:{port}"\n'
            f'[defaults]\nzone = "Europe/Berlin"\n'
            f'[helpdesks.{HELPDESK}]\nurl = "{helpdesk_url}"\n{ZAMMAD.table}',
            encoding="utf-8",
        )
        # gunicorn leaves a socket in its user's home.
        home = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": ""}
        environ = {**os.environ, **home, **ZAMMAD.environ, "POINTS_BRIDGE_SETTINGS": str(settings)}
        before = load_settings(settings, environ, Purpose.SET_UP)
        run_setup(before, HELPDESK, datetime.now(UTC).date())
        zammad.model.add_organization("Acme GmbH")
        zammad.model.add_customer("Carla", "carla@acme.example", "Acme GmbH")
        yield WithZammad(settings, environ, port, zammad)


def charged(deployment: WithZammad) -> bool:
    with deployment.zammad.model.store.lock:
        tickets = list(deployment.zammad.model.store.tables["Ticket"].values())
    return any(ticket["points_state"] == "charged" for ticket in tickets)


def test_serve_charges_a_ticket_and_ends_cleanly(deployment: WithZammad) -> None:
    with deployment.running("points-bridge", "serve") as server:
        deployment.ready()
        deployment.points("purchase", "Acme GmbH", "10", "--reference", "INV-1", "--new")
        deployment.zammad.model.customer_mails("carla@acme.example", "Help", "Please.")
        until(lambda: charged(deployment))
        assert status_of(f"{deployment.url}/health/live") == 200
    assert server.returncode == 0
    # It closed the database: the last connection puts the write-ahead log into the file.
    assert not list(deployment.settings.parent.glob("*.db-wal"))
    assert '"kind": "charge"' in deployment.points("statement", "Acme GmbH", "--json")


def test_a_second_server_on_the_same_database_is_refused(deployment: WithZammad) -> None:
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


def test_a_port_in_use_is_one_clear_sentence(deployment: WithZammad) -> None:
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


def test_gunicorn_receives_while_another_process_works(deployment: WithZammad) -> None:
    deployment.points("purchase", "Acme GmbH", "10", "--reference", "INV-1", "--new")
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


def test_a_killed_server_loses_nothing_that_it_acknowledged(deployment: WithZammad) -> None:
    deployment.points("purchase", "Acme GmbH", "10", "--reference", "INV-1", "--new")
    with deployment.running("points-bridge", "serve", "--receiver-only") as server:
        deployment.ready()
        deployment.zammad.model.customer_mails("carla@acme.example", "Help", "Please.")
        assert deployment.zammad.webhooks.wait_until_idle(DEADLINE)
        os.kill(server.pid, signal.SIGKILL)
    with deployment.running("points-bridge", "work"):
        until(lambda: charged(deployment))
