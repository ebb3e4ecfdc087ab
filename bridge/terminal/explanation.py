"""Why a ticket is as it is, as a person reads it."""

from typing import Any

from bridge.service.reports import Explanation
from bridge.terminal.output import cell, escaped, say, table


def show_explanation(found: Explanation) -> None:
    """Everything about a ticket, as a person reads it."""
    fields = found.fields
    say(
        f"[bold]{escaped(f'{found.helpdesk} ticket {found.ticket_id}')}[/] (number "
        f"{escaped(found.incidents[-1].ticket_number)}) of [bold]{escaped(found.account.name)}[/]: "
        f"[bold]{fields.state.label}[/], {fields.charged} points charged, {fields.balance} left; "
        f"first response due {cell(fields.response_due)}, {cell(fields.sla and fields.sla.label)}; "
        f"free re-open until {cell(fields.free_reopen_until)}."
    )
    for decision in found.decisions:
        say(f"\n[bold]{decision.kind}[/] at {cell(decision.at)}, "
            f"decided {cell(decision.decided_at)}")  # fmt: skip
        for number, finding in enumerate(decision.findings, start=1):
            _show_finding(number, finding)
    say()
    queued = [
        (one.queue, one.what, one.state, one.attempts, one.stored_at, one.outcome)
        for one in found.rows
    ]
    columns = ("Queue", "What", "State", "#Tries", "When", "Outcome")
    table("Deliveries and write-backs", columns, queued)


def _show_finding(number: int, finding: dict[str, Any]) -> None:
    inputs = ", ".join(f"{name} {value}" for name, value in finding["inputs"].items())
    say(f"{number}. {escaped(finding['outcome'])}", indent=2)
    for line in (finding["rule"], *([f"with {inputs}"] if inputs else [])):
        say(escaped(line), indent=5, style="dim")
