"""An account's bookings, as a person reads them."""

from bridge.ledger.accounts import Account
from bridge.ledger.holdings import StatementLine
from bridge.terminal.names import now_called
from bridge.terminal.output import table


def show_statement(owner: Account, lines: list[StatementLine]) -> None:
    """An account's bookings as a table."""
    rows = [
        (
            line.at,
            line.kind,
            f"{line.points:+d}",
            line.balance,
            line.reference,
            f"{line.helpdesk} {line.ticket_number}" if line.helpdesk else None,
            line.reason,
        )
        for line in lines
    ]
    columns = ("When", "What", "#Points", "#Balance", "Lot", "Ticket", "Why")
    table(f"Statement of {owner.ref}{now_called(owner.ref, owner.name)}", columns, rows)
