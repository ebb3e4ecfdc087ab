"""Planning a set-up and carrying it out, without any helpdesk."""

from collections.abc import Callable
from typing import Any

import pytest

from bridge.adapters.provisioning import Action, Plan, Step, Wanted
from bridge.errors import BadRequest, BridgeError, HelpdeskRefused, HelpdeskUnavailable
from bridge.setup.plan import apply, changes, plan, removal


class Carried(list[str]):
    """The names of the steps that were carried out."""

    def step(self, name: str, error: BridgeError | None = None, *, required: bool = True) -> Step:
        def act() -> None:
            if error:
                raise error
            self.append(name)

        return Step("trigger", name, Action.MAKE, required=required, apply=act)


@pytest.fixture
def carried() -> Carried:
    return Carried()


def test_steps_are_carried_out_one_by_one_as_they_are_asked_for(carried: Carried) -> None:
    done = apply([carried.step("a"), carried.step("b")])
    assert (next(done).step.name, carried) == ("a", ["a"])
    assert [one.failure for one in done] == [""]
    assert carried == ["a", "b"]


def test_what_is_optional_may_be_refused_and_the_rest_goes_on(carried: Carried) -> None:
    refused = carried.step("a", HelpdeskRefused("no"), required=False)
    done = list(apply([refused, carried.step("b")]))
    assert [(one.left_out, one.failure) for one in done] == [(True, "trigger a: no"), (False, "")]
    assert carried == ["b"]


def left_open(error: Callable[[str], BridgeError]) -> str:
    """Of a call without an answer nobody knows what it did."""
    return "; it may have been carried out all the same" if error is HelpdeskUnavailable else ""


@pytest.mark.parametrize(
    ("error", "required"),
    [
        (HelpdeskRefused, True),
        (HelpdeskUnavailable, True),
        # Whether it is refused is not known yet.
        (HelpdeskUnavailable, False),
    ],
)
def test_any_other_failure_ends_it(
    carried: Carried, error: Callable[[str], BridgeError], required: bool
) -> None:
    failing = carried.step("b", error("down"), required=required)
    done = list(apply([carried.step("a"), failing, carried.step("c")]))
    assert [(one.left_out, one.failure) for one in done] == [
        (False, ""),
        (False, f"trigger b: down{left_open(error)}"),
    ]
    assert carried == ["a"]


def test_only_what_changes_something_is_carried_out(carried: Carried) -> None:
    kept = Step("trigger", "kept", Action.KEEP)
    told = Step("group", "told", Action.REPORT, "is closed", "open it")
    made = carried.step("made")
    assert changes((kept, told, made)) == (made,)


def test_nothing_is_changed_before_somebody_has_acted(carried: Carried) -> None:
    stuck = Step("migration", "of the fields", Action.BLOCK, "waits", "discard it")
    with pytest.raises(BadRequest, match="migration of the fields waits; discard it"):
        changes((carried.step("a"), stuck))


class Down:
    """A helpdesk that gives no answer."""

    def plan(self, _wanted: Wanted) -> Plan:
        raise HelpdeskUnavailable("no complete answer", retry_after=7)

    def removal(self, *, hide_fields: bool = False) -> Plan:
        return self.plan(Wanted(None))


@pytest.mark.parametrize("look", [lambda down: plan(down, Wanted("https://a")), removal])
def test_a_helpdesk_that_gives_no_answer_is_told_with_what_to_check(
    look: Callable[[Any], Plan],
) -> None:
    with pytest.raises(HelpdeskUnavailable, match="answer; check scheme, host and port") as failed:
        look(Down())
    assert failed.value.retry_after == 7
