"""Placeholders such as `{{ticket.id}}`, in the bodies of triggers and in what agents write."""

import re

from bridge.sandbox.zendesk.conditions import Event
from bridge.sandbox.zendesk.fields import column
from bridge.sandbox.zendesk.records import Record
from bridge.sandbox.zendesk.store import Store


def rendered(template: str, event: Event, store: Store) -> str:
    """A text with its placeholders filled in, unescaped; one that is not known is empty."""
    known = _known(event, store)

    def fill(match: re.Match[str]) -> str:
        value = known.get(match[1])
        return "" if value is None else str(value)

    return re.sub(r"\{\{\s*([\w.]+)\s*\}\}", fill, template)


def _known(event: Event, store: Store) -> Record:
    ticket = event.ticket
    known: Record = {"current_user.id": event.actor["id"], "ticket.title": ticket["subject"]}
    known |= {
        f"ticket.{name}": ticket[name] for name in ("id", "status", "priority", "external_id")
    }
    known |= {"ticket.via": ticket["via"]["channel"], "ticket.tags": " ".join(ticket["tags"])}
    requester = store.tables["users"].get(ticket["requester_id"], {})
    known |= {f"ticket.requester.{name}": requester.get(name) for name in ("id", "email", "name")}
    organization = store.tables["organizations"].get(ticket["organization_id"] or 0, {})
    known |= {f"ticket.organization.{name}": organization.get(name) for name in ("id", "name")}
    fields = store.tables["ticket_fields"]
    return known | {f"ticket.ticket_field_{key}": ticket.get(column(key)) for key in fields}
