"""Our custom attributes in Zammad's object manager, and the migration that makes them real.

A migration carries out what anybody has pending, deletions too: it is refused while something of
others is pending. What is stored differs from what was sent (Zammad adds keys), so only what the
bridge needs of an attribute is compared.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bridge.adapters.provisioning import Action, Step
from bridge.adapters.resources import Item, Json, Lists, Resource
from bridge.adapters.zammad.setup.admin import ZammadAdmin
from bridge.adapters.zammad.setup.layout import SHORT_NAME, UNNEEDED, Field
from bridge.adapters.zammad.ticket import checked
from bridge.errors import HelpdeskRefused, HelpdeskUnavailable

_ATTRIBUTES = "object_manager_attributes"
_PENDING = ("to_create", "to_migrate", "to_delete", "to_config")
_LISTS = {"Ticket": "tickets", "Organization": "organizations"}
_DISCARD = "migrate or discard the pending changes in Zammad's object manager first"
_MEND_TYPE = {
    Action.BLOCK: "if nobody uses it, delete it in Zammad's object manager",
    Action.REPORT: "name an attribute that holds text in the settings",
}
_SAMPLE = "100"


class Fields(Resource):
    """The attributes of tickets, or those of organisations: `fields`, which are of one object."""

    def __init__(self, lists: Lists, fields: Sequence[Field]) -> None:
        items = [Item(one.name, one.definition, required=one.needed) for one in fields]
        super().__init__(lists, _ATTRIBUTES, f"{fields[0].object.lower()} field", items)
        self._object = fields[0].object
        self._fields = {one.name: one for one in fields}

    def is_ours(self, row: Json) -> bool:
        """By its name: what an admin made by hand serves as well."""
        return row.get("object") == self._object and row.get("name") in self._fields

    def judge(self, item: Item) -> Step:
        """A type never changes later, and what is about to be deleted cannot be relied on."""
        field, row = self._fields[item.name], next(iter(self.found(item)), None)
        if row is None:
            return self.missing(item)
        if row.get("to_delete"):
            return self.step(item, Action.BLOCK, "is about to be deleted", _DISCARD)
        if not field.fits(str(row.get("data_type"))):
            action = Action.BLOCK if field.needed else Action.REPORT
            other = f"is of type {row.get('data_type')}, not {field.data_type}"
            return self.step(item, action, other, _MEND_TYPE[action])
        if lacking := self.differing(row, field.definition()):
            step = self.step(item, Action.CHANGE, f"lacks {', '.join(lacking)}")
            return replace(step, required=not UNNEEDED.issuperset(lacking))
        return self.step(item, Action.KEEP, "waits for the migration" if _is_pending(row) else "")

    def differing(self, row: Json, body: Json) -> list[str]:
        """What the bridge writes and the attribute does not allow."""
        field = self._fields[body["name"]]
        long = [SHORT_NAME] if field.named_at_length(row.get("display")) else []
        shown = ["activity"] if field.needed and row.get("active") is False else []
        return [*field.lacking(_option(row)), *shown, *long]

    def update(self, row: Json, body: Json) -> Json:
        """PUT of what an admin has chosen, widened by what it lacks."""
        field = self._fields[body["name"]]
        active = {"active": True} if field.needed else {}
        sent = _as_is(row) | {"data_option": field.widened(_option(row))} | active
        named = {"display": field.display} if field.named_at_length(row.get("display")) else {}
        return super().update(row, sent | named)

    def hide(self, row: Json) -> None:
        """PUT of all that an admin has chosen, but that it is active."""
        super().update(row, _as_is(row) | {"data_option": _option(row), "active": False})


class Migration:
    """What makes the attributes real.

    Whether they are is told by the object manager: Zammad caches what a record looks like until it
    is changed, for days, so that an old one shows no new field.

    Args:
        admin: calls with the permission `admin.object`.
        agent: calls as the bridge itself, which must see the fields.
        lists: what is there.
        fields: those that there must be.
    """

    def __init__(
        self,
        admin: ZammadAdmin,
        agent: ZammadAdmin,
        lists: Lists,
        fields: Iterable[Field],
    ) -> None:
        self._admin = admin
        self._agent = agent
        self._lists = lists
        self._fields = {(one.object, one.name): one for one in fields}

    def steps(self, of_fields: Sequence[Step]) -> Iterator[Step]:
        """The migration, if a change among these steps or one that was made waits for it."""
        rows = self._lists.rows(_ATTRIBUTES)
        changing = [step.required for step in of_fields if step.changes]
        if not changing and not self._waits(rows):
            return
        foreign = self._foreign_pending(rows)
        finding = (Action.BLOCK, _held_up(foreign), _DISCARD) if foreign else (Action.MAKE,)
        required = any(changing) or not changing
        yield Step("migration", "of the fields", *finding, required=required, apply=self._migrate)

    def unseen(self) -> list[str]:
        """Needed fields that no record shows of those the bridge reads; without any, none.

        For whom the attributes are not told: a record hides a new field until it is changed.
        """
        shown = {name: self._shown(path) for name, path in _LISTS.items()}
        needed = [one for one in self._fields.values() if one.needed]
        return [
            one.name for one in needed if shown[one.object] and one.name not in shown[one.object]
        ]

    def _shown(self, path: str) -> set[str]:
        rows = checked(tuple[Json, ...], self._agent.get(path, page="1", per_page=_SAMPLE))
        return {key for row in rows for key in row}

    def _migrate(self) -> None:
        self._lists.forget()
        rows = self._lists.rows(_ATTRIBUTES)
        if not self._waits(rows):
            return
        if foreign := self._foreign_pending(rows):
            raise HelpdeskRefused(f"the migration {_held_up(foreign)}; {_DISCARD}")
        self._admin.create(f"{_ATTRIBUTES}_execute_migrations", {})
        self._lists.forget()
        if self._waits(self._lists.rows(_ATTRIBUTES)):
            raise HelpdeskUnavailable("Zammad has not migrated the fields yet: run this again")

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


def _as_is(row: Json) -> Json:
    kept = ("object", "name", "display", "data_type", "screens", "active", "position")
    return {key: row[key] for key in kept}


def _option(row: Json) -> Json:
    """What the attribute allows, once what waits is migrated."""
    return dict(row.get("data_option_new") or row.get("data_option") or {})


def _is_pending(row: Json) -> bool:
    return any(row.get(flag) for flag in _PENDING)


def _held_up(foreign: Sequence[str]) -> str:
    return f"would carry out what others have pending, too: {', '.join(foreign)}"
