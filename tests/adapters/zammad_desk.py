"""A Zammad to be set up: the stand-in behind a mocked transport, and what tests do with it."""

import re
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any

import requests
import responses

from bridge.adapters.provisioning import Action, Plan, Step, Wanted
from bridge.adapters.zammad.adapter import ZammadConfig
from bridge.adapters.zammad.setup.provisioner import ZammadSetup
from bridge.policy.places import Address
from bridge.sandbox.zammad import ADMIN, BRIDGE, Fault, Token, ZammadSandbox
from tests.adapters.keeping import Kept

URL = "https://helpdesk.example"
ENDPOINT = "https://points.example/webhooks/support"
WANTED = Wanted(ENDPOINT, reopen_days=90, home=Address("Europe/Berlin"), today=date(2026, 11, 23))
SECRET = "canary-secret-91c3"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
AUTO_REPLY = "auto reply (on new tickets)"
ATTRIBUTES = "/api/v1/object_manager_attributes"
TABLES = ("Attribute", "Webhook", "Trigger", "Overview", "CoreWorkflow", "Calendar", "Sla")
Row = dict[str, Any]


class Desk:
    """A Zammad as after its installation, with one ticket, behind a mocked transport."""

    def __init__(self, mock: responses.RequestsMock, *, native_slas: bool = False) -> None:
        self.native_slas = native_slas
        self.box = ZammadSandbox(lambda: NOW, transport=lambda _request: 200)
        self._client = self.box.app.test_client()
        # What Zammad answers by itself is a matter of its own: see TestZammadsOwnReplies.
        self.row("Trigger", AUTO_REPLY)["active"] = False
        self.bridge = self.box.model.access.actor(BRIDGE).user
        self.preferences = deepcopy(self.bridge["preferences"])
        self.kept = Kept()
        for method in ("GET", "POST", "PUT", "DELETE"):
            mock.add_callback(method, re.compile(f"{URL}/.*"), callback=self._answer)
        self.box.model.add_organization("Acme GmbH")
        self.box.model.add_customer("Carla", "carla@acme.example", "Acme GmbH")
        self.ticket = self.box.model.customer_mails("carla@acme.example", "Help", "Please.")

    def _answer(
        self, request: requests.PreparedRequest
    ) -> tuple[int, dict[str, str], bytes | Exception]:
        try:
            answer = self._client.open(
                request.path_url,
                method=request.method,
                data=request.body,
                headers={"Authorization": request.headers["Authorization"]},
            )
        except ConnectionResetError:
            return 0, {}, requests.ConnectionError("dropped")
        return answer.status_code, {"Date": f"{NOW:%a, %d %b %Y %H:%M:%S} GMT"}, answer.data

    def setup(
        self,
        *,
        token: str = Token.BRIDGE,
        setup_token: str | None = Token.SETUP,
        secret: str | None = SECRET,
    ) -> ZammadSetup:
        config = ZammadConfig(URL, token, (secret,) if secret else ())
        native = self.native_slas
        return ZammadSetup("support", config, self.kept, setup_token, native_slas=native)

    def rows(self, table: str) -> list[Row]:
        return list(self.box.model.store.tables[table].values())

    def row(self, table: str, name: str) -> Row:
        """Of attributes that tickets and organisations both have, the ticket's."""
        found = [row for row in self.rows(table) if row["name"] == name]
        (one,) = [row for row in found if row.get("object") == "Ticket"] or found
        return one

    def add(self, table: str, **fields: Any) -> Row:
        by = self.box.model.access.actor(ADMIN).id
        fields.pop("id", None)
        return self.box.model.store.insert(table, fields, by)

    def fault(self, fault: Fault, *, after: int = 0) -> None:
        """Let a call fail; `after` so many that do not. What is dropped is dropped twice."""
        self.box.model.faults.add(Fault("*", "*"), times=after)
        self.box.model.faults.add(fault, times=2 if fault.drop else 1)

    def attribute(self, name: str, data_type: str, option: Row, object_: str = "Ticket") -> Row:
        """Somebody else's attribute, not migrated yet."""
        spec = {"object": object_, "name": name, "data_type": data_type, "data_option": option}
        by = self.box.model.access.actor(ADMIN).id
        self.box.model.attributes.create(spec, by)
        return self.row("Attribute", name)

    def state(self) -> dict[str, list[Row]]:
        """What there is, whenever and in whatever order it was made."""
        webhooks = {row["id"]: row["name"] for row in self.rows("Webhook")}
        calendars = {row["id"]: row["name"] for row in self.rows("Calendar")}
        found = {}
        for table in TABLES:
            rows = [
                {key: value for key, value in row.items() if key not in {"id", "position"}}
                for row in self.rows(table)
            ]
            for row in rows:
                hook = row.get("perform", {}).get("notification.webhook")
                if hook:
                    row["perform"] = {"notification.webhook": webhooks[hook["webhook_id"]]}
                if "calendar_id" in row:
                    row["calendar_id"] = calendars.get(row["calendar_id"])
            found[table] = sorted(rows, key=lambda row: (row["name"], str(row.get("object"))))
        found["User"] = [deepcopy(self.bridge)]
        found["Ticket"] = [dict(self.box.model.ticket(self.ticket))]
        return found


def changes(plan: Plan) -> list[tuple[Action, str]]:
    return [(step.action, step.name) for step in plan if step.changes]


def named(plan: Plan, name: str) -> Step:
    found = [step for step in plan if step.name == name]
    (one,) = [step for step in found if step.kind == "ticket field"] or found
    return one


def carry_out(plan: Plan) -> None:
    for step in plan:
        if step.changes:
            step.apply()


def set_up(desk: Desk, setup: ZammadSetup | None = None) -> Plan:
    """Plan and carry out, as the command does."""
    plan = (setup or desk.setup()).plan(WANTED)
    carry_out(plan)
    return plan


CUTS = {
    "500": Fault("*", "*", status=500, body=b'{"error": "Error ID 1"}'),
    "500 after the work was done": Fault("*", "*", status=500, carried_out=True),
    "connection lost": Fault("*", "*", drop=True),
    "connection lost after the work was done": Fault("*", "*", drop=True, carried_out=True),
}


def take_away(desk: Desk) -> Plan:
    plan = desk.setup().removal()
    for step in plan:
        step.apply()
    return plan
