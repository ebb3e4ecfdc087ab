"""What keeps the bridge from working with a Zendesk, besides what its set-up lacks. No I/O."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from bridge.adapters.answers import label
from bridge.adapters.provisioning import Problem, Severity, delivery_remedy, lately
from bridge.adapters.resources import Json
from bridge.adapters.zendesk.access import API_TOKENS_END, ZendeskConfig
from bridge.adapters.zendesk.setup.admin import AnswerHeaders, Me
from bridge.adapters.zendesk.setup.layout import title

_TOKENS_END = datetime.fromisoformat(API_TOKENS_END).replace(tzinfo=UTC)
#: With less than this part of the calls of a minute left, others use them up.
_SCARCE = 0.1
_AGENTS = frozenset({"agent", "admin"})
_CREDENTIALS = "check the helpdesk's url and credentials in the settings"


def rights_problems(config: ZendeskConfig, me: Me | None, now: datetime) -> list[Problem]:
    """What the bridge's own credential may do too little, and too much; `me` is whose it is."""
    found = [] if config.client_id and config.client_secret else [_token_problem(now)]
    if me is None:
        return found
    if me.id is None:
        # Zendesk answers 200 also to whom it does not know.
        what = "Zendesk does not know whose credentials these are"
        return [*found, Problem(Severity.PROBLEM, "credentials", what, _CREDENTIALS)]
    if me.role not in _AGENTS:
        what, remedy = "the bridge's user is no agent", "make it one with access to all tickets"
        found.append(Problem(Severity.PROBLEM, "rights", what, remedy))
    elif me.role == "admin" and not config.show_balance:
        what = "the bridge's user may also administer Zendesk"
        remedy = "let an agent own the OAuth client that the bridge runs with"
        found.append(Problem(Severity.WARNING, "rights", what, remedy))
    elif me.role == "agent" and config.show_balance:
        what = "the bridge's user is an agent, who may not write the fields of organisations"
        remedy = "make it an admin, or give it a role that may, or set show_balance to false"
        found.append(Problem(Severity.WARNING, "rights", what, remedy))
    if me.role in _AGENTS and me.ticket_restriction:
        seen = label(me.ticket_restriction)
        what = (
            f"the bridge's user does not see all tickets (only {seen}), so the others cannot be"
            " charged: each that is heard of is left alone or becomes a dead letter"
        )
        remedy = "give it access to all tickets (Admin Center, People, Team members)"
        found.append(Problem(Severity.WARNING, "rights", what, remedy))
    return found


def budget_problems(told: AnswerHeaders) -> list[Problem]:
    """Whether others leave the bridge too few calls of what the account has in a minute."""
    if told.limit is None or told.remaining is None or told.remaining >= told.limit * _SCARCE:
        return []
    what = f"{told.remaining} of the {told.limit} calls that Zendesk allows in a minute are left"
    remedy = "find out which other programs call it so often, or get the add-on for more calls"
    return [Problem(Severity.WARNING, "rate limit", what, remedy)]


def delivery_problems(
    name: str, hooks: Iterable[tuple[Json, list[Json]]], now: datetime
) -> list[Problem]:
    """Webhooks with deliveries that failed in the last day, by what Zendesk itself has noted.

    Where there was none in a day, the latest counts. Each row is a delivery of its own: one that
    arrived makes no other one good.
    """
    found = []
    for hook, invocations in hooks:
        recent = lately(invocations, _completed, now)
        failed = [row for row in recent if row.get("status") != "success"]
        if not failed:
            continue
        last, code = failed[-1], failed[-1].get("status_code")
        what = (
            f"webhook {title(hook)}: {len(failed)} of its latest {len(recent)} deliveries failed;"
            f" the last of those, at {last.get('latest_completed_at')},"
            f" is {last.get('status')}{f' (answer {code})' if code else ''}"
        )
        remedy = delivery_remedy(name, code if isinstance(code, int) and code else None)
        remedy += "; Admin Center, Apps and integrations, Webhooks, Activity shows each"
        found.append(Problem(Severity.WARNING, "deliveries", what, remedy))
    return found


def _completed(row: Json) -> datetime:
    """When Zendesk was done with a delivery; one that it is not done with is of no age."""
    try:
        at = datetime.fromisoformat(str(row.get("latest_completed_at")))
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _token_problem(now: datetime) -> Problem:
    severity = Severity.WARNING if now < _TOKENS_END else Severity.PROBLEM
    what = f"Zendesk ends API tokens on {API_TOKENS_END}"
    if now < _TOKENS_END:
        what += f", in {(_TOKENS_END - now) // timedelta(days=1)} days"
    remedy = "create an OAuth client, and set client_id and the secret client_secret"
    return Problem(severity, "credentials", what, remedy)
