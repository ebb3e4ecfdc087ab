"""What accounts are called."""

from bridge.ledger.names import now_called
from bridge.terminal.output import escaped


def called(ref: str, name: str) -> str:
    """An account in a sentence, with what it is called now where that is something else."""
    return f"[bold]{escaped(ref)}[/]{escaped(now_called(ref, name))}"
