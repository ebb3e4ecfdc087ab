"""What agents see of an account on the customer's own record, in both helpdesks."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.adapters.zendesk import http as zendesk_http
from bridge.demo.scene import CLOUD, HELPDESK, ZAMMAD, Scene, open_scene
from bridge.jobs import run_once
from bridge.ledger import displays
from bridge.sandbox.zammad import Fault
from bridge.sandbox.zendesk import Fault as ZendeskFault
from bridge.service.showing import show_accounts
from tests.e2e.desks import Desk, ZammadDesk
from tests.e2e.helpers import CARLA, DAY, HOUR, bought, dead, on_hand, opened

MINUTE = timedelta(minutes=1)


def zammad(scene: Scene) -> tuple[Any, Any]:
    row = scene.zammad.model.store.first("Organization", name="Acme GmbH")
    assert row
    day = row["points_next_expiry"]
    return row["points_balance"], str(day) if day else None


def zendesk(desks: Scene) -> tuple[Any, Any]:
    row = desks.zendesk.model.store.first("organizations", name="Acme")
    assert row
    fields = row["organization_fields"]
    return fields.get("points_balance"), fields.get("points_next_expiry")


def writes(scene: Scene) -> int:
    calls = scene.zammad.model.calls
    return sum(c.method == "PUT" and "/organizations/" in c.path for c in calls)


def zendesk_writes(desks: Scene) -> int:
    calls = desks.zendesk.model.calls
    return sum(c.method == "PUT" and "/organizations/" in c.path for c in calls)


def test_both_helpdesks_show_one_balance(desks: Scene) -> None:
    bought(desks, "Acme GmbH", 30)
    desks.wait(MINUTE)
    assert zammad(desks) == zendesk(desks) == (30, "2027-11-23")
    desks.zendesk.model.customer_mails(CARLA, "Help", "Please.")
    desks.settle()
    desks.wait(MINUTE)
    assert zammad(desks) == zendesk(desks) == (20, "2027-11-23")


def test_points_that_expire_are_gone_from_the_record_without_a_booking(desks: Scene) -> None:
    """Expiry entries are booked days later; what is shown does not wait for them."""
    bought(desks, "Acme GmbH", 30)
    desks.wait(MINUTE)
    desks.wait(365 * DAY + 14 * HOUR)
    assert on_hand(desks, "Acme GmbH") == 0
    assert zammad(desks)[0] == zendesk(desks)[0] == 0
    assert zammad(desks)[1] is zendesk(desks)[1] is None


def test_many_bookings_take_one_write(desks: Scene) -> None:
    """ "Update budgets (... organisations 5/min): balance writes coalesced" """
    desks.wait(MINUTE)
    before = writes(desks), zendesk_writes(desks)
    for number in range(7):
        bought(desks, "Acme GmbH", 10, f"INV-{number}")
    desks.wait(MINUTE)
    assert (writes(desks), zendesk_writes(desks)) == (before[0] + 1, before[1] + 1)
    assert zammad(desks)[0] == zendesk(desks)[0] == 70


def test_an_organisation_is_written_five_times_in_a_minute_at_most(
    desks: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zendesk refuses a sixth, and is not even asked for it."""
    monkeypatch.setattr(zendesk_http, "UPDATES_PER_ORGANIZATION", 10**6)  # counts real time
    desks.wait(MINUTE)
    before = zendesk_writes(desks)
    for number in range(60):
        bought(desks, "Acme GmbH", 10, f"INV-{number}")
        desks.clock.move(timedelta(seconds=1))
        show_accounts(desks.bridge)
    assert zendesk_writes(desks) - before <= 5
    desks.wait(MINUTE)
    assert zendesk(desks)[0] == 600
    unshown = desks.bridge.db.read(lambda conn: displays.problems(conn, [HELPDESK, CLOUD]))
    assert unshown == {}


def test_what_somebody_types_over_it_is_repaired_within_a_day(desks: Scene) -> None:
    """ "whatever is written into them by hand is repaired from the ledger" """
    bought(desks, "Acme GmbH", 30)
    desks.wait(MINUTE)
    row = desks.zammad.model.store.first("Organization", name="Acme GmbH")
    assert row
    row["points_balance"] = 9999
    desks.wait(DAY)
    assert zammad(desks)[0] == 30


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        (Fault("PUT", "/api/v1/organizations/*", status=403, body=b'{"error": "no"}'), HOUR),
        (Fault("PUT", "/api/v1/organizations/*", status=503), MINUTE),
        (Fault("PUT", "/api/v1/organizations/*", drop=True, carried_out=True), MINUTE),
    ],
    ids=["refused", "unavailable", "answer lost"],
)
def test_what_fails_is_told_and_tried_again_and_is_no_dead_letter(
    desks: Scene, fault: Fault, wait: timedelta
) -> None:
    bought(desks, "Acme GmbH", 30)
    desks.zammad.model.faults.add(fault)
    run_once(desks.bridge)
    unshown = desks.bridge.db.read(lambda conn: displays.problems(conn, [HELPDESK, CLOUD]))
    assert list(unshown) == [HELPDESK]
    assert zendesk(desks)[0] == 30
    desks.wait(wait)
    assert zammad(desks)[0] == 30
    assert dead(desks) == []
    assert desks.bridge.db.read(lambda conn: displays.problems(conn, [HELPDESK])) == {}


def test_a_zendesk_that_is_down_does_not_hold_up_the_other(desks: Scene) -> None:
    for number in range(3):
        desks.zendesk.model.add_organization(f"Firm {number}")
    bought(desks, "Acme GmbH", 30)
    desks.zendesk.model.faults.add(ZendeskFault("PUT", "*", status=503), times=99)
    run_once(desks.bridge)
    assert zammad(desks)[0] == 30
    assert zendesk_writes(desks) == 1


def test_an_opened_ticket_waits_for_no_display(desks: Scene) -> None:
    bought(desks, "Acme GmbH", 30)
    desks.zammad.model.faults.add(Fault("PUT", "/api/v1/organizations/*", status=503), times=99)
    opened(ZammadDesk(desks))
    assert on_hand(desks, "Acme GmbH") == 20


def test_where_it_is_not_wanted_nothing_is_written(tmp_path: Path) -> None:
    stand = replace(ZAMMAD, table=f"{ZAMMAD.table}show_balance = false\n")
    with open_scene(tmp_path, stand) as scene:
        desk = ZammadDesk(scene)
        record = desk.adds("Acme GmbH", ("Carla", CARLA))
        bought(scene, "Acme GmbH", 30)
        opened(desk)
        scene.wait(HOUR)
        row = desk.model.store.get("Organization", record)
        assert (writes(scene), "points_balance" in row) == (0, False)


def test_a_helpdesk_says_whether_it_has_a_record(desk: Desk) -> None:
    record = desk.adds("Beta Ltd", ("Bea", "bea@beta.example"))
    adapter = desk.bridge.helpdesk(desk.name).adapter
    assert adapter.knows(f"organization:{record}")
    assert not adapter.knows("organization:987654321")
    assert not adapter.knows("person:987654321")
