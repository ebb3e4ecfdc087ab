"""`points-bridge doctor` finds what is wrong with the receiver, the queues and the database."""

import pytest

from bridge.demo.scene import HELPDESK
from bridge.sandbox.zammad import Token
from tests.cli.conftest import WEBHOOK_SECRET, Patient
from tests.cli.planted import Planted, found_with_its_remedy, name_of


def receiver_down(well: Patient) -> None:
    well.rewrite(f'public_url = "{well.scene.receiver}"', 'public_url = "http://127.0.0.1:9"')


def something_else_at_the_address(well: Patient) -> None:
    well.rewrite(
        f'public_url = "{well.scene.receiver}"', f'public_url = "{well.scene.urls[HELPDESK]}"'
    )


def receiver_with_old_settings(well: Patient) -> None:
    well.rewrite("[helpdesks.support]", "[helpdesks.renamed]")
    for secret in ("TOKEN", "WEBHOOK_SECRET"):
        value = {"TOKEN": Token.BRIDGE, "WEBHOOK_SECRET": WEBHOOK_SECRET}[secret]
        well.monkeypatch.setenv(f"POINTS_BRIDGE_RENAMED_{secret}", value)


def no_public_url(well: Patient) -> None:
    well.rewrite(f'public_url = "{well.scene.receiver}"', "")


def receiver_down_and_no_secret(well: Patient) -> None:
    receiver_down(well)
    well.monkeypatch.delenv("POINTS_BRIDGE_SUPPORT_WEBHOOK_SECRET")


def dead_letter_that_nobody_can_read(well: Patient) -> None:
    well.sql("UPDATE inbox SET state = 'dead', ticket_id = NULL")


def dead_letter(well: Patient) -> None:
    well.sql("UPDATE inbox SET state = 'dead'")


def organisation_that_cannot_be_written(well: Patient) -> None:
    well.sql("UPDATE displays SET problem = 'PUT /organizations/2: forbidden'")


def stuck_work(well: Patient) -> None:
    well.sql("UPDATE inbox SET state = 'queued', received_at = '2026-01-01T00:00:00.000000Z'")


def damaged_ledger(well: Patient) -> None:
    well.sql("DROP TRIGGER guard_lot_update")


def unreadable_ledger(well: Patient) -> None:
    well.sql("UPDATE inbox SET state = 'queued', received_at = 'canary'")


def database_without_tables(well: Patient) -> None:
    well.rewrite("[defaults]", 'database = "sqlite:///empty.db"\n[defaults]')
    well.settings.with_name("empty.db").touch()


def no_database(well: Patient) -> None:
    well.rewrite("[defaults]", 'database = "sqlite:///absent.db"\n[defaults]')


def no_database_but_a_text(well: Patient) -> None:
    well.rewrite("[defaults]", 'database = "sqlite:///a.txt"\n[defaults]')
    well.settings.with_name("a.txt").write_text("not a database, whatever it is called" * 99)


PLANTED: list[Planted] = [
    (receiver_down, "problem", "/health/ready", "is `points-bridge serve` running"),
    (something_else_at_the_address, "problem", "answers 404", "check public_url"),
    (receiver_with_old_settings, "problem", "no such helpdesk", "start the receiver anew"),
    (no_public_url, "warning", "not known how helpdesks reach", "set public_url in [listen]"),
    (receiver_down_and_no_secret, "problem", "/health/ready", "is `points-bridge serve` running"),
    (dead_letter_that_nobody_can_read, "problem", "name no ticket", "queues discard inbox"),
    (dead_letter, "problem", "dead letters wait", "points-bridge queues list --state dead"),
    (organisation_that_cannot_be_written, "warning", "do not show their points", "show_balance"),
    (stuck_work, "problem", "has been queued for", "is `points-bridge serve`"),
    (damaged_ledger, "problem", "guard guard_lot_update", "restore the last sound"),
    (unreadable_ledger, "problem", "cannot be read (ValueError)", "or its backup"),
    (database_without_tables, "problem", "not there yet", "which brings it up to date"),
    (no_database, "problem", "not there yet", "which brings it up to date"),
    (no_database_but_a_text, "problem", "is not an SQLite database", "check `database`"),
]


@pytest.mark.parametrize("planted", PLANTED, ids=name_of)
def test_a_planted_fault_is_found_with_its_remedy(well: Patient, planted: Planted) -> None:
    found_with_its_remedy(well, planted)
