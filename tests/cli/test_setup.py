"""`points-bridge setup`: what it shows, asks, makes, proves and takes away."""

import io
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from bridge import bootstrap
from bridge.adapters.provisioning import TRIAL_TITLE, Step
from bridge.adapters.registry import VENDORS
from bridge.adapters.zammad.setup.layout import TRIGGER_PREFIX
from bridge.cli import setup as command
from bridge.demo.scene import HELPDESK, Scene
from bridge.sandbox.zammad import ADMIN, Fault, Token
from bridge.setup import prove as proving
from bridge.setup.plan import Applied, apply
from bridge.worker import drain
from tests.cli.conftest import WEBHOOK_SECRET, Run, of

SETUP = ("setup", HELPDESK)


def triggers(scene: Scene) -> list[str]:
    """The names of our triggers in the helpdesk."""
    rows = scene.zammad.model.store.tables["Trigger"].values()
    return [row["name"] for row in rows if row["name"].startswith(TRIGGER_PREFIX)]


def changing_calls(scene: Scene) -> int:
    return sum(call.method != "GET" for call in scene.zammad.model.calls)


def answered(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_dry_run_shows_everything_and_changes_nothing(run: Run, bare: Scene) -> None:
    code, out, _ = run(*SETUP, "--dry-run")
    assert code == 0
    for name in ("points_state", "support_timezone", "migration", "webhook", "Points: due"):
        assert name in out
    assert changing_calls(bare) == 0
    planned = of(run, *SETUP, "--dry-run")
    assert (planned["changes"], len(planned["plan"])) == (0, 34)


def test_setup_makes_it_and_then_finds_nothing_to_do(run: Run, bare: Scene) -> None:
    code, out, _ = run(*SETUP, "--yes")
    assert code == 0
    assert "33/34 made core workflow" in out
    assert "start `points-bridge serve`" in out
    assert len(triggers(bare)) == 8
    again = of(run, *SETUP, "--yes")
    assert (again["changes"], again["failed"]) == (0, None)
    assert {step["action"] for step in again["plan"]} == {"keep"}
    _, out, _ = run(*SETUP)
    assert "Nothing is to be done." in out


@pytest.mark.parametrize(("answer", "code", "made"), [("n\n", 1, 0), ("", 1, 0), ("y\n", 0, 8)])
def test_setup_asks_before_it_changes_anything(
    run: Run, bare: Scene, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, made: int
) -> None:
    answered(monkeypatch, answer)
    assert run(*SETUP)[0] == code
    assert len(triggers(bare)) == made


def test_the_public_address_may_be_given_with_the_command(run: Run, bare: Scene) -> None:
    of(run, *SETUP, "--yes", "--url", "https://points.example.com/bridge/")
    (hook,) = bare.zammad.model.store.tables["Webhook"].values()
    assert hook["endpoint"] == "https://points.example.com/bridge/webhooks/support"


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("--json",), 2, "--json cannot ask"),
        (("--prove", "--remove"), 2, "--prove goes with neither"),
        (("--prove", "--dry-run"), 2, "--prove goes with neither"),
        (("--url", "points.example.com"), 1, "--url is not a web address; write https://host"),
        (("--url", "https://points.example.com/webhooks/support"), 1, "--url holds the path of"),
        (("--url", "http://points.example.com"), 1, "write https://"),
        (("--url", "https://a:b@points.example.com"), 1, "--url holds more than an address"),
        ((), 1, "set public_url in [listen], or give --url"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_said(
    run: Run, settings: Path, arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    got, out, err = run(*SETUP, *arguments)
    said = " ".join((out + err).replace("│", " ").split())
    assert (got, complaint in said) == (code, True), err


def test_a_helpdesk_that_is_not_configured_is_named(run: Run, settings: Path) -> None:
    code, _, err = run("setup", "nowhere", "--dry-run")
    assert (code, "no helpdesk 'nowhere'" in err) == (1, True)


def without_provisioner() -> Mapping[str, Any]:
    by_hand = {name: replace(vendor, provisioner=None) for name, vendor in VENDORS.items()}
    return MappingProxyType(by_hand)


def test_a_vendor_without_setup_is_set_up_by_hand(
    run: Run, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "VENDORS", without_provisioner())
    code, _, err = run(*SETUP, "--dry-run")
    assert (code, "is set up by hand" in err) == (1, True)


def test_what_stops_it_is_told_and_nothing_is_changed(run: Run, bare: Scene) -> None:
    model = bare.zammad.model
    spec = {"object": "Ticket", "name": "cost_centre", "data_type": "input", "data_option": {}}
    model.attributes.create(spec, 3)
    code, out, err = run(*SETUP, "--yes")
    assert code == 1
    assert "cost_centre" in out
    assert "cost_centre" in err
    assert "nothing was changed" in err
    assert changing_calls(bare) == 0


def test_a_failure_half_way_is_told_and_the_next_run_goes_on(run: Run, bare: Scene) -> None:
    bare.zammad.model.faults.add(Fault("POST", "/api/v1/triggers", status=502), times=1)
    code, out, err = run(*SETUP, "--yes")
    assert code == 1
    assert "made webhook points-bridge" in out
    assert "trigger zz-points-bridge: created" in err
    assert "run the same command again" in " ".join(err.split())
    again = of(run, *SETUP, "--yes")
    assert (again["changes"], len(triggers(bare))) == (19, 8)


def test_what_is_optional_may_be_refused(run: Run, bare: Scene) -> None:
    """An overview is a convenience: a Zammad that does not take ours is set up all the same."""
    body = b'{"error": "Invalid ticket selector conditions"}'
    bare.zammad.model.faults.add(Fault("POST", "/api/v1/overviews", status=422, body=body))
    code, out, err = run(*SETUP, "--yes")
    assert (code, "the bridge works without it" in " ".join(err.split())) == (0, True)
    assert "33/34 made core workflow" in out
    bare.zammad.model.faults.add(Fault("POST", "/api/v1/overviews", status=422, body=body))
    code, out, _ = run(*SETUP, "--yes", "--json")
    assert (code, '"left_out": [\n    "overview' in out) == (0, True)


def test_a_failure_is_in_the_json_too(run: Run, bare: Scene) -> None:
    bare.zammad.model.faults.add(Fault("POST", "/api/v1/webhooks", status=502))
    code, out, _ = run(*SETUP, "--yes", "--json")
    assert (code, '"failed": "webhook points-bridge: POST /api/v1/webhooks' in out) == (1, True)


def test_removing_takes_the_webhook_and_triggers_and_leaves_the_fields(
    run: Run, bare: Scene
) -> None:
    of(run, *SETUP, "--yes")
    fields = len(bare.zammad.model.store.tables["Attribute"])
    removed = of(run, *SETUP, "--remove", "--yes")
    assert (removed["changes"], triggers(bare)) == (19, [])
    assert not bare.zammad.model.store.tables["Webhook"]
    assert len(bare.zammad.model.store.tables["Attribute"]) == fields == 13
    assert of(run, *SETUP, "--remove", "--yes")["plan"] == []


@pytest.fixture
def worked(bare: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """While a command waits, the bridge works."""

    def sleep(_seconds: float) -> None:
        assert bare.zammad.webhooks.wait_until_idle(30)
        drain(bare.bridge)

    monkeypatch.setattr(command, "time", SimpleNamespace(sleep=sleep))
    return bare


def test_proving_shows_that_every_event_reaches_the_receiver(run: Run, worked: Scene) -> None:
    before = len(worked.zammad.model.store.tables["Ticket"])
    proved = of(run, *SETUP, "--yes", "--prove")["proved"]
    assert [one["arrived"] for one in proved] == [True] * 7 + [None]
    assert {one["event"] for one in proved} == set(triggers(worked))
    _, out, _ = run(*SETUP, "--prove")
    assert out.count("arrived zz-points-bridge") == 7
    assert len(worked.zammad.model.store.tables["Ticket"]) == before


def test_proving_mails_few_and_says_so_before(run: Run, worked: Scene) -> None:
    of(run, *SETUP, "--yes")
    worked.zammad.model.notifications.mails.clear()
    _, out, _ = run(*SETUP, "--yes", "--prove")
    announced = re.search(
        r"that user alone is mailed about them, (\d+) times", " ".join(out.split())
    )
    mails = worked.zammad.model.notifications.mails
    actor = worked.zammad.model.access.actor(ADMIN).user
    assert {mail.to for mail in mails} <= {actor["email"]}
    assert announced
    assert len(mails) <= int(announced[1])


def test_what_the_bridges_own_user_cannot_prove_is_told_and_is_no_failure(
    run: Run, worked: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor may it delete what it has opened."""
    monkeypatch.setenv("POINTS_BRIDGE_SUPPORT_SETUP_TOKEN", Token.SETUP)
    code, out, _ = run(*SETUP, "--yes", "--prove")
    assert (code, out.count("not tried"), out.count("arrived ")) == (0, 5, 3)
    assert "could not be deleted" in out


def test_what_was_proved_is_told_though_a_test_ticket_cannot_be_deleted_now(
    run: Run, worked: Scene
) -> None:
    """Nor is that laid to the credentials, or the ticket called closed."""
    of(run, *SETUP, "--yes")
    worked.zammad.model.faults.add(Fault("DELETE", "/api/v1/tickets/*", status=503), times=9)
    code, out, _ = run(*SETUP, "--yes", "--prove")
    assert (code, out.count("arrived zz-points-bridge")) == (0, 7)
    assert re.search(r"could not be deleted: \d+, \d+; delete them by hand", " ".join(out.split()))


def test_an_event_that_never_arrives_fails_the_proof_once(
    run: Run, bare: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zammad accepts a trigger that never fires: only a test ticket tells."""
    of(run, *SETUP, "--yes")
    slept: list[float] = []
    monkeypatch.setattr(command, "time", SimpleNamespace(sleep=slept.append))
    bare.zammad.webhooks.stop()
    code, out, _ = run(*SETUP, "--yes", "--prove")
    assert (code, out.count("did not arrive"), out.count("the first one did not")) == (1, 7, 6)
    assert "is the receiver running" in " ".join(out.split())
    assert sum(slept) == proving.PATIENCE
    bare.zammad.webhooks.start()


def test_without_a_receiver_no_test_ticket_is_opened(run: Run, bare: Scene) -> None:
    of(run, *SETUP, "--yes")
    before = len(bare.zammad.model.store.tables["Ticket"])
    code, _, err = run(*SETUP, "--yes", "--prove", "--url", "http://127.0.0.1:9")
    said = " ".join(err.split())
    assert (code, len(bare.zammad.model.store.tables["Ticket"])) == (1, before)
    assert "no test ticket was opened: nobody would hear of it" in said
    assert "start `points-bridge serve`" in said


def test_a_trial_that_the_helpdesk_refuses_fails_the_proof(run: Run, worked: Scene) -> None:
    of(run, *SETUP, "--yes")
    tickets = worked.zammad.model.store.tables["Ticket"]
    refused = Fault("PUT", "/api/v1/ticket_merge/*", status=200, body=b'{"result": "failed"}')
    worked.zammad.model.faults.add(refused)
    code, out, _ = run(*SETUP, "--prove")
    assert (code, "does not merge" in out) == (1, True)
    assert "received a merge: the merge of the test tickets did not come about" in out
    assert not [row for row in tickets.values() if row["title"] == TRIAL_TITLE]


def test_native_slas_are_made_and_taken_away_by_the_setting(
    run: Run, bare: Scene, settings: Path
) -> None:
    of(run, *SETUP, "--yes")
    zone = {"support_timezone": "America/Toronto", "support_country": "CA"}
    bare.zammad.model.add_organization("Maple Inc", **zone)
    bare.zammad.model.add_organization("Odd Ltd", support_timezone="Berlin")
    plain = settings.read_text(encoding="utf-8")
    table = "[helpdesks.support]"
    settings.write_text(plain.replace(table, f"{table}\nnative_slas = true"), encoding="utf-8")
    planned = {step["name"]: step["why"] for step in of(run, *SETUP, "--dry-run")["plan"]}
    year = datetime.now(UTC).year
    assert planned["zz-points-bridge America/Toronto, CA"] == (
        f"public holidays of {year} to {year + 2}"
    )
    assert planned["zz-points-bridge 4: everybody else"] == ""
    assert "unknown time zone 'Berlin'" in planned["Odd Ltd"]
    made = of(run, *SETUP, "--yes")
    assert (made["changes"], made["failed"], made["left_out"]) == (4, None, [])
    assert of(run, *SETUP, "--yes")["changes"] == 0
    settings.write_text(plain, encoding="utf-8")
    gone = of(run, *SETUP, "--yes")
    assert [step["kind"] for step in gone["plan"] if step["action"] == "remove"] == (
        ["SLA"] * 2 + ["calendar"] * 2
    )
    tables = bare.zammad.model.store.tables
    assert tables["Sla"] == tables["Calendar"] == {}


def test_no_output_tells_a_secret(run: Run, bare: Scene) -> None:
    for arguments in (("--dry-run",), ("--yes",), ("--dry-run", "--json"), ("--remove", "--yes")):
        code, out, err = run(*SETUP, *arguments)
        assert code == 0
        assert not any(secret in out + err for secret in (WEBHOOK_SECRET, *Token))


def test_the_plan_names_what_is_right_and_from_what_to_what_it_changes(
    run: Run, bare: Scene
) -> None:
    of(run, *SETUP, "--yes")
    (hook,) = bare.zammad.model.store.tables["Webhook"].values()
    _, out, _ = run(*SETUP, "--dry-run", "--url", "https://points.example.com")
    wanted = "https://points.example.com/webhooks/support"
    assert f"endpoint: {hook['endpoint']} → {wanted}" in out
    assert "As they must be: ticket field points_summary" in out
    _, out, _ = run(*SETUP, "--dry-run")
    assert f"webhook points-bridge (sends to {hook['endpoint']})" in out


def test_an_interruption_says_where_it_stopped(
    run: Run, bare: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(steps: Sequence[Step]) -> Iterator[Applied]:
        for number, done in enumerate(apply(steps)):
            if number == 3:
                raise KeyboardInterrupt
            yield done

    monkeypatch.setattr(command, "apply", interrupted)
    code, _, err = run(*SETUP, "--yes")
    said = " ".join(err.split())
    assert (code, "Traceback" in said) == (130, False)
    assert "stopped at 4 of" in said
    assert "Run the same command again: it goes on from there" in said


def test_removing_says_what_stays_and_what_becomes_of_held_tickets(
    run: Run, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTS_BRIDGE_SUPPORT_SETUP_TOKEN", Token.ADMIN)
    scene.zammad.model.add_customer("Carla", "carla@acme.example")
    scene.zammad.model.customer_mails("carla@acme.example", "Help", "Please.")
    scene.settle()
    _, out, _ = run(*SETUP, "--remove", "--dry-run")
    said = " ".join(out.split())
    assert "agents can edit them then: what keeps them read-only goes. Add --hide-fields" in said
    assert "1 tickets wait for points: nothing more is heard of them" in said
    _, out, _ = run(*SETUP, "--remove", "--hide-fields", "--dry-run")
    assert "is hidden; its values stay" in " ".join(out.split())
    assert run(*SETUP, "--hide-fields", "--dry-run")[0] == 2
