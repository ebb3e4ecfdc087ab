"""Numbers as they are typed: what is none is refused in a sentence that says what one is."""

import re
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand

Parser = Callable[[str], Any]


#: No row of a database has a higher number.
_HIGHEST = 2**63 - 1


def whole(what: str, most: int = _HIGHEST) -> Callable[[str], int]:
    """Read a positive whole number; `what` begins the sentence, such as "points are"."""

    def number(text: str) -> int:
        digits = re.fullmatch(r"0*([0-9]{1,19})", text)
        if digits and 1 <= int(digits[1]) <= most:
            return int(digits[1])
        kind = "positive whole number" if most == _HIGHEST else f"whole number from 1 to {most}"
        raise typer.BadParameter(f"{what} a {kind}, not {text}")

    return number


def between(what: str, least: float, most: float) -> Callable[[str], float]:
    """Read a number within bounds, both included; `what` begins the sentence: "hours are"."""

    def number(given: object) -> float:
        text = str(given)  # a default comes as the number that it is
        if re.fullmatch(r"[0-9]+(\.[0-9]*)?|\.[0-9]+", text) and least <= float(text) <= most:
            return float(text)
        raise typer.BadParameter(f"{what} a number from {least:g} to {most:g}, not {text}")

    return number


def taking(number: Parser) -> type[TyperCommand]:
    """A command with such a number for an argument: `-5` is a wrong one, not an unknown option."""

    class Command(TyperCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            typed = list(args)
            try:
                return super().parse_args(ctx, args)
            except Exception as error:
                unknown = str(getattr(error, "option_name", ""))
                if re.fullmatch("-[0-9]", unknown):
                    _refuse(number, next(one for one in typed if one.startswith(unknown)), ctx)
                raise

    return Command


def _refuse(number: Parser, text: str, ctx: Any) -> None:
    try:
        number(text)
    except typer.BadParameter as refusal:
        refusal.ctx = ctx  # so that the usage is shown
        raise
