"""The command `points-bridge`."""

import os
import sys

from bridge.cli.app import app
from bridge.cli.common import not_text
from bridge.errors import BridgeError
from bridge.terminal.output import complain


def main() -> None:
    """Run the command; a failure of ours is one sentence and exit code 1, never a traceback.

    What is no text is typed wrong: exit code 2.
    """
    if complaint := not_text(sys.argv[1:], os.environ):
        complain(complaint)
        sys.exit(2)
    try:
        app()
    except BridgeError as error:
        complain(str(error))
        sys.exit(1)
