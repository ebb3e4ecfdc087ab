"""An account's bookings, as a person reads them."""

from bridge.ledger.names import now_called
from bridge.policy.points import last_valid_day
from bridge.service.reports import Statement
from bridge.terminal.output import table


def show_statement(found: Statement) -> None:
    """An account's bookings as a table."""
    rows = [
        (
            line.at,
            line.kind,
            f"{line.points:+d}",
            line.balance,
            line.reference,
            line.purchased_on,
            last_valid_day(line.expires_at, found.zone),
            f"{line.helpdesk} {line.ticket_number}" if line.helpdesk else None,
            line.reason,
        )
        for line in found.entries
    ]
    lot = ("Lot", "Bought on", "Valid through")
    columns = ("When", "What", "#Points", "#Balance", *lot, "Ticket", "Why")
    ref, name = found.account.ref, found.account.name
    table(f"Statement of {ref}{now_called(ref, name)}", columns, rows)
