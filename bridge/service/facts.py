"""What the texts may say: facts of the account, the ledger and the settings, and nothing else."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bridge.ledger import accounts, holdings, incidents
from bridge.ledger.incidents import Stored
from bridge.policy.decisions import free_reopen_until
from bridge.policy.zones import load_zone, local_date
from bridge.service.core import Bridge, Helpdesk


def facts_of(
    conn: Connection, bridge: Bridge, stored: Stored, now: datetime, *, public: bool
) -> dict[str, object]:
    """The names that a text can use, filled in; `public`: requesters read it."""
    terms, incident = bridge.terms, stored.incident
    account = accounts.by_id(conn, stored.account_id)
    zone = bridge.locate(account).calendar.zone
    closed = _first_closure(conn, stored)
    held_at = incident.held_at or now
    balance = holdings.on_hand(conn, account.id, now)
    helpdesk = bridge.helpdesks.get(stored.helpdesk)
    days = (local_date(held_at + timedelta(days=day), zone) for day in terms.hold_reminder_days)
    due = incident.clock.by_close.astimezone(load_zone(zone)) if incident.clock else None
    return {
        "number": stored.ticket_number,
        "account": _addressed(bridge, helpdesk, account.name) if public else account.name,
        "other_account": _other_account(conn, stored),
        "price": terms.price,
        "charged": holdings.charged_points(conn, stored.id),
        "balance": balance,
        "missing": max(terms.price - balance, 0),
        "how_to_buy": _how_to_buy(bridge, helpdesk),
        "zone": zone,
        "due": f"{due:%Y-%m-%d %H:%M}" if due else "",
        "hold_days": terms.hold_days,
        "hold_until": local_date(held_at + timedelta(days=terms.hold_days), zone).isoformat(),
        "reminders": _reminders(bridge, helpdesk, ", ".join(day.isoformat() for day in days)),
        "first_closed_on": local_date(closed, zone).isoformat() if closed else "",
        "free_until": free_reopen_until(closed, zone, terms).isoformat() if closed else "",
        "why": _said(bridge, helpdesk, "why_closed_while_held"),
    }


def language_of(helpdesk: Helpdesk | None) -> str:
    """The language that a helpdesk is written to; English where it is configured no more."""
    return helpdesk.language if helpdesk else "en"


def _said(bridge: Bridge, helpdesk: Helpdesk | None, name: str, **facts: str) -> str:
    return bridge.texts.fill(language_of(helpdesk), name, facts).text


def _addressed(bridge: Bridge, helpdesk: Helpdesk | None, name: str) -> str:
    """The account as its people are told of it: an address or an id is nobody's name."""
    nameless = "@" in name or name.isdecimal()
    return _said(bridge, helpdesk, "your_account") if nameless else name


def _how_to_buy(bridge: Bridge, helpdesk: Helpdesk | None) -> str:
    text, link = (helpdesk.buy_text, helpdesk.buy_link) if helpdesk else ("", "")
    if text:
        return f"{text} {link}".strip()
    if link:
        return _said(bridge, helpdesk, "how_to_buy_here", buy_link=link)
    return _said(bridge, helpdesk, "how_to_buy")


def _reminders(bridge: Bridge, helpdesk: Helpdesk | None, days: str) -> str:
    """A sentence and a blank, for what follows; "" where nobody is reminded."""
    return f"{_said(bridge, helpdesk, 'we_remind', days=days)} " if days else ""


def _first_closure(conn: Connection, stored: Stored) -> datetime | None:
    """The first closure of this incident, or of the one before it on the same ticket."""
    for other in reversed(incidents.on_ticket(conn, stored.helpdesk, stored.ticket_id)):
        if other.incident.first_closed_at:
            return other.incident.first_closed_at
    return None


def _other_account(conn: Connection, stored: Stored) -> str:
    """Where the ticket was before, or belongs to now by its record; "" for nowhere else."""
    record = stored.incident.customer_ref
    owner = accounts.owner_of(conn, stored.helpdesk, record) if record else None
    earlier = incidents.on_ticket(conn, stored.helpdesk, stored.ticket_id)
    ids = [owner, *(one.account_id for one in reversed(earlier))]
    other = next((one for one in ids if one is not None and one != stored.account_id), None)
    return accounts.by_id(conn, other).name if other is not None else ""
