"""Commands about what is queued and what got stuck: the dead letters of both queues."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated

import typer

from bridge.cli.common import bridge_of
from bridge.cli.numbers import taking, whole
from bridge.queues import rows
from bridge.queues.rows import QueueName, QueueRow
from bridge.service import queues
from bridge.terminal.output import Json, dump, say, table

commands = typer.Typer(
    help="What is queued, and what got stuck: list, show, replay, discard.", no_args_is_help=True
)


class Queue(StrEnum):
    """The two queues."""

    INBOX = "inbox"
    OUTBOX = "outbox"


class State(StrEnum):
    """What can have become of a row."""

    QUEUED = rows.QUEUED
    DONE = rows.DONE
    DEAD = rows.DEAD
    DISCARDED = rows.DISCARDED


QueueArgument = Annotated[Queue, typer.Argument(help="Which queue.")]
_NUMBER = whole("the number in the list is")
Number = Annotated[int, typer.Argument(help="Its number in the list.", parser=_NUMBER)]


@commands.command("list", epilog="Example: points-bridge queues list --state dead --json")
def list_rows(
    context: typer.Context,
    state: Annotated[
        State | None, typer.Option(help="Only these; else all but the done ones.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List what is not done yet; the dead ones wait for you."""
    with bridge_of(context) as bridge:
        found = queues.listed(bridge, state)
    if as_json:
        dump(found)
        return
    if not found:
        say(f"Nothing is {state.value}." if state else "Nothing is queued or stuck.")
        return
    columns = ("Queue", "#Number", "Helpdesk", "Ticket", "What", "State", "#Tries", "Why")
    table("Deliveries and write-backs", columns, [_cells(row) for row in found])


@commands.command(cls=taking(_NUMBER), epilog="Example: points-bridge queues show outbox 17")
def show(
    context: typer.Context, queue: QueueArgument, number: Number, as_json: Json = False
) -> None:
    """Show one of them and what it carries."""
    with bridge_of(context) as bridge:
        row, carried = queues.details(bridge, _name(queue), number)
    if as_json:
        dump({"row": row, "carries": carried})
        return
    table(f"{row.queue} {row.id}", ("What", "Value"), [
        ("helpdesk", row.helpdesk), ("ticket", row.ticket_id), ("what", row.what),
        ("state", row.state), ("tries", row.attempts), ("stored", row.stored_at),
        ("next try", row.next_at), ("outcome", row.outcome), *_parts("carries", carried),
    ])  # fmt: skip


@commands.command(cls=taking(_NUMBER), epilog="Example: points-bridge queues replay --all")
def replay(
    context: typer.Context,
    queue: Annotated[Queue | None, typer.Argument(help="Which queue.")] = None,
    number: Annotated[
        int | None, typer.Argument(help="Its number in the list.", parser=_NUMBER)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All dead letters of both queues.")] = False,
) -> None:
    """Try dead letters again, after their cause is mended."""
    if every is bool(queue and number):
        raise typer.BadParameter("name a queue and a number, or --all")
    with bridge_of(context) as bridge:
        if queue and number:
            queues.replay(bridge, _name(queue), number)
            count = 1
        else:
            count = queues.replay_all(bridge)
    say(f"Queued again: {count}.")


@commands.command(
    cls=taking(_NUMBER),
    epilog='Example: points-bridge queues discard inbox 4 --reason "test ticket"',
)
def discard(
    context: typer.Context,
    queue: QueueArgument,
    number: Number,
    reason: Annotated[str, typer.Option(help="Why; it stays on record.")],
) -> None:
    """Put a dead letter aside for good."""
    with bridge_of(context) as bridge:
        queues.discard(bridge, _name(queue), number, reason)
    say(f"Discarded: {queue.value} {number}.")


def _name(queue: Queue) -> QueueName:
    return queue.value


def _parts(name: str, value: object) -> Iterator[tuple[str, object]]:
    """What a row carries, part by part: each with the names of all that it is part of."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _parts(f"{name} {key}", part)
    else:
        yield name, value


def _cells(row: QueueRow) -> tuple[object, ...]:
    return (
        row.queue,
        row.id,
        row.helpdesk,
        row.ticket_id,
        row.what,
        row.state,
        row.attempts,
        row.outcome,
    )
