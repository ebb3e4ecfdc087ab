"""A Zendesk as it is sold, on the stand-in over loopback, and what a set-up makes of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bridge.adapters.provisioning import Action, Plan, Problem, Step, Wanted
from bridge.adapters.zendesk.adapter import ZendeskConfig
from bridge.adapters.zendesk.setup import layout
from bridge.adapters.zendesk.setup.provisioner import ZendeskSetup
from bridge.sandbox.serve import serve
from bridge.sandbox.zendesk import ADMIN, BRIDGE, Client, ZendeskSandbox
from tests.adapters.keeping import Kept

ENDPOINT = "https://points.example/webhooks/support"
WANTED = Wanted(ENDPOINT)
SECRET = "canary-secret-91c3"
HOOKS = (layout.HOOK, layout.EVENTS_HOOK)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
CREATED, CHANGED = (layout.TRIGGER_PREFIX + event for event in ("created", "changed"))
Row = dict[str, Any]


class Desk:
    """A Zendesk as it is sold, served on loopback, and the secrets that the commands find.

    `kept` are those that a set-up kept; `environ` those that an admin has in the environment.
    """

    def __init__(self) -> None:
        self.url = ""
        self.renew()

    def renew(self) -> None:
        """Begin again with an empty account, at the same address."""
        self.box = ZendeskSandbox(lambda: NOW, transport=lambda _request: 200)
        self.box.model.limits.webhooks = self.box.model.limits.account = 10_000
        self.box.model.access.actor(BRIDGE).user["role"] = "agent"
        self.environ: dict[str, str] = {}
        self.kept = Kept()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.box.app(environ, start_response)

    def config(self, client: Client = Client.BRIDGE, **changes: Any) -> ZendeskConfig:
        secrets = tuple({**self.kept, **self.environ}.values())
        config = ZendeskConfig(self.url, secrets, client.value, client.secret)
        return replace(config, **changes)

    def setup(
        self, config: ZendeskConfig | None = None, own: ZendeskConfig | None = None
    ) -> ZendeskSetup:
        """As the commands have it at this moment, with a setup client of its own."""
        held = Kept(*self.environ)
        held.keep = self.kept.keep  # type: ignore[method-assign]  # one place for all
        own = own or self.config(Client.SETUP)
        return ZendeskSetup("support", config or self.config(), held, own, lambda: NOW, _no_wait)

    def setup_without_client(self) -> ZendeskSetup:
        """The same with nothing but the credential that the bridge runs with."""
        return ZendeskSetup("support", self.config(), self.kept, None, lambda: NOW, _no_wait)

    def rows(self, table: str) -> list[Row]:
        if table == "webhooks":
            return list(self.box.model.hooks.rows.values())
        return list(self.box.model.store.tables[table].values())

    def row(self, table: str, name: str) -> Row:
        (found,) = [row for row in self.rows(table) if name in {row.get("title"), row.get("name")}]
        return found

    def add_webhook(self, *, subscription: str = layout.BY_TRIGGERS[0], **changes: str) -> Row:
        spec = {"name": layout.WEBHOOK, "endpoint": ENDPOINT, "status": "active"}
        spec |= {"http_method": "POST", "request_format": "json", **changes}
        by = self.box.model.access.actor(ADMIN).id
        row: Row = self.box.model.hooks.create({**spec, "subscriptions": [subscription]}, by)
        return row

    def add_trigger(self, title: str, webhook: Row, description: str | None = None) -> Row:
        action = {"field": "notification_webhook", "value": [webhook["id"], "{}"]}
        spec = {"title": title, "description": description, "actions": [action]}
        conditions = layout.trigger_conditions()["changed"]
        return self.box.model.rules.create("triggers", {**spec, "conditions": conditions})

    def secret(self, name: str = layout.WEBHOOK) -> str:
        """The signing secret that Zendesk made for a webhook."""
        return self.box.model.hooks.secret(self.row("webhooks", name)["id"])

    def state(self) -> dict[str, list[Row]]:
        """What there is, whenever it was made, and whatever ids it was given."""
        names = {row["id"]: row["name"] for row in self.rows("webhooks")}
        found = {}
        fields = {str(row["id"]): row["title"] for row in self.rows("ticket_fields")}
        for table in ("ticket_fields", "organization_fields", "webhooks", "triggers", "views"):
            rows = [_without_ids(deepcopy(row), names | fields) for row in self.rows(table)]
            found[table] = sorted(rows, key=lambda row: str(row.get("title") or row.get("name")))
        secrets = {
            hook.secret: self.secret(hook.name) for hook in HOOKS if hook.name in names.values()
        }
        kept = {key: self.kept.get(key) == secret for key, secret in secrets.items()}
        return found | {"secrets kept": [kept]}


def _without_ids(row: Row, names: dict[str, str]) -> Row:
    """Ids of other records are replaced by their names."""
    for option in row.get("custom_field_options", []):
        del option["id"]
    for action in row.get("actions", []):
        action["value"][0] = names.get(action["value"][0])
    if output := row.get("output"):
        output["sort_by"] = names.get(output["sort_by"], output["sort_by"])
        output["columns"] = [names.get(str(column), column) for column in output["columns"]]
    conditions = row.get("conditions", {})
    for condition in [*conditions.get("any", []), *conditions.get("all", [])]:
        prefix, _, field_id = condition["field"].rpartition("_")
        condition["field"] = f"{prefix}_{names.get(field_id, field_id)}"
    return {key: value for key, value in row.items() if key not in {"id", "position"}}


def _no_wait(_seconds: float) -> None:
    """Zendesk's background jobs are done at once here."""


@contextmanager
def opened_account() -> Iterator[Desk]:
    """An account that is served until the end of the block."""
    desk = Desk()
    with serve(desk) as url:
        desk.url = url
        yield desk


def changes(plan: Plan) -> list[tuple[Action, str]]:
    return [(step.action, step.name) for step in plan if step.changes]


def named(plan: Plan, name: str, kind: str) -> list[Step]:
    return [step for step in plan if (step.name, step.kind) == (name, kind)]


def set_up(desk: Desk) -> Plan:
    """Plan and carry out, as the command does."""
    plan = desk.setup().plan(WANTED)
    for step in plan:
        if step.changes:
            step.apply()
    return plan


def take_away(desk: Desk) -> Plan:
    plan = desk.setup().removal()
    for step in plan:
        step.apply()
    return plan


def check(desk: Desk, setup: ZendeskSetup | None = None) -> list[Problem]:
    # The loopback server tells the machine's time.
    return (setup or desk.setup()).check(WANTED, lambda: datetime.now(UTC))
