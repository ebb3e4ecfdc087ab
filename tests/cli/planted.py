"""Faults that a test plants in a deployment that is well, for `points-bridge doctor` to find."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.cli.conftest import WEBHOOK_SECRET, Patient


def problems(found: Mapping[str, Any], severity: str) -> list[dict[str, str]]:
    return [one for one in found["problems"] if one["severity"] == severity]


#: The fault, how bad it is, what is said of it, what to do about it.
Planted = tuple[Callable[[Patient], None], str, str, str]


def name_of(planted: Planted) -> str:
    """The name of a test with that fault."""
    return f"{planted[0].__name__}: {planted[2]}"


def found_with_its_remedy(well: Patient, planted: Planted) -> None:
    """Plant a fault: it must be found, told with what to do, and no secret with it."""
    plant, severity, what, remedy = planted
    plant(well)
    code, out, err = well.run("doctor", "--json")
    assert (code, "Traceback" in err) == (1 if severity == "problem" else 0, False)
    found = json.loads(out)
    about = [one for one in problems(found, severity) if what in one["what"]]
    assert about, found["problems"]
    assert any(remedy in one["remedy"] for one in about), about
    assert found["ok"] is (severity != "problem")
    assert not any(secret in out for secret in ("canary", WEBHOOK_SECRET))
