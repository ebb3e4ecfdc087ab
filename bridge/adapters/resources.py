"""The set-up engine: list what is there, find ours, compare, make or mend, look again, remove.

A vendor says which of its lists hold something of ours (`Resource`) and what there is to be in them
(`Item`). What becomes of each record is said here, for all vendors alike; plan, apply, remove
and doctor read the same resources.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from bridge.adapters.provisioning import Action, Step
from bridge.errors import BridgeError, HelpdeskRefused

Json = dict[str, Any]

MARKER = "Made by points-bridge setup, which undoes changes made here."
"""In the note of what is ours: names are rarely unique."""


REPEATABLE = ("GET", "PUT", "PATCH", "DELETE")
"""What a set-up may send again: records that are read, changed or deleted, each as a whole."""

POINTS = "points_"
"""What the names of fields begin with that show points: ours, and nobody else's."""


def shift(row: Json, body: Json, key: str) -> str:
    """In what a record differs: from what to what, where that is short and no secret."""
    was, wanted = row.get(key), body[key]
    told = all(isinstance(one, str | int | bool | None) for one in (was, wanted))
    secret = any(word in key for word in ("secret", "token", "password"))
    return f"{key}: {was} → {wanted}" if told and not secret else key


class Api(Protocol):
    """A helpdesk as its admin calls it: lists of records that have an `id`.

    Every call raises `HelpdeskUnavailable` or `HelpdeskRefused`. All but `create` may be repeated;
    after a failure of that nobody knows but the list.
    """

    def rows(self, path: str) -> list[Json]:
        """Every record of a list, whosever it is, the oldest first."""

    def create(self, path: str, body: Json) -> Json:
        """The new record as it was stored."""

    def update(self, path: str, row_id: object, body: Json) -> Json:
        """The record as it was stored."""

    def delete(self, path: str, row_id: object) -> None:
        """What is gone already is fine."""

    def differing(self, row: Json, body: Json) -> list[str]:
        """In what a record is not as it must be. What it does not show is no matter."""


class Lists:
    """The lists as they are at one moment: each is read once, until they are forgotten."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._rows: dict[str, list[Json]] = {}

    def rows(self, path: str) -> list[Json]:
        """A list as it was when it was first asked for."""
        if path not in self._rows:
            self._rows[path] = self.api.rows(path)
        return self._rows[path]

    def forget(self) -> None:
        """Read anew from now on."""
        self._rows.clear()


@dataclass(frozen=True, slots=True)
class Item:
    """A record that there is to be.

    `body` is what it must hold, from the lists as they are at that moment; None while they lack
    what it refers to, which `needs` names. `at_first` is sent beside it when the record is made;
    afterwards that is the admins'. `required` False: the bridge works without it. What is called as
    an earlier version called it (`former`) is that item, too, and is renamed where `body` names it.
    """

    name: str
    body: Callable[[], Json | None]
    at_first: Callable[[], Json] = dict
    required: bool = True
    needs: str = "what it refers to"
    former: str | None = None

    @property
    def names(self) -> tuple[str | None, ...]:
        """What it may be called, its present name first."""
        return (self.name, self.former)


class Resource:
    """A list of a helpdesk that holds something of ours; `kind` is what its admin calls a record.

    What is of our names is ours, whoever made it, and stays when the bridge goes. `required` False:
    the bridge works without any of it.
    """

    required = True
    name_key = "name"

    def __init__(self, lists: Lists, path: str, kind: str, items: Sequence[Item]) -> None:
        self.lists = lists
        self.path = path
        self.kind = kind
        self.items = items

    def rows(self) -> list[Json]:
        """All that is there, whosever it is."""
        return self.lists.rows(self.path)

    def called(self, row: Json) -> str:
        """What a record is called."""
        return str(row.get(self.name_key))

    def is_ours(self, row: Json) -> bool:
        """Whether it is the bridge's, which may change it."""
        return any(self.called(row) in item.names for item in self.items)

    def ours(self) -> list[Json]:
        """Those that are the bridge's."""
        return [row for row in self.rows() if self.is_ours(row)]

    def found(self, item: Item) -> list[Json]:
        """Those of ours that are that item: the first is the one that counts."""
        ours = [row for row in self.ours() if self.called(row) in item.names]
        return sorted(ours, key=lambda row: self.called(row) != item.name)

    def differing(self, row: Json, body: Json) -> list[str]:
        """In what a record is not as it must be, in words that hold no secret."""
        return self.lists.api.differing(row, body)

    def step(self, item: Item, action: Action, detail: str = "", remedy: str = "") -> Step:
        """What is to become of an item."""
        return Step(self.kind, item.name, action, detail, remedy, required=item.required)

    def report(self, row: Json, detail: str, remedy: str, *, advice: bool = False) -> Step:
        """What an admin should know of a record; `advice` is nothing that is wrong."""
        name = self.called(row)
        return Step(self.kind, name, Action.REPORT, detail, remedy, required=False, advice=advice)

    def missing(self, item: Item) -> Step:
        """What is to become of an item that is not there."""
        return self.step(item, Action.MAKE)

    def judge(self, item: Item) -> Step:
        """What is to become of an item, by what there is. Reads only."""
        found = self.found(item)
        if not found:
            return self.missing(item)
        body = item.body()
        other = [f"lacks {item.needs}"] if body is None else self.differing(found[0], body)
        return self.step(item, Action.CHANGE if other else Action.KEEP, ", ".join(other))

    def create(self, item: Item, body: Json) -> Json:
        """Make it. The record as it was stored."""
        return self.lists.api.create(self.path, {**body, **item.at_first()})

    def update(self, row: Json, body: Json) -> Json:
        """Send the whole body, of which helpdesks may clear what is left out."""
        return self.lists.api.update(self.path, row["id"], body)

    def hide(self, row: Json) -> None:
        """Take a field out of sight; what is in it stays."""
        self.lists.api.update(self.path, row["id"], {"active": False})

    def reports(self) -> Iterable[Step]:
        """What is nothing to be done about, but to be known."""
        return ()


class Records(Resource):
    """Records that carry our marker in their note; they go again with the bridge.

    `prefix` is what the names of ours begin with, those of earlier versions among them; "" where
    only the items are ours. `note_key` "": there is no note, and the name alone makes it ours.
    """

    prefix = ""
    note_key = "note"

    def has_our_name(self, row: Json) -> bool:
        """Whether it is called as ours are."""
        return self.called(row).startswith(self.prefix) if self.prefix else super().is_ours(row)

    def is_ours(self, row: Json) -> bool:
        """By its name and the marker."""
        marked = not self.note_key or MARKER in str(row.get(self.note_key))
        return marked and self.has_our_name(row)

    def create(self, item: Item, body: Json) -> Json:
        """Make it, with its name and the marker."""
        note = {self.note_key: MARKER} if self.note_key else {}
        return super().create(item, {self.name_key: item.name, **note, **body})

    def update(self, row: Json, body: Json) -> Json:
        """Send the whole, with its name, without which some lists take nothing."""
        return super().update(row, {self.name_key: self.called(row), **body})

    def removal(self, row: Json, detail: str = "") -> Step:
        """What is to become of a record that is to go."""
        delete = partial(self.lists.api.delete, self.path, row["id"])
        name, needed = self.called(row), self.required
        return Step(self.kind, name, Action.REMOVE, detail, required=needed, apply=delete)


def addressed(step: Step, endpoint: str | None) -> Step:
    """A webhook's step that says where it sends to, if nothing else is to be said of it."""
    if step.detail or endpoint is None or step.action not in {Action.MAKE, Action.KEEP}:
        return step
    return replace(step, detail=f"sends to {endpoint}")


def made(resources: Iterable[Resource]) -> Iterator[Step]:
    """What is to become of each item, in order: what others need comes before them."""
    for resource in resources:
        if shut := _left_out(resource):
            yield shut
            continue
        for item in resource.items:
            yield replace(resource.judge(item), apply=partial(_ensure, resource, item))


def surplus(resources: Sequence[Records]) -> Iterator[Step]:
    """What is ours and to be there no more, or there a second time.

    In reverse order, so that nothing is removed which something else still uses.
    """
    for resource in reversed(resources):
        if not _left_out(resource):
            kept = [row for item in resource.items for row in resource.found(item)[:1]]
            spare = (row for row in resource.ours() if row not in kept)
            yield from (
                resource.removal(row, "there is another, or no use for it") for row in spare
            )


def removals(resources: Sequence[Records]) -> Iterator[Step]:
    """How to take away all that is ours, in reverse order."""
    for resource in reversed(resources):
        shut = _left_out(resource)
        yield from [shut] if shut else map(resource.removal, resource.ours())


def hidden(resources: Iterable[Resource]) -> Iterator[Step]:
    """How to take what shows points out of sight; the next set-up shows it again."""
    for resource in resources:
        shown = (row for item in resource.items for row in resource.found(item)[:1])
        for row in shown:
            name = resource.called(row)
            if name.startswith(POINTS) and row.get("active") is not False:
                detail, hide = "is hidden; its values stay", partial(resource.hide, row)
                yield Step(resource.kind, name, Action.CHANGE, detail, required=False, apply=hide)


def reports(resources: Iterable[Resource]) -> Iterator[Step]:
    """What the resources tell beside."""
    for resource in resources:
        if not _left_out(resource):
            yield from resource.reports()


def _ensure(resource: Resource, item: Item) -> None:
    """Make or mend an item, by what is there at this moment, and see what was stored.

    Helpdesks answer 200 also where they stored something else than they were sent.
    """
    resource.lists.forget()
    step = resource.judge(item)
    what = f"{step.kind} {step.name}"
    if step.action is Action.BLOCK:
        raise HelpdeskRefused(f"{what} {step.detail}; {step.remedy}")
    if not step.changes:
        return
    found, body = resource.found(item), item.body()
    if body is None:
        raise HelpdeskRefused(f"{what} lacks {item.needs}: make that first")
    stored = resource.update(found[0], body) if found else resource.create(item, body)
    if other := resource.differing(stored, body):
        raise HelpdeskRefused(f"the helpdesk stored the {what} with another {', '.join(other)}")


def _left_out(resource: Resource) -> Step | None:
    """What the bridge can do without is left out where the credentials may not look at it.

    Raises:
        HelpdeskRefused: it cannot, or it failed for another reason.
    """
    try:
        resource.rows()
    except HelpdeskRefused as error:
        if resource.required or not permission_lacking(error):
            raise
        remedy = "give the credentials of the set-up this right, or do without"
        detail = f"is left out: {error}"
        return Step(resource.kind, "of the bridge", Action.REPORT, detail, remedy, required=False)
    return None


def permission_lacking(error: BridgeError) -> bool:
    """Whether a call failed because the credentials may not make it."""
    return isinstance(error, HelpdeskRefused) and error.status == 403
