"""How the command speaks: tables for people, JSON for scripts, complaints on stderr."""

import errno
import io
import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table

#: The option of every command that a script may want to read.
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

#: A column of this width at most is never broken: dates, numbers, kinds.
_SHORT = 24


class _Console(Console):
    """As rich has it, but that what to do about a closed pipe is the command's to say."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


console = _Console(highlight=False, emoji=False)
_errors = _Console(stderr=True, highlight=False, emoji=False)


def complain(message: str) -> None:
    """Say on stderr what went wrong."""
    _print(_errors, f"[bold red]Error:[/] {escaped(message)}")


def speak_any_tongue() -> None:
    """Let output hold what its encoding lacks: a `?` stands for it, and nothing fails."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


@contextmanager
def telling() -> Iterator[None]:
    """Tell of what has been done: it stays done where nobody can be told.

    A full disk or a closed pipe behind stdout is no failure of the command then.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.errno != errno.EPIPE:
            complain(f"it is done, but could not be told: {error.strerror}")
        give_up_stdout()


def give_up_stdout() -> None:
    """What waits to be written there must not fail once more when Python ends."""
    with suppress(OSError):  # a test's stdout is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(message: str = "", *, indent: int = 0, style: str | None = None) -> None:
    """A sentence for people; it may carry rich's markup, others' texts in it are `escaped`."""
    _print(console, message, indent, style)


def escaped(text: object) -> str:
    """Somebody else's text, to be put into a message: no markup there, and it moves no cursor."""
    harmless = (
        " " if unicodedata.category(one) == "Cc" and one != "\n" else one for one in str(text)
    )
    return escape("".join(harmless))


def dump(value: Any) -> None:
    """Print JSON; instants and dates as ISO 8601."""
    typer.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; columns whose name begins with `#` hold numbers.

    Where no terminal is, nobody knows how wide a line may be: it is printed whole, without a box.
    """
    lines = [[cell(value) for value in row] for row in rows]
    if not console.file.isatty():
        _print_whole(title, columns, lines)
        return
    grid = Table(title=escaped(title), title_justify="left", title_style="bold")
    for name, *texts in zip(columns, *lines, strict=True):
        right, short = name.startswith("#"), max(map(cell_len, [name, *texts])) <= _SHORT
        grid.add_column(
            name.lstrip("#"),
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=short,
            min_width=None if short else _SHORT,
        )
    for line in lines:
        grid.add_row(*map(escaped, line))
    endless = console.options.update_width(10_000)
    if Measurement.get(console, endless, grid).minimum <= console.width:
        console.print(grid)
    else:
        _print_one_by_one(title, columns, lines)


def _print_one_by_one(title: str, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """For a terminal that is too narrow: a paragraph for each row, so that no date is broken."""
    say(f"[bold]{escaped(title)}[/]")
    for line in lines:
        say()
        for name, text in zip(columns, line, strict=True):
            say(f"{name.lstrip('#')}: {escaped(text)}")


def cell(value: object) -> str:
    """A value as a person reads it in a table or a sentence; not yet `escaped`."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}Z"
    return str(value.value if isinstance(value, Enum) else value)


def _print(to: Console, message: str, indent: int = 0, style: str | None = None) -> None:
    """Lines are broken for a terminal only: where none is, nobody knows how wide they may be."""
    if to.file.isatty():
        to.print(Padding(message, (0, 0, 0, indent)), style=style)
    else:
        lines = (f"{' ' * indent}{line}" for line in message.split("\n"))
        to.print("\n".join(lines), style=style, soft_wrap=True)


def _print_whole(title: str, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    grid = [
        [name.lstrip("#") for name in columns],
        *([_one_line(one) for one in line] for line in lines),
    ]
    widths = [max(cell_len(line[place]) for line in grid) for place in range(len(columns))]
    typer.echo(_one_line(title))
    for line in grid:
        parts = []
        for name, text, width in zip(columns, line, widths, strict=True):
            blanks = " " * (width - cell_len(text))
            parts.append(blanks + text if name.startswith("#") else text + blanks)
        typer.echo("  ".join(parts).rstrip())


def _one_line(text: str) -> str:
    return " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in text).split())


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.value if isinstance(value, Enum) else value
