"""The command `points-bridge`."""

import sys

from bridge.cli.app import app
from bridge.errors import BridgeError
from bridge.terminal.output import complain


def main() -> None:
    """Run the command; a failure of ours is one sentence and exit code 1, never a traceback."""
    try:
        app()
    except BridgeError as error:
        complain(str(error))
        sys.exit(1)
