"""Setting a Zendesk up: fields, two webhooks, triggers, a view. See `Provisioner`.

`layout` says what there is to be; what becomes of it is decided by `bridge.adapters.resources`.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TypeVar
from uuid import uuid4

from bridge.adapters.provisioning import (
    Action,
    Plan,
    Probe,
    Problem,
    Provisioner,
    SecretPlace,
    Severity,
    Step,
    Trial,
    Wanted,
    clock_problem,
    problems_in,
    unreachable,
)
from bridge.adapters.resources import Item, Json, Lists, hidden, made, removals, reports, surplus
from bridge.adapters.signatures import sign_hmac
from bridge.adapters.zendesk.access import ZendeskConfig, runtime_scope
from bridge.adapters.zendesk.setup import layout
from bridge.adapters.zendesk.setup.admin import SETUP_SCOPE, ZendeskAdmin
from bridge.adapters.zendesk.setup.fields import OrganizationFields, TicketFields
from bridge.adapters.zendesk.setup.health import budget_problems, delivery_problems, rights_problems
from bridge.adapters.zendesk.setup.layout import EVENTS_HOOK, HOOK, HOOKS, Hook
from bridge.adapters.zendesk.setup.records import Triggers, Views, Webhooks
from bridge.adapters.zendesk.setup.trials import zendesk_trials
from bridge.errors import BridgeError, HelpdeskRefused, HelpdeskUnavailable

J = TypeVar("J")
_SECRET = "signing secret"  # noqa: S105  # a label, and no secret


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ZendeskSetup(Provisioner):
    """The set-up of one Zendesk."""

    def __init__(
        self,
        name: str,
        config: ZendeskConfig,
        secrets: SecretPlace,
        setup_config: ZendeskConfig | None = None,
        clock: Callable[[], datetime] = _utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Connect to nothing yet.

        Args:
            name: the helpdesk's name in the settings.
            config: as of the adapter; the bridge runs with its credential.
            secrets: keeps the signing secrets, which Zendesk makes.
            setup_config: the same account with the credential of an admin, whose OAuth client is
                allowed `SETUP_SCOPE`; None: the one that the bridge runs with is used.
            clock: the present, for what is signed.
            sleep: waits so many seconds, for Zendesk's background jobs.

        Raises:
            SettingsError: the url or a credential cannot be used.
        """
        self._name = name
        self._remedy = f"run `points-bridge setup {name}`"
        self._variable = f"POINTS_BRIDGE_{name.upper().replace('-', '_')}"
        self._config = config
        self._secrets = secrets
        self._own_client = setup_config is not None
        self._agent = ZendeskAdmin(config, runtime_scope(config))
        self._admin = ZendeskAdmin(setup_config or config, SETUP_SCOPE)
        self._lists = Lists(self._admin)
        self._fields = TicketFields(self._lists)
        self._clock = clock
        self._sleep = sleep

    def plan(self, wanted: Wanted) -> Plan:
        """Fields, webhooks and their secrets, what uses them, and what is only said."""
        self._admin.me()
        self._lists.forget()
        fields = (self._fields, OrganizationFields(self._lists, self._config))
        views, webhooks, triggers = ours = self._ours(wanted.endpoint)
        return (
            *made((*fields, views, webhooks)),
            *(step for hook in HOOKS.values() for step in self._secret_steps(hook, webhooks)),
            *made([triggers]),
            *surplus(ours),
            *reports((*fields, *ours)),
        )

    def removal(self, *, hide_fields: bool = False) -> Plan:
        """Of what `plan` makes, the last first: triggers hold on to the webhook."""
        self._lists.forget()
        fields = (self._fields, OrganizationFields(self._lists, self._config))
        hiding = hidden(fields) if hide_fields else ()
        return (*removals(self._ours(None)), *hiding)

    def check(self, wanted: Wanted, now: Callable[[], datetime]) -> list[Problem]:
        """Ends early where the credentials are wrong: nothing more can be learnt."""
        present = now()
        try:
            me, answer = self._agent.me()
        except (HelpdeskRefused, HelpdeskUnavailable) as error:
            return [
                *rights_problems(self._config, None, present),
                unreachable("credentials", error, "credentials"),
            ]
        found = [
            *clock_problem("clock", answer.at, present),
            *rights_problems(self._config, me, present),
            *budget_problems(answer),
        ]
        if me.id is None:
            return found
        try:
            found += self._plan_problems(wanted, present)
        except (HelpdeskRefused, HelpdeskUnavailable) as error:
            found.append(unreachable("helpdesk", error, "credentials"))
        return found

    def open_tickets(self, since: datetime) -> Iterator[str]:
        """By Zendesk's search, which needs the client that sets up."""
        rows = self._admin.tickets(f"status<solved created>{since:%Y-%m-%dT%H:%M:%SZ}")
        return (str(row["id"]) for row in rows)

    def discard(self, ticket_id: str) -> None:
        """As an agent does: for good after 30 days."""
        self._admin.delete("tickets", ticket_id)

    def probe(self) -> Probe | None:
        """Signed like a delivery of events, and about no ticket."""
        if not self._config.webhook_secrets:
            return None
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
        """One needs a person: what is changed over the API fires no guarded trigger."""
        self._lists.forget()
        told_of_events = self._webhooks(None).of(EVENTS_HOOK) is not None
        bridge, actor = self._agent.me()[0], self._admin.me()[0]
        return zendesk_trials(
            self._admin, bridge=bridge, actor=actor, events=told_of_events, sleep=self._sleep
        )

    def _ours(self, endpoint: str | None) -> tuple[Views, Webhooks, Triggers]:
        """What there is to be beside the fields, in the order in which it can be made."""
        webhooks = self._webhooks(endpoint)
        return self._views(), webhooks, self._triggers(webhooks)

    def _webhooks(self, endpoint: str | None) -> Webhooks:
        items = [
            Item(
                hook.name,
                partial(layout.webhook, endpoint, hook.subscriptions),
                required=hook.required,
            )
            for hook in HOOKS.values()
        ]
        return Webhooks(self._lists, items, endpoint)

    def _triggers(self, webhooks: Webhooks) -> Triggers:
        items = [
            Item(
                layout.TRIGGER_PREFIX + event,
                partial(self._trigger, event, webhooks),
                needs="its webhook",
            )
            for event in layout.trigger_conditions()
        ]
        return Triggers(self._lists, "triggers", "trigger", items, lambda: self._bridge_id)

    @cached_property
    def _bridge_id(self) -> int | None:
        """The agent that the bridge runs as."""
        return self._agent.me()[0].id

    def _trigger(self, event: str, webhooks: Webhooks) -> Json | None:
        row = webhooks.of(HOOK)
        return layout.trigger(event, row["id"]) if row else None

    def _views(self) -> Views:
        views = [
            Item(
                one.title,
                partial(self._by_ids, one.body),
                partial(self._by_ids, one.at_first),
                required=False,
                needs="its fields",
                former=one.former,
            )
            for one in layout.VIEWS
        ]
        return Views(self._lists, "views", "view", views)

    def _by_ids(self, made: Callable[[Mapping[str, int]], J]) -> J:
        """What is made of our ticket fields' ids, as they are at that moment."""
        return made(self._fields.ids())

    def _secret_steps(self, hook: Hook, webhooks: Webhooks) -> Iterator[Step]:
        """Zendesk makes the secret, and takes none: it is compared and kept, and never shown."""
        row = webhooks.of(hook)
        if row and self._admin.signing_secret(row["id"]) in self._config.webhook_secrets:
            return
        step = partial(Step, _SECRET, hook.name, required=hook.required)
        place = self._secrets.place(hook.secret)
        if place:
            action = Action.CHANGE if row else Action.MAKE
            detail = f"is made by Zendesk, and kept in {place}"
            yield step(action, detail, apply=partial(self._keep_secret, hook, webhooks))
            return
        detail = "is made by Zendesk with the webhook"
        if row:
            detail = "is another one than the settings have: every delivery is rejected"
        variable = f"{self._variable}_{hook.secret.upper()}"
        remedy = f"unset {variable}, which holds another one, and run this again: it is kept then"
        yield step(Action.REPORT, detail, remedy)

    def _keep_secret(self, hook: Hook, webhooks: Webhooks) -> None:
        self._lists.forget()
        row = webhooks.of(hook)
        if row is None:
            raise HelpdeskRefused(f"Zendesk has no webhook {hook.name!r} that could have a secret")
        self._secrets.keep(hook.secret, self._admin.signing_secret(row["id"]))

    def _plan_problems(self, wanted: Wanted, now: datetime) -> list[Problem]:
        try:
            plan = self.plan(wanted)
        except HelpdeskRefused as error:
            return [*self._seen_problems(), self._unplanned(error)]
        ours = self._webhooks(wanted.endpoint).ours()
        hooks = [(hook, self._admin.invocations(hook["id"])) for hook in ours]
        return [
            *problems_in(plan, "set-up", self._remedy),
            *delivery_problems(self._name, hooks, now),
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
        seen = [TicketFields(Lists(self._agent))]
        return problems_in([*made(seen), *reports(seen)], "set-up", self._remedy)
