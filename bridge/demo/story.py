"""Some tickets' whole lives, on this machine, in seconds.

Stand-ins for a Zammad and a Zendesk talk HTTP with the bridge over loopback; the database is a
temporary file. Nothing else is pretended: set-up, receiver, ledger, workers and jobs are those of a
deployment. Only the clock is moved, so that a quarter passes while you watch.
"""

import logging
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from bridge.bootstrap import working
from bridge.demo.scene import (
    CLOUD,
    HELPDESK,
    START,
    ZAMMAD,
    ZENDESK,
    Clock,
    Scene,
    open_scene,
)
from bridge.logs import configure_logs
from bridge.policy.places import Address
from bridge.sandbox.zammad import Token
from bridge.service import reports
from bridge.service.accounts import AccountChange, change_account
from bridge.service.due import first_response
from bridge.service.purchases import buy
from bridge.terminal.explanation import show_explanation
from bridge.terminal.output import console, say, table
from bridge.terminal.statement import show_statement

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
#: How long the story takes, and some hours.
_LENGTH = 104 * _DAY
#: Where its customers are: on its first day support is open for both.
_PLACES = (
    Address("Europe/Berlin", "DE", "BE"),
    Address("America/Toronto", "CA", "ON"),
)

#: What the bridge's own user changes fires no trigger, and so proves none: `setup --prove`.
_OF_AN_ADMIN = {HELPDESK: {"setup_token": str(Token.ADMIN)}}


def run(*, stay: bool) -> None:
    """Play the story; with `stay`, leave everything running afterwards until Ctrl-C.

    Whatever ends it, the temporary directory goes.
    """
    configure_logs(level=logging.ERROR)
    clock = Clock(first_day(datetime.now(UTC)) if stay else START)
    with (
        _ended_by_signals(),
        tempfile.TemporaryDirectory(prefix="points-bridge-demo-") as directory,
        open_scene(Path(directory), ZAMMAD, ZENDESK, clock=clock) as scene,
    ):
        _play(scene)
        _show(scene)
        if stay:
            _stay(scene, Path(directory))


def first_day(now: datetime) -> datetime:
    """When the story begins that has ended at `now`: on a Monday that is a holiday for nobody.

    Other commands go by the present time, so whoever stays in the scene must be there, too.
    """
    start = datetime.combine((now - _LENGTH).date(), START.timetz())
    start -= start.weekday() * _DAY
    while not all(_is_open(start, place) for place in _PLACES):
        start -= 7 * _DAY
    return start


def _is_open(day: datetime, place: Address) -> bool:
    four_hours = 4 * 3600
    return first_response(day.isoformat(), place, four_hours).due.by_close.date() == day.date()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """What ends a program by default ends this as Ctrl-C does, which tidies up."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, _end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(*_: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # once is enough: it is tidying up
    raise KeyboardInterrupt


def _play(scene: Scene) -> None:
    """Two customers, two helpdesks, seven tickets, a hundred and three days."""
    console.rule("[bold]Support Points Bridge: what happens")
    _customers(scene)
    first = _first_day(scene)
    _other_desk(scene)
    _mischief(scene)
    _without_points(scene)
    _reopenings(scene, first)


def _customers(scene: Scene) -> None:
    people = scene.zammad.model
    for name, zone, country, part in (
        ("Acme GmbH", "Europe/Berlin", "DE", "BE"),
        ("Maple Inc", "America/Toronto", "CA", "ON"),
    ):
        people.add_organization(
            name, support_timezone=zone, support_country=country, support_subdivision=part
        )
    people.add_customer("Carla Customer", "carla@acme.example", "Acme GmbH")
    people.add_customer("Mike Maple", "mike@maple.example", "Maple Inc")
    _buy(scene, "Acme GmbH", 50, "INV-1001")
    _buy(scene, "Maple Inc", 10, "INV-1002")


def _first_day(scene: Scene) -> int:
    people = scene.zammad.model
    scene.tell("Carla (Acme) opens a ticket in the [bold]portal[/].")
    first = people.customer_opens_by_portal("carla@acme.example", "No mail", "SMTP says 550.")
    scene.settle()
    scene.tell("Mike (Maple) writes a [bold]mail[/]; in Toronto it is night.")
    second = people.customer_mails("mike@maple.example", "Calendar empty", "Since this morning.")
    scene.settle()
    scene.wait(2 * _HOUR)
    scene.tell("An agent [bold]answers[/] Carla, in time.")
    people.agent_answers(first, "Please try again.")
    scene.settle()
    scene.wait(2 * _HOUR)
    scene.tell("An agent [bold]closes[/] Carla's ticket.")
    people.agent_closes(first)
    scene.settle()
    scene.wait(6 * _HOUR)
    scene.tell("Mike's first response is [bold]late[/] (due at 13:00 in Toronto); now he gets it.")
    people.agent_answers(second, "We are on it.")
    scene.settle()
    return first


def _other_desk(scene: Scene) -> None:
    """Acme is a customer in a Zendesk too; an admin says that it is the same account."""
    people = scene.zendesk.model
    record = people.add_organization("Acme worldwide", support_timezone="Europe/Berlin")
    people.add_customer("Carl Customer", "carl@acme.example", "Acme worldwide")
    scene.tell(f"An admin [bold]links[/] Acme's record in a Zendesk ({CLOUD}) to its account.")
    change_account(scene.bridge, "Acme GmbH", AccountChange(link=f"{CLOUD}:organization:{record}"))
    scene.tell("Carl (Acme) opens a ticket [bold]in the Zendesk[/]: the same points pay for it.")
    people.customer_mails("carl@acme.example", "No sync", "Since noon.")
    scene.settle()


def _mischief(scene: Scene) -> None:
    people, webhooks = scene.zammad.model, scene.zammad.webhooks
    scene.tell("Carla writes a mail, and Zammad delivers its webhook [bold]twice[/].")
    people.customer_mails("carla@acme.example", "Printer on fire", "Really.")
    scene.settle()
    webhooks.send_again(webhooks.deliveries[-1])
    scene.settle()
    scene.tell("Somebody [bold]forges[/] a webhook about a ticket.")
    answer = requests.post(
        scene.webhook_url(HELPDESK),
        data=b'{"ticket": {"id": 1}}',
        headers={
            "X-Zammad-Delivery": "00000000-0000-4000-8000-000000000000",
            "X-Hub-Signature": "sha1=" + "0" * 40,
        },
        timeout=10,
        allow_redirects=False,
    )
    say(f"                       ... answered {answer.status_code}: {answer.json()['error']}")


def _without_points(scene: Scene) -> None:
    people = scene.zammad.model
    scene.wait(12 * _HOUR)
    scene.tell("Mike [bold]phones[/]; Maple has no points left, so the ticket is held.")
    people.agent_logs_phone("mike@maple.example", "Cannot log in", "He says.")
    scene.settle()
    scene.wait(2 * _DAY)
    scene.tell("He is reminded on day 1; on day 2 Maple [bold]buys points[/]: released, charged.")
    _buy(scene, "Maple Inc", 20, "INV-1003")
    scene.tell("A stranger without an organisation writes: [bold]held[/], and nobody buys.")
    people.customer_mails("stranger@nowhere.example", "Help", "Please.", name="Sam Stranger")
    scene.settle()


def _reopenings(scene: Scene, ticket: int) -> None:
    people = scene.zammad.model
    scene.wait(20 * _DAY)
    scene.tell("Day 23: the stranger's ticket was [bold]declined[/] after 14 days, free of charge.")
    scene.tell("Carla answers her closed ticket by mail: a [bold]free re-open[/].")
    people.customer_replies_by_mail(ticket, "It is back.")
    scene.settle()
    scene.wait(_HOUR)
    scene.tell("An agent answers and closes it in one go.")
    people.agent_answers(ticket, "Mended again.", close=True)
    scene.settle()
    scene.wait(80 * _DAY)
    scene.tell("Day 103: she answers again, [bold]after 90 days[/]: a new incident, charged.")
    people.customer_replies_by_mail(ticket, "Once more.")
    scene.settle()
    scene.wait(timedelta(minutes=1))


def _buy(scene: Scene, account: str, points: int, reference: str) -> None:
    scene.tell(f"{account} [bold]buys {points} points[/] ({reference}).")
    buy(scene.bridge, account, points, reference=reference, new=True)
    scene.settle()


def _show(scene: Scene) -> None:
    console.rule("[bold]What agents see on the tickets")
    say("The balance on a ticket is that of its last write; the one on Acme's record is today's.")
    with scene.zammad.model.store.lock:
        tickets = list(scene.zammad.model.store.tables["Ticket"].values())
    for ticket in tickets:
        _show_ticket(scene, ticket)
    _show_cloud_ticket(scene)
    console.rule("[bold]What they see on Acme's record, in either helpdesk")
    _show_records(scene)
    console.rule("[bold]Why the first ticket is as it is (points-bridge explain)")
    show_explanation(reports.explain(scene.bridge, HELPDESK, str(tickets[0]["id"])))
    console.rule("[bold]Where the points went (points-bridge statement)")
    for account in ("Acme GmbH", "Maple Inc"):
        show_statement(reports.statement(scene.bridge, account))


def _show_ticket(scene: Scene, ticket: dict[str, Any]) -> None:
    """A ticket's fields, and the last note that the bridge left on it."""
    store = scene.zammad.model.store
    with store.lock:
        state = store.get("TicketState", ticket["state_id"])["name"]
        articles = [
            row
            for row in store.tables["TicketArticle"].values()
            if row["ticket_id"] == ticket["id"] and "points_bridge" in row["preferences"]
        ]
    fields = [
        (name.removeprefix("points_").replace("_", " "), value)
        for name, value in ticket.items()
        if name.startswith("points_")
    ]
    notes = [("note" if row["internal"] else "mail to requester", row["body"]) for row in articles]
    title = f"Ticket {ticket['number']}: {ticket['title']} ({state})"
    shown = [(name, None if value == "" else value) for name, value in fields]
    table(title, ("Field", "Value"), shown + notes[-1:])


def _show_cloud_ticket(scene: Scene) -> None:
    """The same on the Zendesk ticket, where an option's value is a tag with a prefix."""
    store = scene.zendesk.model.store
    with store.lock:
        (ticket,) = store.tables["tickets"].values()
        titles = {row["id"]: row["title"] for row in store.tables["ticket_fields"].values()}
        fields = [(name, ticket.get(f"custom_fields_{key}")) for key, name in titles.items()]
        comments = [row for row in store.tables["comments"].values() if not row["public"]]
    shown = [
        (name.removeprefix("points_").replace("_", " "), str(value).removeprefix(f"{name}_"))
        for name, value in fields
        if value is not None
    ]
    title = f"Zendesk ticket {ticket['id']}: {ticket['subject']} ({ticket['status']})"
    table(title, ("Field", "Value"), [*shown, ("note", comments[-1]["body"])])


def _show_records(scene: Scene) -> None:
    """One account: both records show the same balance."""
    zammad, zendesk = scene.zammad.model.store, scene.zendesk.model.store
    with zammad.lock, zendesk.lock:
        ours = zammad.first("Organization", name="Acme GmbH") or {}
        theirs = zendesk.first("organizations", name="Acme worldwide") or {}
    fields = theirs.get("organization_fields", {})
    names = ("points_balance", "points_next_expiry")
    rows = [
        ("Zammad", "Acme GmbH", *(ours.get(name) for name in names)),
        ("Zendesk", "Acme worldwide", *(fields.get(name) for name in names)),
    ]
    table("Organisations", ("Helpdesk", "Name", "#Points balance", "Next expiry"), rows)


def _stay(scene: Scene, directory: Path) -> None:
    """Leave both systems running, at the present time, and say where to look."""
    scene.wait(max(datetime.now(UTC) - scene.clock(), timedelta(0)))
    ticket = f"{scene.urls[HELPDESK]}/api/v1/tickets"
    token = f"-H 'Authorization: Token token={Token.AGENT}'"
    article = '{"body":"Please.","type":"phone","sender":"Customer"}'
    new = f'{{"title":"Help","group_id":1,"customer":"mike@maple.example","article":{article}}}'
    console.rule("[bold]Still up, and it is today now")
    _say_how_to_type(directory)
    say("What an agent sees on a ticket:")
    console.print(f"  curl -s {token} {ticket}/2", markup=False, soft_wrap=True)
    say("A new ticket, by an agent on the phone:")
    header = "-H 'Content-Type: application/json'"
    console.print(f"  curl -s {token} {header} -d '{new}' {ticket}", markup=False, soft_wrap=True)
    say(f"The receiver: {scene.receiver}/health/ready")
    scene.clock.release()
    for box in scene.boxes.values():
        box.webhooks.start()
    try:
        with suppress(KeyboardInterrupt), working(scene.bridge):
            say("Ctrl-C ends it.")
            threading.Event().wait()
        say("Ended.")
    finally:
        for box in scene.boxes.values():
            box.webhooks.stop()


def _say_how_to_type(directory: Path) -> None:
    """Every command works on the scene: the secrets lie beside the settings, as anywhere."""
    for stand in (ZAMMAD, ZENDESK):
        for key, secret in {**stand.secrets, **_OF_AN_ADMIN.get(stand.name, {})}.items():
            place = directory / "secrets" / f"{stand.name}_{key}"
            place.write_text(secret, encoding="utf-8")
            place.chmod(0o600)
    say("Every command, in another terminal:")
    for typed in (
        f"export POINTS_BRIDGE_SETTINGS={directory / 'points-bridge.toml'}",
        "points-bridge accounts",
        f"points-bridge setup {HELPDESK} --dry-run",
        f"points-bridge setup {HELPDESK} --prove",
        "points-bridge doctor",
    ):
        console.print(f"  {typed}", markup=False, soft_wrap=True)
    for what, where in (
        ("database", directory / "points-bridge.db"),
        ("secrets", directory / "secrets"),
    ):
        console.print(f"The {what}: {where}", markup=False, soft_wrap=True)
    say(f"The token of {HELPDESK} for setup: {Token.ADMIN}; for running: {Token.BRIDGE}")
