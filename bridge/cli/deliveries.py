"""Commands about what is queued and what got stuck: the dead letters of inbox and outbox."""

from enum import StrEnum
from typing import Annotated

import typer

from bridge import queues
from bridge.cli.common import bridge_of
from bridge.queues import Letter, QueueName
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

    QUEUED = queues.QUEUED
    DONE = queues.DONE
    DEAD = queues.DEAD
    DISCARDED = queues.DISCARDED


QueueArgument = Annotated[Queue, typer.Argument(help="Which queue.")]
Number = Annotated[int, typer.Argument(help="Its number in the list.")]


@commands.command("list", epilog="Example: points-bridge deliveries list --state dead --json")
def list_letters(
    context: typer.Context,
    state: Annotated[
        State | None, typer.Option(help="Only these; else all but the done ones.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List what is not done yet; the dead ones wait for you."""
    with bridge_of(context) as bridge:
        found = bridge.db.read(lambda conn: queues.letters(conn, state=state))
    if as_json:
        dump(found)
        return
    if not found:
        say("Nothing is queued or stuck.")
        return
    columns = ("Queue", "#Number", "Helpdesk", "Ticket", "What", "State", "#Tries", "Why")
    table("Deliveries and write-backs", columns, [_row(letter) for letter in found])


@commands.command(epilog="Example: points-bridge deliveries show outbox 17")
def show(
    context: typer.Context, queue: QueueArgument, number: Number, as_json: Json = False
) -> None:
    """Show one of them and what it carries."""
    with bridge_of(context) as bridge:
        letter, carried = bridge.db.read(lambda conn: queues.letter(conn, _name(queue), number))
    if as_json:
        dump({"letter": letter, "carries": carried})
        return
    table(f"{letter.queue} {letter.id}", ("What", "Value"), [
        ("helpdesk", letter.helpdesk), ("ticket", letter.ticket_id), ("what", letter.what),
        ("state", letter.state), ("tries", letter.attempts), ("stored", letter.stored_at),
        ("next try", letter.next_at), ("outcome", letter.outcome), *carried.items(),
    ])  # fmt: skip


@commands.command(epilog="Example: points-bridge deliveries replay --all")
def replay(
    context: typer.Context,
    queue: Annotated[Queue | None, typer.Argument(help="Which queue.")] = None,
    number: Annotated[int | None, typer.Argument(help="Its number in the list.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All dead letters of both queues.")] = False,
) -> None:
    """Try dead letters again, after their cause is mended."""
    if every is bool(queue and number):
        raise typer.BadParameter("name a queue and a number, or --all")
    with bridge_of(context) as bridge:
        now = bridge.now()
        if queue and number:
            name, letter_id = _name(queue), number
            bridge.db.write(lambda conn: queues.replay(conn, name, letter_id, now))
            count = 1
        else:
            count = bridge.db.write(lambda conn: queues.replay_all(conn, now))
        bridge.wake.call()
    say(f"Queued again: {count}.")


@commands.command(epilog='Example: points-bridge deliveries discard inbox 4 --reason "test ticket"')
def discard(
    context: typer.Context,
    queue: QueueArgument,
    number: Number,
    reason: Annotated[str, typer.Option(help="Why; it stays on record.")],
) -> None:
    """Put a dead letter aside for good."""
    with bridge_of(context) as bridge:
        bridge.db.write(
            lambda conn: queues.discard(conn, _name(queue), number, reason, bridge.now())
        )
    say(f"Discarded: {queue.value} {number}.")


def _name(queue: Queue) -> QueueName:
    return queue.value


def _row(letter: Letter) -> tuple[object, ...]:
    return (
        letter.queue,
        letter.id,
        letter.helpdesk,
        letter.ticket_id,
        letter.what,
        letter.state,
        letter.attempts,
        letter.outcome,
    )
