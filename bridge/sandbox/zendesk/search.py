"""Zendesk's search, as far as a bridge might use it: a few properties, and words."""

import operator
import re
from collections.abc import Callable

from bridge.sandbox.zendesk.lifecycle import STATUSES
from bridge.sandbox.zendesk.records import Record, stamp
from bridge.sandbox.zendesk.store import Store

_TERM = re.compile(r'(\w+)([:<>])("[^"]*"|\S+)')
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    ":": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_DATES = {"created": "created_at", "updated": "updated_at"}
_WORDS = {
    "ticket": ("subject", "description"),
    "user": ("name", "email"),
    "organization": ("name",),
}


def search(store: Store, query: str) -> list[tuple[str, Record]]:
    """The records that every term of the query fits, with their kinds.

    Terms are `type`, `status`, `tags`, `requester`, `organization`, `created`, `updated`,
    `custom_field_{id}`, and words that are looked for in subject, text, name and address.
    """
    terms = [(name, sign, value.strip('"')) for name, sign, value in _TERM.findall(query)]
    words = _TERM.sub(" ", query).lower().split()
    wanted = {value for name, _, value in terms if name == "type"}
    found: list[tuple[str, Record]] = []
    for kind in ("ticket", "user", "organization"):
        if wanted and kind not in wanted:
            continue
        for row in store.tables[f"{kind}s"].values():
            text = " ".join(str(row.get(name)) for name in _WORDS[kind]).lower()
            fits = all(_fits(store, row, *term) for term in terms if term[0] != "type")
            if fits and all(word in text for word in words) and row.get("status") != "deleted":
                found.append((kind, row))
    return found


def _fits(store: Store, row: Record, name: str, sign: str, value: str) -> bool:
    if name == "tags":
        return value in row.get("tags", ())
    if name == "requester":
        requester = store.tables["users"].get(row.get("requester_id", 0), {})
        return value.lower() in {str(requester.get("id")), str(requester.get("email"))}
    if name == "status":
        ranks = {status: f"{rank}" for rank, status in enumerate(STATUSES)}
        return _COMPARE[sign](ranks.get(row.get("status", ""), ""), ranks.get(value, ""))
    if name in _DATES:
        return _COMPARE[sign](stamp(row[_DATES[name]])[: len(value)], value)
    column = {"organization": "organization_id"}.get(name, name)
    return str(row.get(column.replace("custom_field_", "custom_fields_"))) == value
