"""Reading a vendor's answers: the shape they must have, and text as people mean it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    TypeAdapter,
    ValidationError,
)

from bridge.adapters.http import decode_json
from bridge.errors import HelpdeskRefused, PayloadNotUnderstood, TicketNotFound

T = TypeVar("T")

Instant = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]
"""An instant in a vendor's answer, in UTC."""

MARK_KEY = "points_bridge"
"""Our own key in what a vendor keeps beside a note: there stands the note's mark."""

IN_A_LINE = 1000
"""How many changes one line of a vendor's history may tell."""

_BIGGEST_ID = 2**63 - 1
_LAST_LINE = _BIGGEST_ID // IN_A_LINE - 1
_LONGEST_LABEL = 80
_LONGEST_REASON = 200
_ADDRESS = re.compile(r"\S+@\S+")
_ID = re.compile(r"[0-9]{1,19}", re.ASCII)
_ORGANIZATION = re.compile(r"organization:([0-9]{1,19})", re.ASCII)


class Row(BaseModel):
    """A part of a vendor's answer, as far as it is read; nobody changes it."""

    model_config = ConfigDict(frozen=True)


def understood(vendor: str, shape: type[T], answer: object) -> T:
    """An answer of `vendor` in the shape that it must have.

    Raises:
        HelpdeskRefused: it has another one. Names the places, never the values.
    """
    try:
        return TypeAdapter(shape).validate_python(answer)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        places = ", ".join(f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in found[:3])
    raise HelpdeskRefused(f"{vendor}'s answer makes no sense ({places})")


def named(vendor: str, records: dict[int, T], id_: int, kind: str) -> T:
    """The record that a ticket names.

    Raises:
        HelpdeskRefused: the answer lacks it.
    """
    if id_ not in records:
        raise HelpdeskRefused(f"{vendor}'s answer lacks {kind} {id_}, which the ticket names")
    return records[id_]


def change_seq(history_line: int, place: int = 0) -> int:
    """The `Change.seq` of what a line of a vendor's history tells at that place, from 0.

    What the bridge has seen is stored as such a number, so its form never changes without a
    migration.

    Raises:
        HelpdeskRefused: nothing that can be stored.
    """
    if not (0 <= history_line <= _LAST_LINE and 0 <= place < IN_A_LINE):
        raise HelpdeskRefused(f"the history's line {history_line} cannot be numbered")
    return history_line * IN_A_LINE + place


def json_object(body: bytes) -> dict[str, object]:
    """The body of a delivery, which is a JSON object with every vendor.

    Raises:
        PayloadNotUnderstood: it is not.
    """
    try:
        read = decode_json(body)
    except ValueError:
        raise PayloadNotUnderstood("the body is not JSON") from None
    if not isinstance(read, dict):
        raise PayloadNotUnderstood("the body is not a JSON object")
    return read


def ticket_id_in(number: object) -> str:
    """The id of the ticket that a delivery is about, from the number in its body.

    Raises:
        PayloadNotUnderstood: it can be no id.
    """
    if type(number) is not int or not 0 < number <= _BIGGEST_ID:
        raise PayloadNotUnderstood("the body names no ticket id")
    return str(number)


def ticket_path(vendor: str, ticket_id: str) -> str:
    """A ticket's id, fit for the path of a call.

    Raises:
        TicketNotFound: it can be no id; so nobody is asked.
    """
    if not _ID.fullmatch(ticket_id):
        raise TicketNotFound(f"{vendor}'s ticket ids are whole numbers")
    return ticket_id


def label(text: str) -> str:
    """What a stranger calls something, fit for a log: short and printable."""
    return "".join(c if c.isprintable() else " " for c in text)[:_LONGEST_LABEL].strip()


def short_reason(text: str) -> str:
    """Why a vendor refuses, fit for a log: short, one line, without addresses."""
    return _ADDRESS.sub("<address>", line(text))[:_LONGEST_REASON]


def line(text: str) -> str:
    """The text on one line, without needless space."""
    return " ".join(text.split())


def text_of(value: object) -> str | None:
    """A value that is text, on one line; None for anything else, and for nothing."""
    return line(value) or None if isinstance(value, str) else None


def record_of(customer: str) -> tuple[str, str]:
    """The list that the record of a `Customer.ref` is in, which vendors call alike, and its id."""
    kind, _, id_ = customer.partition(":")
    return {"organization": "organizations", "person": "users"}[kind], id_


@contextmanager
def told_apart(otherwise: str) -> Iterator[None]:
    """Around a call that every one of a vendor's helpdesks answers: what refuses it is none.

    `otherwise` goes on from the refusal and says so. Wrong credentials are another matter.
    """
    try:
        yield
    except HelpdeskRefused as error:
        if error.status in {401, 403}:
            raise
        raise HelpdeskRefused(f"{error}; {otherwise}", status=error.status) from None


def is_there(read: Callable[[], object]) -> bool:
    """Whether a record that is read is there; other failures are the caller's."""
    try:
        read()
    except HelpdeskRefused as error:
        if error.status != 404:
            raise
        return False
    return True


def organization_id(vendor: str, customer: str) -> str:
    """The vendor's id of the organisation that a `Customer.ref` names.

    Raises:
        HelpdeskRefused: it names a person, or nothing.
    """
    if (found := _ORGANIZATION.fullmatch(customer)) is None:
        raise HelpdeskRefused(f"{vendor} shows accounts on the records of organisations alone")
    return found[1]
