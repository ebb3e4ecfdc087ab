"""The command `points-bridge`."""

import os
import sys

import typer

from bridge.cli.app import app
from bridge.cli.common import not_text
from bridge.errors import BridgeError
from bridge.terminal.output import complain, dump, give_up_stdout, speak_any_tongue


def main() -> None:
    """Run the command; a failure of ours is one sentence and exit code 1, never a traceback.

    What is typed wrong ends with exit code 2, and so does what is no text. With `--json` stdout has
    the failure as JSON, and stderr nothing.
    """
    speak_any_tongue()
    for_scripts = "--json" in sys.argv
    if complaint := not_text(sys.argv[1:], os.environ):
        _fail(complaint, "WrongUse", 2, for_scripts=for_scripts)
    try:
        sys.exit(app(standalone_mode=not for_scripts))
    except typer.TyperException as error:
        message = getattr(error, "format_message", error.__str__)()
        _fail(message, "WrongUse", 2, for_scripts=for_scripts)
    except typer.Abort:
        _fail("it was not confirmed; nothing was done", "Aborted", 1, for_scripts=for_scripts)
    except OSError as error:
        give_up_stdout()
        _fail(f"the output cannot be written: {error.strerror}", "OSError", 1, for_scripts=False)
    except BridgeError as error:
        _fail(str(error), type(error).__name__, 1, for_scripts=for_scripts)


def _fail(message: str, kind: str, code: int, *, for_scripts: bool) -> None:
    if for_scripts:
        dump({"ok": False, "error": {"kind": kind, "message": message}})
    else:
        complain(message)
    sys.exit(code)
