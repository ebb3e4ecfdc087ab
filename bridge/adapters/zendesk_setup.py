"""Setting a Zendesk up: fields, the webhook, its two triggers. See `Provisioner`.

Titles in Zendesk are not unique, so nothing is made without looking for it first: fields by their
titles or keys, the rest by its name and by the marker in its description.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

from bridge.adapters.provisioning import (
    Action,
    Plan,
    Probe,
    Problem,
    Provisioner,
    Severity,
    Step,
    Trial,
    Wanted,
    clock_problem,
    problems_in,
)
from bridge.adapters.signatures import sign_hmac
from bridge.adapters.zendesk_access import API_TOKENS_END, SCOPE, ZendeskConfig
from bridge.adapters.zendesk_admin import SETUP_SCOPE, Json, ZendeskAdmin, differing
from bridge.adapters.zendesk_fields import organization_field_steps, ticket_field_steps
from bridge.errors import BridgeError, HelpdeskRefused, HelpdeskUnavailable

MARKER = "Made by points-bridge setup, which undoes changes made here."
"""In the description of what is ours."""

WEBHOOK = "points bridge"
TRIGGER_PREFIX = "Points bridge: "

BY_TRIGGERS = ["conditional_ticket_events"]
"""The connection of a webhook that triggers use. Zendesk never changes it to another kind."""

_SECRET = "signing secret"  # noqa: S105  # a label, and no secret
_TOKENS_END = datetime.fromisoformat(API_TOKENS_END).replace(tzinfo=UTC)
_BY_HAND = "open and change a test ticket, and see in the webhook's activity what was delivered"


def trigger_conditions() -> dict[str, Json]:
    """The conditions that tell the bridge everything but its own writes, by event.

    5 is "Web service (API)". The guard is not for new tickets: one that the customer's own software
    opens over the API would cost nothing.
    """
    created = {"field": "update_type", "operator": "is", "value": "Create"}
    changed = {"field": "update_type", "operator": "is", "value": "Change"}
    not_the_api = {"field": "current_via_id", "operator": "is_not", "value": "5"}
    return {
        "created": {"all": [created], "any": []},
        "changed": {"all": [changed, not_the_api], "any": []},
    }


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ZendeskSetup(Provisioner):
    """The set-up of one Zendesk."""

    def __init__(
        self,
        name: str,
        config: ZendeskConfig,
        setup_config: ZendeskConfig | None = None,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Connect to nothing yet.

        Args:
            name: the helpdesk's name in the settings.
            config: as of the adapter; the bridge runs with its credential.
            setup_config: the same account with the credential of an admin, whose OAuth client is
                allowed `SETUP_SCOPE`; None: the one that the bridge runs with is used.
            clock: the present, for what is signed.

        Raises:
            SettingsError: the url or a credential cannot be used.
        """
        self._remedy = f"run `points-bridge setup {name}`"
        self._variable = f"POINTS_BRIDGE_{name.upper().replace('-', '_')}_WEBHOOK_SECRET"
        self._config = config
        self._own_client = setup_config is not None
        self._agent = ZendeskAdmin(config, SCOPE)
        self._admin = ZendeskAdmin(setup_config or config, SETUP_SCOPE)
        self._clock = clock

    def plan(self, wanted: Wanted) -> Plan:
        """Fields, the webhook, its triggers, and what is only said."""
        lists = _Lists(self._admin)
        return (
            *ticket_field_steps(self._admin),
            *organization_field_steps(self._admin, self._config),
            self._webhook(wanted, lists),
            *self._triggers(wanted, lists),
            *self._secret(lists, wanted),
            *self._removals(lists, wanted),
            *_foreign(lists, wanted),
        )

    def removal(self) -> Plan:
        """Triggers first: they hold on to the webhook."""
        lists = _Lists(self._admin)
        return tuple(
            self._removal(resource, row)
            for resource in ("triggers", "webhooks")
            for row in lists.marked(resource)
        )

    def check(self, wanted: Wanted, now: Callable[[], datetime]) -> list[Problem]:
        """Ends early where the credentials are wrong: nothing more can be learnt."""
        present = now()
        found = self._token_problems(present)
        try:
            me, theirs = self._agent.me()
        except (HelpdeskRefused, HelpdeskUnavailable) as error:
            return [*found, _failed("credentials", error)]
        found += clock_problem("clock", theirs, present)
        if me.id is None:
            # Zendesk answers 200 also to whom it does not know.
            nobody = HelpdeskRefused("Zendesk does not know whose credentials these are")
            return [*found, _failed("credentials", nobody)]
        if me.role not in {"agent", "admin"}:
            what = "the bridge's user is no agent"
            remedy = "make it an agent with access to all tickets"
            found.append(Problem(Severity.PROBLEM, "rights", what, remedy))
        try:
            found += self._plan_problems(wanted)
        except (HelpdeskRefused, HelpdeskUnavailable) as error:
            found.append(_failed("helpdesk", error))
        return found

    def probe(self) -> Probe:
        """Signed like a delivery of events, and about no ticket."""
        body = json.dumps({"type": "points-bridge:doctor"}).encode()
        at = f"{self._clock().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        secret = self._config.webhook_secrets[0]
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Zendesk-Webhook-Invocation-Id": str(uuid4()),
            "X-Zendesk-Webhook-Signature-Timestamp": at,
            "X-Zendesk-Webhook-Signature": sign_hmac(
                at.encode() + body, secret, digest="sha256", encoding="base64"
            ),
        }
        return Probe(headers, body)

    def trials(self) -> tuple[Trial, ...]:
        """None can be acted: by hand, it is one ticket that is opened and changed."""
        reasons = {
            "created": f"this command opens no ticket in Zendesk; {_BY_HAND}",
            "changed": f"what is changed over Zendesk's API fires no guarded trigger; {_BY_HAND}",
        }
        return tuple(Trial(event, reason=reason) for event, reason in reasons.items())

    def _webhook(self, wanted: Wanted, lists: "_Lists") -> Step:
        ensure = partial(self._ensure_webhook, wanted)
        return _step("webhook", WEBHOOK, lists.webhook(wanted), _webhook_body(wanted), ensure)

    def _triggers(self, wanted: Wanted, lists: "_Lists") -> Iterator[Step]:
        for event in trigger_conditions():
            title = TRIGGER_PREFIX + event
            body = _trigger_body(event, lists.webhook(wanted))
            ensure = partial(self._ensure_trigger, event, wanted)
            yield _step("trigger", title, lists.trigger(title), body, ensure)

    def _ensure_webhook(self, wanted: Wanted) -> None:
        if wanted.endpoint is None:
            raise HelpdeskRefused("nobody said where the bridge is: set listen.public_url")
        ours, body = _Lists(self._admin).webhook(wanted), _webhook_body(wanted)
        new = {"name": WEBHOOK, "description": MARKER, "subscriptions": BY_TRIGGERS}
        self._store("webhooks", ours, body, new)

    def _ensure_trigger(self, event: str, wanted: Wanted) -> None:
        lists, title = _Lists(self._admin), TRIGGER_PREFIX + event
        webhook = lists.webhook(wanted)
        if webhook is None:
            raise HelpdeskRefused(f"Zendesk has no webhook {WEBHOOK!r} for the trigger")
        body = _trigger_body(event, webhook)
        self._store("triggers", lists.trigger(title), body, {"title": title, "description": MARKER})

    def _store(
        self, resource: str, row: Json | None, body: Mapping[str, object], new: Mapping[str, object]
    ) -> None:
        if row is None:
            stored = self._admin.create(resource, {**new, **body})
        elif differing(row, body):
            stored = self._admin.update(resource, row["id"], body)
        else:
            return
        if other := differing(stored, body):
            raise HelpdeskRefused(f"Zendesk's {resource} stored another {', '.join(other)}")

    def _secret(self, lists: "_Lists", wanted: Wanted) -> Iterator[Step]:
        """Zendesk makes the secret, and takes none; so it is compared, and never shown."""
        webhook = lists.webhook(wanted)
        remedy = (
            f"reveal it in Admin Center, Webhooks, {WEBHOOK!r}, and set the secret webhook_secret"
            f" to it ({self._variable})"
        )
        if webhook is None:
            detail = "is made by Zendesk with the webhook"
            yield Step(_SECRET, WEBHOOK, Action.REPORT, detail, remedy)
        elif self._admin.signing_secret(webhook["id"]) not in self._config.webhook_secrets:
            detail = "is another one than the settings have: every delivery is rejected"
            yield Step(_SECRET, WEBHOOK, Action.REPORT, detail, remedy)

    def _removals(self, lists: "_Lists", wanted: Wanted) -> Iterator[Step]:
        """Triggers of ours that there are twice, or that an earlier version made."""
        kept = [lists.trigger(TRIGGER_PREFIX + event) for event in trigger_conditions()]
        for row in lists.marked("triggers"):
            if row not in kept:
                yield self._removal("triggers", row, "there is another one, or no use for it")
        webhook = lists.webhook(wanted)
        for row in lists.marked("webhooks"):
            if row != webhook and row.get("subscriptions") == BY_TRIGGERS:
                yield self._removal("webhooks", row, "a second one of ours")

    def _removal(self, resource: str, row: Json, detail: str = "") -> Step:
        delete = partial(self._admin.delete, resource, row["id"])
        return Step(resource.removesuffix("s"), _name(row), Action.REMOVE, detail, apply=delete)

    def _token_problems(self, now: datetime) -> list[Problem]:
        config = self._config
        if config.client_id and config.client_secret:
            return []
        severity = Severity.WARNING if now < _TOKENS_END else Severity.PROBLEM
        what = f"Zendesk ends API tokens on {API_TOKENS_END}"
        if now < _TOKENS_END:
            what += f", in {(_TOKENS_END - now) // timedelta(days=1)} days"
        remedy = "create an OAuth client, and set client_id and the secret client_secret"
        return [Problem(severity, "credentials", what, remedy)]

    def _plan_problems(self, wanted: Wanted) -> list[Problem]:
        try:
            plan = self.plan(wanted)
        except HelpdeskRefused as error:
            return [*self._seen_problems(), self._unplanned(error)]
        secrets = [step for step in plan if step.kind == _SECRET]
        return [
            *problems_in([step for step in plan if step not in secrets], "set-up", self._remedy),
            *(
                Problem(Severity.PROBLEM, "set-up", f"{s.kind} {s.name} {s.detail}", s.remedy)
                for s in secrets
            ),
        ]

    def _unplanned(self, error: BridgeError) -> Problem:
        """Without a client for it the set-up cannot be looked at, which need not be a mistake."""
        remedy = "set setup_client_id and the secret setup_client_secret while you run this command"
        if self._own_client:
            remedy = f"the setup client must be an admin's, and be allowed {SETUP_SCOPE!r}"
        severity = Severity.PROBLEM if self._own_client else Severity.WARNING
        return Problem(severity, "set-up", str(error), remedy)

    def _seen_problems(self) -> list[Problem]:
        """What the bridge's own credential can see: the fields that it cannot write."""
        return problems_in(ticket_field_steps(self._agent), "set-up", self._remedy)


class _Lists:
    """Zendesk's lists as they are at one moment: each is read once."""

    def __init__(self, admin: ZendeskAdmin) -> None:
        self._admin = admin
        self._rows: dict[str, list[Json]] = {}

    def rows(self, resource: str) -> list[Json]:
        """All of that kind, whosever they are; the oldest first."""
        if resource not in self._rows:
            self._rows[resource] = sorted(self._admin.rows(resource), key=lambda row: row["id"])
        return self._rows[resource]

    def marked(self, resource: str) -> list[Json]:
        """Those with our name, and our marker in their description."""
        return [
            row
            for row in self.rows(resource)
            if _has_our_name(resource, row) and MARKER in str(row.get("description"))
        ]

    def trigger(self, title: str) -> Json | None:
        """Our trigger of that title."""
        return next((row for row in self.marked("triggers") if row.get("title") == title), None)

    def webhook(self, wanted: Wanted) -> Json | None:
        """Our webhook for triggers, rather the one that goes where it is to go."""
        ours = [r for r in self.marked("webhooks") if r.get("subscriptions") == BY_TRIGGERS]
        return min(ours, key=lambda row: row.get("endpoint") != wanted.endpoint, default=None)


def _step(kind: str, name: str, row: Json | None, body: Json, ensure: Callable[[], None]) -> Step:
    if row is None:
        return Step(kind, name, Action.MAKE, apply=ensure)
    other = differing(row, body)
    action = Action.CHANGE if other else Action.KEEP
    return Step(kind, name, action, ", ".join(other), apply=ensure)


def _foreign(lists: _Lists, wanted: Wanted) -> Iterator[Step]:
    """What somebody made by hand for the same receiver, or under our names."""
    for resource, detail in (
        ("webhooks", "is not of this command, or is not connected to triggers"),
        ("triggers", "has our name, but this command did not make it"),
    ):
        for row in lists.rows(resource):
            ours = row in lists.marked(resource)
            wrong_kind = resource == "webhooks" and row.get("subscriptions") != BY_TRIGGERS
            same = _has_our_name(resource, row) or (
                not wrong_kind and wanted.endpoint and row.get("endpoint") == wanted.endpoint
            )
            if same and (wrong_kind or not ours):
                told = f"{detail}: the bridge may hear of everything twice"
                kind, remedy = resource.removesuffix("s"), "delete it, or make it inactive"
                yield Step(kind, _name(row), Action.REPORT, told, remedy, required=False)


def _has_our_name(resource: str, row: Json) -> bool:
    name = _name(row)
    return name == WEBHOOK if resource == "webhooks" else name.startswith(TRIGGER_PREFIX)


def _name(row: Json) -> str:
    return str(row.get("title") or row.get("name"))


def _webhook_body(wanted: Wanted) -> Json:
    address = {"endpoint": wanted.endpoint} if wanted.endpoint else {}
    return address | {"status": "active", "http_method": "POST", "request_format": "json"}


def _trigger_body(event: str, webhook: Json | None) -> Json:
    """Of the ticket it tells the id alone: any text of it could break the JSON."""
    text = json.dumps({"event": event, "ticket_id": "{{ticket.id}}"})
    action = {"field": "notification_webhook", "value": [webhook and webhook["id"], text]}
    return {"conditions": trigger_conditions()[event], "actions": [action], "active": True}


def _failed(where: str, error: BridgeError) -> Problem:
    remedy = "check the helpdesk's url and credentials in the settings, and whether it runs"
    return Problem(Severity.PROBLEM, where, str(error), remedy)
