"""The steps that scenarios are written in. A scenario runs on every vendor, or on those it names.

`@rule-1.2` names the rule that it proves, `@zammad` or `@zendesk` the one vendor that can do it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pytest_bdd import given, parsers, then, when

from bridge.service import reports
from tests.e2e.conftest import Opens
from tests.e2e.desks import DESKS, Desk
from tests.e2e.scenarios.world import World

VENDORS: dict[str, type[Desk]] = {
    kind.__name__.removesuffix("Desk").lower(): kind for kind in DESKS
}
#: What a ticket is said to be, and what its field shows then.
STATES = {
    "charged": "charged",
    "awaiting points": "awaiting_points",
    "declined": "declined",
    "a free re-open": "free_reopen",
    "for review": "review",
}
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


def pytest_bdd_apply_tag(tag: str, function: Callable[..., Any]) -> bool:
    """Tags say where a scenario runs and what it proves; they are no marks."""
    function.__dict__.setdefault("tags", set()).add(tag)
    return True


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each scenario on each vendor that it can happen on."""
    if "kind" in metafunc.fixturenames:
        tags = metafunc.function.__dict__.get("tags", set())
        named = sorted(tags & VENDORS.keys()) or sorted(VENDORS)
        metafunc.parametrize("kind", [VENDORS[name] for name in named], ids=named)


@pytest.fixture(autouse=True)
def world(kind: type[Desk], opens: Opens) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(kind, opens, stack)


@given("held tickets are set to pending")
def held_are_pending(world: World) -> None:
    world.lines.append('held_status = "pending"')


@given(parsers.parse("the customer {organization} in {zone}, with {people}"))
def customer(world: World, organization: str, zone: str, people: str) -> None:
    domain = organization.partition(" ")[0].lower()
    named = {name: f"{name.lower()}@{domain}.example" for name in people.split(" and ")}
    world.addresses |= named
    world.desk.adds(organization, *named.items(), support_timezone=zone)


@given(parsers.parse("{account} has bought {points:d} points as {reference}"))
def bought_as(world: World, account: str, points: int, reference: str) -> None:
    world.buys(account, points, reference=reference)


@given(parsers.parse("{account} has bought {points:d} points on {day}"))
def bought_on(world: World, account: str, points: int, day: str) -> None:
    world.buys(account, points, on=date.fromisoformat(day))


@given(parsers.parse("{account} has bought {points:d} points"))
@when(parsers.parse("{account} buys {points:d} points"))
def bought(world: World, account: str, points: int) -> None:
    world.buys(account, points)


@when(parsers.re(r"(?P<count>\d+) (?P<unit>minute|hour|day)s? pass(es)?"))
def time_passes(world: World, count: str, unit: str) -> None:
    for _ in range(int(count)):
        world.desk.wait(_UNITS[unit])


@when(parsers.parse('{person} writes "{subject}"'))
def writes(world: World, person: str, subject: str) -> None:
    """A mail that opens a ticket."""
    world.desk.calls()
    world.tickets[subject] = world.desk.mails(world.addresses[person], subject, "Please.", person)
    world.desk.settle()


@when(parsers.parse('{person} replies to "{subject}"'))
def replies(world: World, person: str, subject: str) -> None:
    """By mail; what is closed for good is answered by another ticket."""
    ticket = world.desk.replies(world.tickets[subject], "One more thing.")
    world.tickets[f"the follow-up to {subject}"] = ticket
    world.desk.settle()


@when(parsers.parse('an agent answers "{subject}"'))
def answers(world: World, subject: str) -> None:
    world.desk.answers(world.tickets[subject], "Please restart it.")
    world.desk.settle()


@when(parsers.parse('an agent writes a note on "{subject}"'))
def notes(world: World, subject: str) -> None:
    world.desk.writes_internally(world.tickets[subject], "He called again.")
    world.desk.settle()


@when(parsers.parse('an agent edits "{subject}"'))
def edits(world: World, subject: str) -> None:
    """What is nothing to the bridge."""
    world.desk.touches(world.tickets[subject])
    world.desk.settle()


@when(parsers.parse('an agent closes "{subject}"'))
def closes(world: World, subject: str) -> None:
    world.desk.closes(world.tickets[subject])
    world.desk.settle()


@when(parsers.parse('an agent gives "{subject}" to {person}'))
def gives(world: World, subject: str, person: str) -> None:
    """Another requester, and with him another organisation."""
    world.desk.gives(world.tickets[subject], world.addresses[person])
    world.desk.settle()


@when("every webhook comes again")
def comes_again(world: World) -> None:
    sender: Any = world.desk.box.webhooks
    for delivery in tuple(sender.deliveries):
        sender.send_again(delivery)
    world.desk.settle()


@then(parsers.parse("{account} has {points:d} points"))
def has_points(world: World, account: str, points: int) -> None:
    assert reports.balance(world.desk.bridge, account).on_hand == points


@then(parsers.re(rf'"(?P<subject>[^"]+)" is (?P<state>{"|".join(STATES)})'))
@then(parsers.re(rf'(?P<subject>the follow-up to "[^"]+") is (?P<state>{"|".join(STATES)})'))
def is_in_state(world: World, subject: str, state: str) -> None:
    assert world.shown(subject.replace('"', ""), "state") == STATES[state]


@then(parsers.re(r'"(?P<subject>[^"]+)" is (?P<status>open|pending|closed)'))
def has_status(world: World, subject: str, status: str) -> None:
    ticket, desk = world.tickets[subject], world.desk
    closed, pending = desk.is_closed(ticket), desk.is_pending(ticket)
    assert (closed, pending) == (status == "closed", status == "pending")


@then(parsers.parse('"{subject}" shows'))
def shows(world: World, subject: str, datatable: list[list[str]]) -> None:
    assert datatable[0] == ["field", "value"]
    wanted = dict(datatable[1:])
    assert {name: str(world.shown(subject, name)) for name in wanted} == wanted


@then(parsers.parse('"{subject}" was decided: {kinds}'))
def was_decided(world: World, subject: str, kinds: str) -> None:
    assert world.decisions(subject) == kinds.split(", ")


@then(parsers.parse('no first answer to "{subject}" is promised'))
def nothing_promised(world: World, subject: str) -> None:
    assert (world.shown(subject, "response_due"), world.shown(subject, "sla_state")) == (None, None)


@then(parsers.parse('the first answer to "{subject}" is due at {time} in {zone}'))
def is_due(world: World, subject: str, time: str, zone: str) -> None:
    due = world.shown(subject, "response_due")
    assert isinstance(due, datetime)
    assert f"{due.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" == time


@then(parsers.parse('the promise of "{subject}" is {state}'))
def promise(world: World, subject: str, state: str) -> None:
    assert world.shown(subject, "sla_state") == state.replace(" ", "_")


@then(parsers.parse('{person} was told about "{subject}": "{words}"'))
def told(world: World, person: str, subject: str, words: str) -> None:
    assert words in world.notes(subject, person)[-1].body


@then(parsers.re(r'(?P<person>\w+) was told (?P<count>\d+) times about "(?P<subject>[^"]+)"'))
def told_times(world: World, person: str, count: str, subject: str) -> None:
    assert len(world.notes(subject, person)) == int(count)


@then(parsers.parse('nobody was told anything about "{subject}"'))
def nobody_told(world: World, subject: str) -> None:
    assert all(note.internal for note in world.desk.notes(world.tickets[subject]))


@then(parsers.parse('agents read on "{subject}": "{words}"'))
def agents_read(world: World, subject: str, words: str) -> None:
    assert words in world.notes(subject)[-1].body


@then("it took one read and one write")
def one_read_one_write(world: World) -> None:
    """The first ticket also learns names and ids, and who the bridge is."""
    made = world.desk.calls()
    assert [call for call in made if call in {"read", "write", "history"}] == ["read", "write"]


def pytest_bdd_after_scenario(request: pytest.FixtureRequest) -> None:
    """Whatever happened: the ledger's sums agree, and nothing is stuck."""
    world: World = request.getfixturevalue("world")
    assert world.is_sound
