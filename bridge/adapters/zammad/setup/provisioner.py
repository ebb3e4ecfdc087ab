"""Setting a Zammad up: fields, webhook, triggers, overview, workflow, SLAs. See `Provisioner`.

`layout` says what there is to be; what becomes of it is decided by `bridge.adapters.resources`.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cached_property, partial
from secrets import token_urlsafe
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
from bridge.adapters.resources import (
    Item,
    Json,
    Lists,
    Records,
    hidden,
    made,
    permission_lacking,
    removals,
    reports,
    surplus,
)
from bridge.adapters.signatures import sign_hmac
from bridge.adapters.zammad.adapter import ZammadConfig
from bridge.adapters.zammad.setup import layout
from bridge.adapters.zammad.setup.admin import PERMISSIONS, ZammadAdmin
from bridge.adapters.zammad.setup.badge import mismatches
from bridge.adapters.zammad.setup.deliveries import delivery_problems
from bridge.adapters.zammad.setup.fields import Fields, Migration
from bridge.adapters.zammad.setup.groups import Member, closed_groups, group_reports, member
from bridge.adapters.zammad.setup.layout import Overview
from bridge.adapters.zammad.setup.notifications import Notifications
from bridge.adapters.zammad.setup.records import Conveniences, Triggers, Webhooks
from bridge.adapters.zammad.setup.slas import NativeSlas
from bridge.adapters.zammad.setup.trials import zammad_trials
from bridge.adapters.zammad.ticket import STATUS_OF_STATE_TYPE, State, checked
from bridge.errors import BridgeError, HelpdeskRefused, HelpdeskUnavailable
from bridge.ticket import Status

_WAITING = frozenset({Status.OPEN, Status.PENDING})


class ZammadSetup(Provisioner):
    """The set-up of one Zammad."""

    def __init__(
        self,
        name: str,
        config: ZammadConfig,
        secrets: SecretPlace,
        setup_token: str | None = None,
        *,
        native_slas: bool = False,
    ) -> None:
        """Connect to nothing yet.

        Args:
            name: the helpdesk's name in the settings.
            config: as of the adapter; its token is the one that the bridge runs with.
            secrets: keeps the webhook's secret where `config` has none yet.
            setup_token: a token with `ticket.agent` and the permissions in
                `zammad_admin.PERMISSIONS`; None: the one that the bridge runs with is used.
            native_slas: whether Zammad is to have calendars and SLAs of its own.

        Raises:
            SettingsError: the url or a token cannot be used.
        """
        self._name = name
        self._remedy = f"run `points-bridge setup {name}`"
        self._config = config
        self._secrets = secrets
        self._secret = next(iter(config.webhook_secrets), None)
        self._own_token = setup_token is not None
        self._agent = ZammadAdmin(config, config.token, "access token")
        label = "setup token" if self._own_token else "access token (there is no setup token)"
        self._admin = ZammadAdmin(config, setup_token or config.token, label)
        place = (config.zone_field, config.country_field, config.subdivision_field)
        shown = layout.ACCOUNT_FIELDS if config.show_balance else ()
        fields = (*layout.TICKET_FIELDS, *layout.organization_fields(*place), *shown)
        self._lists = Lists(self._admin)
        by_object = (
            [one for one in fields if one.object == name] for name in ("Ticket", "Organization")
        )
        self._fields = [Fields(self._lists, some) for some in by_object]
        self._notifications = Notifications(self._agent, self._lists)
        self._migration = Migration(self._admin, self._agent, self._lists, fields)
        self._native_slas = native_slas
        self._slas = NativeSlas(self._admin, self._lists, place, wanted=native_slas)

    def plan(self, wanted: Wanted) -> Plan:
        """Fields, then what needs them, then what is one too many, then what is only said."""
        self._admin.me()
        self._admin.require_agent()
        self._lists.forget()
        fields = tuple(made(self._fields))
        slas, said = self._slas.resources(wanted)
        resources = (*self._records(wanted.endpoint), *slas)
        return (
            *fields,
            *self._migration.steps(fields),
            *self._secret_steps(),
            *made((*resources, self._notifications)),
            *surplus(resources),
            *reports(resources),
            *said,
            *group_reports(self._me, wanted.reopen_days),
            *closed_groups(self._admin, self._me),
        )

    def removal(self, *, hide_fields: bool = False) -> Plan:
        """Of what `plan` makes, the last first: a webhook that a trigger uses cannot go."""
        self._lists.forget()
        slas, said = self._slas.resources(None)
        hiding = tuple(hidden(self._fields)) if hide_fields else ()
        migration = tuple(self._migration.steps(hiding)) if hiding else ()
        return (*removals((*self._records(None), *slas)), *said, *hiding, *migration)

    def check(self, wanted: Wanted, now: Callable[[], datetime]) -> list[Problem]:
        """Ends early where the credentials are wrong: nothing more can be learnt."""
        try:
            _, theirs = self._agent.me()
            found = clock_problem("clock", theirs, now())
        except (HelpdeskRefused, HelpdeskUnavailable) as error:
            return [unreachable("credentials", error, "token")]
        for look in (
            self._right_problems,
            lambda: self._plan_problems(wanted),
            lambda: self._badge_problems(wanted),
            lambda: self._delivery_problems(wanted, now()),
        ):
            try:
                found += look()
            except (HelpdeskRefused, HelpdeskUnavailable) as error:
                found.append(unreachable("helpdesk", error, "token"))
        return found

    def open_tickets(self, since: datetime) -> Iterator[str]:
        """Those in its own groups: the bridge is told of no others."""
        waiting = [str(state.id) for state in self._states() if state.status in _WAITING]
        rows = self._agent.tickets(
            {
                "ticket.created_at": ("after (absolute)", f"{since:%Y-%m-%dT%H:%M:%SZ}"),
                "ticket.state_id": ("is", waiting),
            }
        )
        return (str(row["id"]) for row in rows)

    def discard(self, ticket_id: str) -> None:
        """By the setup token, which only an admin's may."""
        self._admin.delete("tickets", ticket_id)

    def probe(self) -> Probe | None:
        """Signed like a delivery, and about nothing."""
        if self._secret is None:
            return None
        body = json.dumps({"points_bridge": "doctor"}).encode()
        signature = sign_hmac(body, self._secret, digest="sha1", encoding="hex", prefix="sha1=")
        headers = {"X-Zammad-Delivery": str(uuid4()), "X-Hub-Signature": signature}
        return Probe(headers | {"Content-Type": "application/json"}, body)

    def trials(self) -> tuple[Trial, ...]:
        """Made with the setup token: what the bridge's own user does fires no guarded trigger."""
        closed = [state.id for state in self._states() if state.status is Status.CLOSED]
        if not closed:
            raise HelpdeskRefused("Zammad has no active state that means closed")
        return zammad_trials(self._admin, member(self._admin), self._me, min(closed))

    def _secret_steps(self) -> Iterator[Step]:
        if self._secret is None:
            detail = f"is invented and kept in {self._secrets.place('webhook_secret')}"
            yield Step("secret", layout.WEBHOOK, Action.MAKE, detail, apply=self._make_secret)

    def _make_secret(self) -> None:
        """The one that our webhook has, if it is there already: Zammad tells it to its admins."""
        if self._secret is None:
            self._lists.forget()
            known = next((row.get("signature_token") for row in self._webhooks(None).ours()), None)
            secret = str(known) if known else token_urlsafe(32)
            self._secrets.keep("webhook_secret", secret)
            self._secret = secret

    @cached_property
    def _me(self) -> Member:
        """The user that the bridge runs as."""
        return member(self._agent)

    def _states(self) -> list[State]:
        rows = checked(tuple[State, ...], self._agent.get("ticket_states"))
        return [row for row in rows if row.active and row.state_type_id in STATUS_OF_STATE_TYPE]

    def _records(self, endpoint: str | None) -> tuple[Records, ...]:
        """What there is to be beside fields and SLAs, in the order in which it can be made."""
        triggers = [
            Item(layout.TRIGGER_PREFIX + event, partial(self._trigger, event), needs="its webhook")
            for event in layout.trigger_conditions(0)
        ]
        overviews = [
            Item(
                one.name,
                partial(self._overview, one),
                partial(self._overview_at_first, one),
                required=False,
                former=one.former,
            )
            for one in layout.OVERVIEWS
        ]
        workflows = [
            Item(name, partial(dict, body), required=False)
            for name, body in layout.workflows().items()
        ]
        return (
            self._webhooks(endpoint),
            Triggers(self._lists, "triggers", "trigger", triggers),
            Conveniences(self._lists, "overviews", "overview", overviews),
            Conveniences(self._lists, "core_workflows", "core workflow", workflows),
        )

    def _webhooks(self, endpoint: str | None) -> Webhooks:
        body = partial(self._webhook, endpoint)
        item = Item(layout.WEBHOOK, body, layout.webhook_at_first)
        return Webhooks(self._lists, item, endpoint)

    def _webhook(self, endpoint: str | None) -> Json:
        return layout.webhook(endpoint, self._secret)

    def _trigger(self, event: str) -> Json | None:
        hooks = self._webhooks(None).ours()
        condition = layout.trigger_conditions(self._me.id)[event]
        return layout.trigger(condition, hooks[0]["id"]) if hooks else None

    def _overview(self, one: Overview) -> Json:
        return one.body(state.id for state in self._states() if state.status in _WAITING)

    def _overview_at_first(self, one: Overview) -> Json:
        return one.at_first(self._me.role_ids)

    def _right_problems(self) -> list[Problem]:
        """What the bridge's own token may do too little, and too much."""
        found = []
        if not self._me.full_in:
            what = "the bridge's user has full access to no group"
            remedy = "make it an agent with full access to every group that gives support"
            found.append(Problem(Severity.PROBLEM, "rights", what, remedy))
        try:
            self._agent.require_agent()
        except HelpdeskRefused as error:
            remedy = "give the token the permission ticket.agent, and its user the role of an agent"
            found.append(Problem(Severity.PROBLEM, "rights", str(error), remedy))
        if self._may_administer():
            what = "the token that the bridge runs with may also administer Zammad"
            remedy = (
                "give it the permission ticket.agent alone, and setup a token of its own (the"
                " secret setup_token)"
            )
            found.append(Problem(Severity.WARNING, "rights", what, remedy))
        return found

    def _may_administer(self) -> bool:
        try:
            self._agent.rows("webhooks")
        except HelpdeskRefused as error:
            if not permission_lacking(error):
                raise
            return False
        return True

    def _plan_problems(self, wanted: Wanted) -> list[Problem]:
        try:
            return problems_in(self.plan(wanted), "set-up", self._remedy)
        except HelpdeskRefused as error:
            groups = problems_in(group_reports(self._me, wanted.reopen_days), "set-up", "")
            return [*self._seen_problems(), *groups, self._unplanned(error)]

    def _badge_problems(self, wanted: Wanted) -> list[Problem]:
        if not self._native_slas:
            return []
        return mismatches(self._name, self._agent, self._admin, wanted.promises)

    def _delivery_problems(self, wanted: Wanted, now: datetime) -> list[Problem]:
        hooks = self._webhooks(None)
        try:
            endpoints = {wanted.endpoint, *(row.get("endpoint") for row in hooks.ours())}
        except HelpdeskRefused:
            return []  # the plan has told why
        return delivery_problems(self._name, self._admin, endpoints, now)

    def _unplanned(self, error: BridgeError) -> Problem:
        """Without a token for it the set-up cannot be looked at, which need not be a mistake."""
        known = self._own_token or not permission_lacking(error)
        severity = Severity.PROBLEM if known else Severity.WARNING
        remedy = "set the secret setup_token while you run this command, to have all looked at"
        if self._own_token:
            optional = set() if self._native_slas else {"calendars", "slas"}
            needed = sorted(PERMISSIONS[name] for name in PERMISSIONS.keys() - optional)
            remedy = f"the setup token needs: ticket.agent, {', '.join(needed)}"
        return Problem(severity, "set-up", str(error), remedy)

    def _seen_problems(self) -> list[Problem]:
        missing = self._migration.unseen()
        what = f"its records lack {', '.join(missing)}"
        return [Problem(Severity.PROBLEM, "set-up", what, self._remedy)] if missing else []
