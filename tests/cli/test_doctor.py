"""`points-bridge doctor`: it cries no wolf, changes nothing, and speaks to people and scripts."""

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from bridge import bootstrap
from bridge.adapters.registry import VENDORS
from bridge.adapters.zammad.setup.layout import TRIGGER_PREFIX
from bridge.demo.scene import HELPDESK
from bridge.sandbox.zammad import Token
from tests.cli.conftest import Patient, Run, of
from tests.cli.planted import problems


def test_a_healthy_deployment_has_no_problems_and_no_warnings(well: Patient) -> None:
    found = of(well.run, "doctor")
    assert found["ok"] is True
    assert problems(found, "problem") == problems(found, "warning") == []
    assert found["figures"]["queues"]["inbox"] == {"done": 1}
    assert found["figures"]["schema"]
    code, out, _ = well.run("doctor", HELPDESK)
    assert (code, "Nothing must be mended." in out) == (0, True)
    assert "queues: inbox 1 done; outbox 1 done" in out
    assert "{" not in out


def test_looking_changes_nothing(well: Patient) -> None:
    calls = len(well.scene.zammad.model.calls)
    before = of(well.run, "queues", "list", "--state", "done")
    of(well.run, "doctor")
    assert {call.method for call in well.scene.zammad.model.calls[calls:]} == {"GET"}
    assert of(well.run, "queues", "list", "--state", "done") == before


def test_looking_for_a_database_makes_none(well: Patient) -> None:
    well.rewrite("[defaults]", 'database = "sqlite:///absent.db"\n[defaults]')
    well.run("doctor")
    assert not well.settings.with_name("absent.db").exists()


def test_a_fault_is_shown_to_people_as_well(well: Patient) -> None:
    gone = well.row("Trigger", f"{TRIGGER_PREFIX}state changed")
    del well.scene.zammad.model.store.tables["Trigger"][gone["id"]]
    code, out, _ = well.run("doctor")
    assert code == 1
    assert "1 problem, 0 warnings" in out
    assert "run `points-bridge setup support`" in " ".join(out.split())


def test_a_helpdesk_that_is_set_up_by_hand_is_left_out(well: Patient) -> None:
    by_hand = {name: replace(vendor, provisioner=None) for name, vendor in VENDORS.items()}
    well.monkeypatch.setattr(bootstrap, "VENDORS", MappingProxyType(by_hand))
    found = of(well.run, "doctor")
    assert [one["where"] for one in problems(found, "note") if "by hand" in one["what"]] == [
        HELPDESK
    ]


def test_what_helpdesks_share_is_told_once(well: Patient) -> None:
    well.rewrite(
        "[listen]",
        '[helpdesks.west]\nvendor = "zammad"\nurl = "http://127.0.0.1:9"\n[listen]',
    )
    for secret in ("TOKEN", "SETUP_TOKEN", "WEBHOOK_SECRET"):
        well.monkeypatch.setenv(f"POINTS_BRIDGE_WEST_{secret}", f"{Token.SETUP}-0123456789")
    well.rewrite(f'public_url = "{well.scene.receiver}"', 'public_url = "http://127.0.0.1:9"')
    found = json.loads(well.run("doctor", "--json")[1])
    where = [one["where"] for one in problems(found, "problem")]
    assert (where.count("receiver"), where.count("west: signature")) == (1, 1)


def test_a_helpdesk_that_is_not_configured_is_named(run: Run, settings: Path) -> None:
    code, _, err = run("doctor", "nowhere")
    assert (code, "no helpdesk 'nowhere'" in err) == (1, True)
