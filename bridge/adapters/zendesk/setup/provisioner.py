"""Setting a Zendesk up: fields, two webhooks, triggers, a view. See `Provisioner`.

Titles in Zendesk are not unique, so nothing is made without looking for it first: fields by their
titles or keys, the rest by its name and by the marker in its description. `zendesk_layout` says
what there is to be.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
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
)
from bridge.adapters.signatures import sign_hmac
from bridge.adapters.zendesk.access import ZendeskConfig, runtime_scope
from bridge.adapters.zendesk.setup import layout
from bridge.adapters.zendesk.setup.admin import SETUP_SCOPE, ZendeskAdmin
from bridge.adapters.zendesk.setup.fields import (
    field_ids,
    organization_field_steps,
    ticket_field_steps,
)
from bridge.adapters.zendesk.setup.health import budget_problems, delivery_problems, rights_problems
from bridge.adapters.zendesk.setup.layout import EVENTS_HOOK, HOOK, Json, Thing, differing
from bridge.adapters.zendesk.setup.trials import zendesk_trials
from bridge.errors import BridgeError, HelpdeskRefused, HelpdeskUnavailable

_SECRET = "signing secret"  # noqa: S105  # a label, and no secret
_HOOKS = (HOOK, EVENTS_HOOK)
#: In the order in which they are made: triggers need the first webhook, the view needs the fields.
_REST = (*layout.triggers(), layout.A_VIEW)


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
        self._remedy = f"run `points-bridge setup {name}`"
        self._variable = f"POINTS_BRIDGE_{name.upper().replace('-', '_')}"
        self._config = config
        self._secrets = secrets
        self._own_client = setup_config is not None
        self._agent = ZendeskAdmin(config, runtime_scope(config))
        self._admin = ZendeskAdmin(setup_config or config, SETUP_SCOPE)
        self._clock = clock
        self._sleep = sleep

    def plan(self, wanted: Wanted) -> Plan:
        """Fields, webhooks and their secrets, what uses them, and what is only said."""
        lists = _Lists(self._admin)
        return (
            *ticket_field_steps(self._admin),
            *organization_field_steps(self._admin, self._config),
            *(self._step(thing, wanted, lists) for thing in _HOOKS),
            *(step for thing in _HOOKS for step in self._secret_steps(thing, wanted, lists)),
            *(self._step(thing, wanted, lists) for thing in _REST),
            *self._leftovers(wanted, lists),
            *_foreign(lists, wanted),
        )

    def removal(self) -> Plan:
        """Triggers first: they hold on to the webhook."""
        lists = _Lists(self._admin)
        return tuple(
            self._removal(resource, row)
            for resource in ("triggers", "webhooks", "views")
            for row in lists.marked(resource)
        )

    def check(self, wanted: Wanted, now: Callable[[], datetime]) -> list[Problem]:
        """Ends early where the credentials are wrong: nothing more can be learnt."""
        present = now()
        try:
            me, answer = self._agent.me()
        except (HelpdeskRefused, HelpdeskUnavailable) as error:
            return [*rights_problems(self._config, None, present), _failed("credentials", error)]
        found = [
            *clock_problem("clock", answer.at, present),
            *rights_problems(self._config, me, present),
            *budget_problems(answer),
        ]
        if me.id is None:
            return found
        try:
            found += self._plan_problems(wanted)
        except (HelpdeskRefused, HelpdeskUnavailable) as error:
            found.append(_failed("helpdesk", error))
        return found

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
        told_of_events = _Lists(self._admin).ours(EVENTS_HOOK) != []
        bridge, actor = self._agent.me()[0], self._admin.me()[0]
        return zendesk_trials(
            self._admin, bridge=bridge, actor=actor, events=told_of_events, sleep=self._sleep
        )

    def _body(self, thing: Thing, wanted: Wanted, lists: "_Lists") -> Json | None:
        """What it is to be; None where something that it refers to is not there yet."""
        if thing in _HOOKS:
            return layout.webhook(wanted.endpoint, thing.subscriptions)
        if thing == layout.A_VIEW:
            return layout.view(field_ids(lists.rows("ticket_fields")))
        event = thing.name.removeprefix(layout.TRIGGER_PREFIX)
        hooks = lists.ours(HOOK, wanted.endpoint)
        return layout.trigger(event, hooks[0]["id"]) if hooks else None

    def _step(self, thing: Thing, wanted: Wanted, lists: "_Lists") -> Step:
        ensure = partial(self._ensure, thing, wanted)
        step = partial(Step, thing.label, thing.name, required=thing.required, apply=ensure)
        ours, body = lists.ours(thing, wanted.endpoint), self._body(thing, wanted, lists)
        if not ours:
            return step(Action.MAKE)
        if body is None:
            return step(Action.CHANGE, "refers to something that is gone")
        other = differing(ours[0], body)
        return step(Action.CHANGE if other else Action.KEEP, ", ".join(other))

    def _ensure(self, thing: Thing, wanted: Wanted) -> None:
        if thing in _HOOKS and wanted.endpoint is None:
            raise HelpdeskRefused("nobody said where the bridge is: set listen.public_url")
        lists = _Lists(self._admin)
        ours, body = lists.ours(thing, wanted.endpoint), self._body(thing, wanted, lists)
        if body is None:
            raise HelpdeskRefused(f"Zendesk lacks what the {thing.label} {thing.name} refers to")
        if not ours:
            new = self._new(thing, lists) | _sent(thing, body)
            stored = self._admin.create(thing.resource, new)
        elif other := differing(ours[0], body):
            change = _sent(thing, {key: body[key] for key in other})
            stored = self._admin.update(thing.resource, ours[0]["id"], change)
        else:
            return
        if other := differing(stored, body):
            raise HelpdeskRefused(f"Zendesk's {thing.label} stored another {', '.join(other)}")

    def _new(self, thing: Thing, lists: "_Lists") -> Json:
        """What is sent when it is made, and left alone then."""
        name = "name" if thing.resource == "webhooks" else "title"
        named: Json = {name: thing.name, "description": layout.MARKER}
        if thing == layout.A_VIEW:
            named |= layout.view_at_first(field_ids(lists.rows("ticket_fields")))
        return named

    def _secret_steps(self, thing: Thing, wanted: Wanted, lists: "_Lists") -> Iterator[Step]:
        """Zendesk makes the secret, and takes none: it is compared and kept, and never shown."""
        hooks = lists.ours(thing, wanted.endpoint)
        if hooks and self._admin.signing_secret(hooks[0]["id"]) in self._config.webhook_secrets:
            return
        step = partial(Step, _SECRET, thing.name, required=thing.required)
        place = self._secrets.place(thing.secret)
        if place:
            action = Action.CHANGE if hooks else Action.MAKE
            detail = f"is made by Zendesk, and kept in {place}"
            yield step(action, detail, apply=partial(self._keep_secret, thing, wanted))
            return
        detail = "is made by Zendesk with the webhook"
        if hooks:
            detail = "is another one than the settings have: every delivery is rejected"
        variable = f"{self._variable}_{thing.secret.upper()}"
        remedy = f"unset {variable}, which holds another one, and run this again: it is kept then"
        yield step(Action.REPORT, detail, remedy)

    def _keep_secret(self, thing: Thing, wanted: Wanted) -> None:
        hooks = _Lists(self._admin).ours(thing, wanted.endpoint)
        if not hooks:
            raise HelpdeskRefused(f"Zendesk has no webhook {thing.name!r} that could have a secret")
        self._secrets.keep(thing.secret, self._admin.signing_secret(hooks[0]["id"]))

    def _leftovers(self, wanted: Wanted, lists: "_Lists") -> Iterator[Step]:
        """What there is twice of ours, or was made by an earlier version."""
        things = (*_HOOKS, *_REST)
        kept = [row for thing in things for row in lists.ours(thing, wanted.endpoint)[:1]]
        for resource in ("triggers", "webhooks", "views"):
            for row in lists.marked(resource):
                if row not in kept:
                    yield self._removal(resource, row, "there is another one, or no use for it")

    def _removal(self, resource: str, row: Json, detail: str = "") -> Step:
        delete = partial(self._admin.delete, resource, row["id"])
        label, required = resource.removesuffix("s"), resource != "views"
        name = layout.title(row)
        return Step(label, name, Action.REMOVE, detail, required=required, apply=delete)

    def _plan_problems(self, wanted: Wanted) -> list[Problem]:
        try:
            plan = self.plan(wanted)
        except HelpdeskRefused as error:
            return [*self._seen_problems(), self._unplanned(error)]
        lists = _Lists(self._admin)
        hooks = [(hook, self._admin.invocations(hook["id"])) for hook in lists.marked("webhooks")]
        return problems_in(plan, "set-up", self._remedy) + delivery_problems(hooks)

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
        """Those with a name of ours, and our marker in their description."""
        return [
            row
            for row in self.rows(resource)
            if _has_our_name(resource, row) and layout.MARKER in str(row.get("description"))
        ]

    def ours(self, thing: Thing, endpoint: str | None = None) -> list[Json]:
        """Those that are this thing: of webhooks first the one that goes where it is to go."""
        ours = [row for row in self.marked(thing.resource) if thing.is_named(row)]
        return sorted(ours, key=lambda row: row.get("endpoint") != endpoint)


def _sent(thing: Thing, body: Json) -> Json:
    """A view's conditions are sent beside the rest of it, but shown in an object of their own."""
    if thing == layout.A_VIEW and "conditions" in body:
        rest = {key: value for key, value in body.items() if key != "conditions"}
        return {**rest, **body["conditions"]}
    return body


def _foreign(lists: _Lists, wanted: Wanted) -> Iterator[Step]:
    """What somebody made by hand for the same receiver, or under our names."""
    for resource in ("webhooks", "triggers"):
        for row in lists.rows(resource):
            goes_to_us = wanted.endpoint and row.get("endpoint") == wanted.endpoint
            known = row in lists.marked(resource)
            if (goes_to_us or _has_our_name(resource, row)) and not known:
                told = "was not made by this command: the bridge may hear of everything twice"
                kind, remedy = resource.removesuffix("s"), "delete it, or make it inactive"
                yield Step(kind, layout.title(row), Action.REPORT, told, remedy, required=False)


def _has_our_name(resource: str, row: Json) -> bool:
    name = layout.title(row)
    if resource == "triggers":
        return name.startswith(layout.TRIGGER_PREFIX)
    return name in {thing.name for thing in (*_HOOKS, layout.A_VIEW) if thing.resource == resource}


def _failed(where: str, error: BridgeError) -> Problem:
    remedy = "check the helpdesk's url and credentials in the settings, and whether it runs"
    return Problem(Severity.PROBLEM, where, str(error), remedy)
