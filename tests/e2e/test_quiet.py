"""How often the bridge writes to a ticket: "one write per thing that happened" (rule 6.6)."""

from collections import Counter

from tests.e2e.desks import Desk, ZammadDesk
from tests.e2e.helpers import CARLA, DAY, HOUR, bought, decided, opened


def written(desk: Desk) -> int:
    """The writes to tickets since the last look."""
    return desk.calls().count("write")


def live(desk: Desk) -> list[int]:
    """A charged ticket's whole life; the writes after each thing that happened."""
    ticket = opened(desk)
    counted = [written(desk)]

    def then() -> None:
        desk.settle()
        counted.append(written(desk))

    desk.wait(3 * HOUR)  # at risk
    counted.append(written(desk))
    desk.answers(ticket, "Please restart it.")
    then()
    desk.closes(ticket)
    then()
    desk.clock.move(DAY)
    desk.replies(ticket, "It is back.")
    then()
    desk.answers(ticket, "Please restart it again.")
    then()
    desk.closes(ticket)
    then()
    assert decided(desk, ticket)[1:] == ["responded", "closed", "reopened", "responded", "closed"]
    return counted


def test_a_charged_ticket_s_life_takes_six_writes(desk: Desk) -> None:
    """Opened, at risk, answered, closed, re-opened, answered; closed again it shows the same."""
    bought(desk, "Acme GmbH", 10)
    desk.calls()
    assert live(desk) == [1, 1, 1, 1, 1, 1, 0]


def test_a_held_ticket_s_life_takes_five_writes(desk: Desk) -> None:
    """Each of them tells the requester something: held, three reminders, declined."""
    opened(desk)
    counted = [written(desk)]
    for _ in range(15):
        desk.wait(DAY)
        counted.append(written(desk))
    assert [day for day, writes in enumerate(counted) if writes] == [0, 1, 7, 13, 14]
    assert sum(counted) == 5


def test_a_released_ticket_takes_two_writes_before_its_clock_turns(desk: Desk) -> None:
    opened(desk)
    assert written(desk) == 1
    bought(desk, "Acme GmbH", 30)
    assert written(desk) == 1


def test_a_balance_that_changes_elsewhere_takes_no_write(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 30)
    ticket = opened(desk)
    opened(desk)
    desk.calls()
    desk.touches(ticket)
    desk.wait(HOUR)
    assert written(desk) == 0
    assert desk.shown(ticket, "balance") == 20


def test_an_answer_that_closes_takes_one_write(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 10)
    ticket = opened(desk)
    desk.calls()
    desk.answers(ticket, "Done.", close=True)
    desk.settle()
    assert written(desk) == 1


def test_what_turned_while_the_helpdesk_was_away_takes_one_write(desk: Desk) -> None:
    """The fields are those of now, whatever was owed first."""
    bought(desk, "Acme GmbH", 10)
    desk.fails(desk.WRITE, status=503)
    ticket = opened(desk)
    desk.calls()
    desk.wait(3 * HOUR)
    assert (desk.shown(ticket, "sla_state"), len(desk.notes(ticket))) == ("at_risk", 1)
    assert written(desk) == 1


def test_agents_of_a_zammad_get_a_mail_for_each_write_and_the_bridge_none(
    zammad: ZammadDesk,
) -> None:
    bought(zammad, "Acme GmbH", 10)
    zammad.calls()
    writes = sum(live(zammad))
    bridge = zammad.model.access.actor("bridge@example.com").id
    ours = [mail for mail in zammad.model.notifications.mails if mail.actor_id == bridge]
    assert Counter(mail.to for mail in ours).keys() == {"admin@example.com", "agent@example.com"}
    assert set(Counter(mail.to for mail in ours).values()) == {writes}
    told = [mail.to for mail in zammad.model.notifications.mails]
    assert "bridge@example.com" not in told
    assert CARLA not in told
