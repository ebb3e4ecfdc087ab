"""Our custom attributes in Zammad's object manager, and the migration that makes them real.

A migration carries out what anybody has pending, deletions too: it is refused while something of
others is pending. What is stored differs from what was sent (Zammad adds keys), so only what the
bridge needs of an attribute is compared.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial

from bridge.adapters.provisioning import Action, Plan, Step
from bridge.adapters.zammad.setup.admin import ZammadAdmin
from bridge.adapters.zammad.setup.layout import Field, Json
from bridge.adapters.zammad.ticket import checked
from bridge.errors import HelpdeskRefused, HelpdeskUnavailable

_ATTRIBUTES = "object_manager_attributes"
_PENDING = ("to_create", "to_migrate", "to_delete", "to_config")
_LISTS = {"Ticket": "tickets", "Organization": "organizations"}
_DISCARD = "migrate or discard the pending changes in Zammad's object manager first"
_POLLS = 60
_POLL_SECONDS = 1.0


class ZammadFields:
    """The fields of one Zammad.

    Args:
        admin: calls with the permission `admin.object`.
        agent: calls as the bridge itself, which must see the fields.
        fields: those that there must be.
        sleep: waits so many seconds; after a migration, until Zammad's processes know of it.
    """

    def __init__(
        self,
        admin: ZammadAdmin,
        agent: ZammadAdmin,
        fields: Sequence[Field],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._admin = admin
        self._agent = agent
        self._fields = {(one.object, one.name): one for one in fields}
        self._sleep = sleep

    def plan(self) -> Plan:
        """A step for each field, and the migration if one of them waits for it."""
        rows = self._admin.rows(_ATTRIBUTES)
        steps = [self._step(one, rows) for one in self._fields.values()]
        return (*steps, *self._migration(steps, rows))

    def unseen(self) -> list[str]:
        """Fields that it writes and does not see; of what there is none yet, nothing is known."""
        return [one.name for one in self._unseen() if one.needed]

    def _step(self, field: Field, rows: Sequence[Json]) -> Step:
        action, detail, remedy = _judge(field, _row_of(field, rows))
        return Step(
            kind=f"{field.object.lower()} field",
            name=field.name,
            action=action,
            detail=detail,
            remedy=remedy,
            required=field.needed,
            apply=partial(self._ensure, field),
        )

    def _ensure(self, field: Field) -> None:
        row = _row_of(field, self._admin.rows(_ATTRIBUTES))
        action, detail, remedy = _judge(field, row)
        if action is Action.BLOCK:
            raise HelpdeskRefused(f"{field.object} field {field.name} {detail}; {remedy}")
        if row is None:
            new = {"data_type": field.data_type, "data_option": field.option}
            named = {"object": field.object, "name": field.name, "display": field.display}
            rest = {"screens": field.screens, "active": True, "editable": True}
            self._admin.create(_ATTRIBUTES, named | new | rest)
        elif action is Action.CHANGE:
            # The whole of it: Zammad takes what is left out for a change to nothing.
            kept = ("object", "name", "display", "data_type", "screens", "active", "position")
            change = {key: row[key] for key in kept} | {"data_option": field.widened(_option(row))}
            self._admin.update(f"{_ATTRIBUTES}/{row['id']}", change)

    def _migration(self, steps: Sequence[Step], rows: Sequence[Json]) -> Plan:
        waiting = any(step.changes for step in steps) or self._waits(rows)
        if not waiting and not self._unseen():
            return ()
        foreign = self._foreign_pending(rows) if waiting else []
        return (
            Step(
                kind="migration",
                name="of the fields",
                action=Action.BLOCK if foreign else Action.MAKE,
                detail=_held_up(foreign) if foreign else "",
                remedy=_DISCARD if foreign else "",
                apply=self._migrate,
            ),
        )

    def _migrate(self) -> None:
        rows = self._admin.rows(_ATTRIBUTES)
        if self._waits(rows):
            if foreign := self._foreign_pending(rows):
                raise HelpdeskRefused(f"the migration {_held_up(foreign)}; {_DISCARD}")
            self._admin.create(f"{_ATTRIBUTES}_execute_migrations", {})
        for _ in range(_POLLS):
            if not self._unseen():
                return
            self._sleep(_POLL_SECONDS)
        raise HelpdeskUnavailable(
            "Zammad migrated the fields, but does not show them: restart it (its web processes"
            " may each have to learn of them), then run this again"
        )

    def _unseen(self) -> list[Field]:
        """Fields that a record lacks as the bridge reads it; of no record, nothing is known."""
        samples = {name: self._sample(path) for name, path in _LISTS.items()}
        return [
            one
            for one in self._fields.values()
            if (sample := samples[one.object]) is not None and one.name not in sample
        ]

    def _sample(self, path: str) -> Json | None:
        rows = checked(tuple[Json, ...], self._agent.get(path, page="1", per_page="1"))
        return rows[0] if rows else None

    def _waits(self, rows: Sequence[Json]) -> bool:
        return any(_is_pending(row) for row in rows if self._is_ours(row))

    def _foreign_pending(self, rows: Sequence[Json]) -> list[str]:
        return [
            f"{row['object']} {row['name']}"
            for row in rows
            if _is_pending(row) and not self._is_ours(row)
        ]

    def _is_ours(self, row: Json) -> bool:
        return (row.get("object"), row.get("name")) in self._fields


def _judge(field: Field, row: Json | None) -> tuple[Action, str, str]:
    """What is to become of a field, why, and what an admin must do first."""
    if row is None:
        return Action.MAKE, "", ""
    if row.get("to_delete"):
        return Action.BLOCK, "is about to be deleted", _DISCARD
    if not field.fits(str(row.get("data_type"))):
        other = f"is of type {row.get('data_type')}, not {field.data_type}"
        if field.needed:
            return Action.BLOCK, other, "if nobody uses it, delete it in Zammad's object manager"
        return Action.REPORT, other, "name an attribute that holds text in the settings"
    if lacking := field.lacking(_option(row)):
        return Action.CHANGE, f"lacks {', '.join(lacking)}", ""
    return Action.KEEP, "waits for the migration" if _is_pending(row) else "", ""


def _row_of(field: Field, rows: Sequence[Json]) -> Json | None:
    named = (row for row in rows if row.get("name") == field.name)
    return next((row for row in named if row.get("object") == field.object), None)


def _option(row: Json) -> Json:
    """What the attribute allows, once what waits is migrated."""
    return dict(row.get("data_option_new") or row.get("data_option") or {})


def _is_pending(row: Json) -> bool:
    return any(row.get(flag) for flag in _PENDING)


def _held_up(foreign: Sequence[str]) -> str:
    return f"would carry out what others have pending, too: {', '.join(foreign)}"
