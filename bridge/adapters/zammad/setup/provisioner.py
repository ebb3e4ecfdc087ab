"""Setting a Zammad up: fields, webhook, triggers, overview, workflow, SLAs. See `Provisioner`.

Names in Zammad are not unique but for triggers, so nothing is made without looking for it first:
in the list, by its name and by the marker in its note. `zammad_layout` says what there is to be.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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
)
from bridge.adapters.signatures import sign_hmac
from bridge.adapters.zammad.adapter import ZammadConfig
from bridge.adapters.zammad.setup import layout
from bridge.adapters.zammad.setup.admin import (
    PERMISSIONS,
    ZammadAdmin,
    differing,
    permission_lacking,
)
from bridge.adapters.zammad.setup.badge import mismatches
from bridge.adapters.zammad.setup.fields import ZammadFields
from bridge.adapters.zammad.setup.groups import Member, group_reports, member, unserved
from bridge.adapters.zammad.setup.layout import Json
from bridge.adapters.zammad.setup.slas import NativeSlas
from bridge.adapters.zammad.setup.trials import zammad_trials
from bridge.adapters.zammad.ticket import STATUS_OF_STATE_TYPE, State, checked
from bridge.errors import BridgeError, HelpdeskRefused, HelpdeskUnavailable
from bridge.ticket import Status


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of Zammad's lists that holds something of ours."""

    resource: str
    label: str
    noted: bool
    required: bool


_WEBHOOK = _Kind("webhooks", "webhook", noted=True, required=True)
_TRIGGER = _Kind("triggers", "trigger", noted=True, required=True)
_OVERVIEW = _Kind("overviews", "overview", noted=False, required=False)
_WORKFLOW = _Kind("core_workflows", "core workflow", noted=False, required=False)
#: In the order in which they can be removed: a webhook that a trigger uses cannot.
_KINDS = (_TRIGGER, _WEBHOOK, _OVERVIEW, _WORKFLOW)
#: In the order in which they can be made.
_NAMES = (
    (_WEBHOOK, layout.WEBHOOK),
    *((_TRIGGER, layout.TRIGGER_PREFIX + name) for name in layout.trigger_conditions(0)),
    (_OVERVIEW, layout.OVERVIEW),
    (_WORKFLOW, layout.WORKFLOW),
)


@dataclass(frozen=True, slots=True)
class _Thing:
    """What something of ours is to be. `at_first` is sent when it is made, and left alone then."""

    body: Mapping[str, object]
    at_first: Mapping[str, object]


class ZammadSetup(Provisioner):
    """The set-up of one Zammad."""

    def __init__(
        self,
        name: str,
        config: ZammadConfig,
        secrets: SecretPlace,
        setup_token: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
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
            sleep: waits so many seconds.
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
        self._fields = ZammadFields(self._admin, self._agent, fields, sleep)
        self._native_slas = native_slas
        self._slas = NativeSlas(self._admin, place, wanted=native_slas)

    def plan(self, wanted: Wanted) -> Plan:
        """Fields, then what needs them, then what is only said."""
        lists = _Lists(self._admin)
        return (
            *self._fields.plan(),
            *self._secret_steps(),
            *(step for kind, name in _NAMES for step in self._steps(kind, name, wanted, lists)),
            *_leftover_triggers(lists),
            *_doubles(lists, wanted),
            *self._slas.plan(wanted),
            *self._group_reports(wanted),
        )

    def removal(self) -> Plan:
        """Triggers first: they hold on to the webhook."""
        lists = _Lists(self._admin)
        ours = (step for kind in _KINDS for step in _removals(kind, lists))
        return (*ours, *self._slas.removal())

    def check(self, wanted: Wanted, now: Callable[[], datetime]) -> list[Problem]:
        """Ends early where the credentials are wrong: nothing more can be learnt."""
        try:
            _, theirs = self._agent.me()
            found = clock_problem("clock", theirs, now())
        except (HelpdeskRefused, HelpdeskUnavailable) as error:
            return [_failed("credentials", error)]
        for look in (
            self._right_problems,
            lambda: self._plan_problems(wanted),
            lambda: self._badge_problems(wanted),
        ):
            try:
                found += look()
            except (HelpdeskRefused, HelpdeskUnavailable) as error:
                found.append(_failed("helpdesk", error))
        return found

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
            webhooks = _Lists(self._admin).ours(_WEBHOOK)
            known = next((row.get("signature_token") for row in webhooks), None)
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

    def _thing(self, kind: _Kind, name: str, wanted: Wanted, lists: "_Lists") -> _Thing:
        """What it is to be, with the ids of what it refers to."""
        body: Json = layout.workflow()
        at_first: Json = {"note": layout.MARKER} if kind.noted else {}
        if kind is _WEBHOOK:
            body = layout.webhook(wanted.endpoint, self._secret)
            at_first |= {"ssl_verify": True}
        elif kind is _TRIGGER:
            conditions = layout.trigger_conditions(self._me.id)
            webhooks = lists.ours(_WEBHOOK, layout.WEBHOOK)
            webhook_id = webhooks[0]["id"] if webhooks else None
            body = layout.trigger(conditions[name.removeprefix(layout.TRIGGER_PREFIX)], webhook_id)
        elif kind is _OVERVIEW:
            waiting = {Status.OPEN, Status.PENDING}
            body = layout.overview(state.id for state in self._states() if state.status in waiting)
            at_first |= layout.overview_at_first(self._me.role_ids)
        return _Thing(body, at_first)

    def _steps(self, kind: _Kind, name: str, wanted: Wanted, lists: "_Lists") -> Iterator[Step]:
        try:
            ours = lists.ours(kind, name)
        except HelpdeskRefused as error:
            yield _left_out(kind, error)
            return
        action, detail, remedy = Action.MAKE, "", ""
        if ours:
            other = differing(ours[0], self._thing(kind, name, wanted, lists).body)
            action, detail = (Action.CHANGE, _said(other)) if other else (Action.KEEP, "")
        elif kind is _TRIGGER and any(row.get("name") == name for row in lists.rows(kind)):
            action, detail, remedy = Action.BLOCK, "is somebody else's", "rename or delete it"
        ensure = partial(self._ensure, kind, name, wanted)
        needed = kind.required
        yield Step(kind.label, name, action, detail, remedy, required=needed, apply=ensure)
        yield from (lists.removal(kind, row, "a second one of ours") for row in ours[1:])

    def _ensure(self, kind: _Kind, name: str, wanted: Wanted) -> None:
        lists = _Lists(self._admin)
        ours, thing = lists.ours(kind, name), self._thing(kind, name, wanted, lists)
        if not ours:
            new = {"name": name, **thing.body, **thing.at_first}
            stored = self._admin.create(kind.resource, new)
        elif differing(ours[0], thing.body):
            stored = self._admin.update(f"{kind.resource}/{ours[0]['id']}", thing.body)
        else:
            return
        if other := differing(stored, thing.body):
            raise HelpdeskRefused(
                f"Zammad stored the {kind.label} {name} with another {_said(other)}"
            )

    def _group_reports(self, wanted: Wanted) -> Plan:
        others = unserved(self._admin, self._me.full_in)
        return group_reports(self._me.served, others, wanted.reopen_days)

    def _right_problems(self) -> list[Problem]:
        """What the bridge's own token may do too little, and too much."""
        found = []
        if not self._me.full_in:
            what = "the bridge's user has full access to no group"
            remedy = "make it an agent with full access to every group that gives support"
            found.append(Problem(Severity.PROBLEM, "rights", what, remedy))
        try:
            self._agent.get("users/search", query=layout.WEBHOOK, limit="1")
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
            self._agent.rows(_WEBHOOK.resource)
        except HelpdeskRefused as error:
            if not permission_lacking(error):
                raise
            return False
        return True

    def _plan_problems(self, wanted: Wanted) -> list[Problem]:
        try:
            return problems_in(self.plan(wanted), "set-up", self._remedy)
        except HelpdeskRefused as error:
            return [*self._seen_problems(), self._unplanned(error)]

    def _badge_problems(self, wanted: Wanted) -> list[Problem]:
        if not self._native_slas:
            return []
        return mismatches(self._name, self._agent, self._admin, wanted.promises)

    def _unplanned(self, error: BridgeError) -> Problem:
        """Without a token for it the set-up cannot be looked at, which need not be a mistake."""
        known = self._own_token or not permission_lacking(error)
        severity = Severity.PROBLEM if known else Severity.WARNING
        remedy = "set the secret setup_token while you run this command, to have all looked at"
        if self._own_token:
            optional = set() if self._native_slas else {"calendars", "slas"}
            needed = sorted(PERMISSIONS[name] for name in PERMISSIONS.keys() - optional)
            remedy = f"the setup token needs: {', '.join(needed)}"
        return Problem(severity, "set-up", str(error), remedy)

    def _seen_problems(self) -> list[Problem]:
        missing = self._fields.unseen()
        what = f"its records lack {', '.join(missing)}"
        return [Problem(Severity.PROBLEM, "set-up", what, self._remedy)] if missing else []


class _Lists:
    """Zammad's lists as they are at one moment: each is read once."""

    def __init__(self, admin: ZammadAdmin) -> None:
        self._admin = admin
        self._rows: dict[str, list[Json]] = {}

    def rows(self, kind: _Kind) -> list[Json]:
        """All of that kind, whosever they are."""
        if kind.resource not in self._rows:
            self._rows[kind.resource] = self._admin.rows(kind.resource)
        return self._rows[kind.resource]

    def ours(self, kind: _Kind, name: str | None = None) -> list[Json]:
        """Those with our name and, where there is a note, our marker in it."""
        return [
            row
            for row in self.rows(kind)
            if _has_our_name(kind, str(row.get("name")))
            and (layout.MARKER in str(row.get("note")) or not kind.noted)
            and name in {None, row.get("name")}
        ]

    def removal(self, kind: _Kind, row: Json, detail: str = "") -> Step:
        """The step that deletes it."""
        delete = partial(self._admin.delete, f"{kind.resource}/{row['id']}")
        name = str(row["name"])
        return Step(kind.label, name, Action.REMOVE, detail, required=kind.required, apply=delete)


def _has_our_name(kind: _Kind, name: str) -> bool:
    if kind is _TRIGGER:
        return name.startswith(layout.TRIGGER_PREFIX)
    return (kind, name) in _NAMES


def _leftover_triggers(lists: _Lists) -> Iterator[Step]:
    """Triggers that an earlier version made and this one has no use for."""
    for row in lists.ours(_TRIGGER):
        if (_TRIGGER, row["name"]) not in _NAMES:
            yield lists.removal(_TRIGGER, row, "of an earlier version")


def _doubles(lists: _Lists, wanted: Wanted) -> Iterator[Step]:
    """Webhooks that somebody made by hand for the same receiver."""
    ours = lists.ours(_WEBHOOK)
    for row in lists.rows(_WEBHOOK):
        if row not in ours and row.get("active") and row.get("endpoint") == wanted.endpoint:
            detail = "sends to the bridge as well, so it hears of everything twice"
            remedy = "delete that webhook and the triggers that use it, or make them inactive"
            name = str(row.get("name"))
            yield Step(_WEBHOOK.label, name, Action.REPORT, detail, remedy, required=False)


def _removals(kind: _Kind, lists: _Lists) -> Iterator[Step]:
    try:
        yield from (lists.removal(kind, row) for row in lists.ours(kind))
    except HelpdeskRefused as error:
        yield _left_out(kind, error)


def _left_out(kind: _Kind, error: HelpdeskRefused) -> Step:
    """What the bridge can do without is left out where the token may not do it.

    Raises:
        HelpdeskRefused: it cannot, or it failed for another reason.
    """
    if kind.required or not permission_lacking(error):
        raise error
    detail = f"is left out: the token may not {PERMISSIONS[kind.resource]}"
    remedy = "give the setup token this permission, or do without"
    return Step(kind.label, "of the bridge", Action.REPORT, detail, remedy, required=False)


def _failed(where: str, error: BridgeError) -> Problem:
    remedy = "check the helpdesk's url and token in the settings, and whether it runs"
    return Problem(Severity.PROBLEM, where, str(error), remedy)


def _said(keys: list[str]) -> str:
    """The names of what differs; values may be secrets."""
    return ", ".join({"signature_token": "secret"}.get(key, key) for key in keys)
