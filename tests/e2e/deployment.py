"""A deployment as people have one: a settings file, an environment, and processes of its own."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

BIN = Path(sys.executable).parent
DEADLINE = 60.0


@dataclass
class Deployment:
    """A settings file and the environment that goes with it; `port` is where it is to receive."""

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
        """Wait until the server is."""
        until(lambda: status_of(f"{self.url}/health/ready") == 200)


def until(true: Callable[[], bool]) -> None:
    """Poll until it is so; a deadline is the test's failure, never its pass."""
    end = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def status_of(url: str) -> int | None:
    """What a page answers; None for nothing at all."""
    try:
        return requests.get(url, timeout=5, allow_redirects=False).status_code
    except requests.RequestException:
        return None


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
