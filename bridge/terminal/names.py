"""What accounts are called."""

from bridge.ledger.names import key
from bridge.terminal.output import escaped


def called(ref: str, name: str) -> str:
    """An account in a sentence, with what it is called now where that is something else."""
    return f"[bold]{escaped(ref)}[/]{escaped(now_called(ref, name))}"


def now_called(ref: str, name: str) -> str:
    """What goes behind a ref that is no longer the name; not yet `escaped`."""
    return "" if key(ref) == key(name) else f" (now called {name})"
