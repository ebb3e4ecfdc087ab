"""How the command speaks: tables for people, JSON for scripts, complaints on stderr."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

#: The option of every command that a script may want to read.
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

console = Console(highlight=False)


def complain(message: str) -> None:
    """Say on stderr what went wrong."""
    Console(stderr=True, highlight=False).print(f"[bold red]Error:[/] {escape(message)}")


def say(message: str) -> None:
    """A sentence for people; `message` may carry rich's markup."""
    console.print(message)


def dump(value: Any) -> None:
    """Print JSON; instants and dates as ISO 8601."""
    typer.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; columns whose name begins with `#` hold numbers."""
    grid = Table(title=escape(title), title_justify="left", title_style="bold")
    for name in columns:
        grid.add_column(name.lstrip("#"), justify="right" if name.startswith("#") else "left")
    for row in rows:
        grid.add_row(*(cell(value) for value in row))
    console.print(grid)


def cell(value: object) -> str:
    """A value as a person reads it in a table."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}Z"
    return escape(str(value.value if isinstance(value, Enum) else value))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.value if isinstance(value, Enum) else value
