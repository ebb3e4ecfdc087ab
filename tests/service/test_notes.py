"""The words on a ticket: every text, filled in with the account's facts."""

from dataclasses import replace

import pytest

from bridge.errors import HelpdeskUnavailable
from bridge.policy.terms import Terms
from bridge.service import watch
from bridge.texts import Texts
from bridge.ticket import Customer, Status
from tests.service.conftest import ACME, BETA, DAY, House


def last(house: House) -> str:
    return house.notes()[-1].text


def close(house: House) -> None:
    house.desk.set_status("5", Status.CLOSED)
    house.run("5")


def reopen(house: House) -> None:
    house.desk.set_status("5", Status.OPEN)
    house.run("5")


def test_accepted(house: House) -> None:
    house.buy(100)
    house.open()
    house.run()
    (note,) = house.notes()
    assert (note.mark, note.subject, note.public) == ("support:5:decision:1", "", False)
    assert note.text == (
        "Points: 10 charged to Acme GmbH for this incident. First response due 2026-11-23 14:00"
        " Europe/Berlin time, in business hours there."
    )


def test_held(house: House) -> None:
    house.buy(9)
    house.open()
    house.run()
    (note,) = house.notes()
    assert note.public
    assert note.subject == "Your request 31005 is waiting for support points"
    assert note.text == (
        "Hello,\n\n"
        "thank you for your request 31005. An incident costs 10 support points, and Acme GmbH has 9"
        " on hand. At least 1 more must be bought. We start as soon as enough points are bought;"
        " you need not write again.\n\n"
        "To buy points, please turn to your usual contact with us.\n\n"
        "We will remind you on 2026-11-24, 2026-11-30, 2026-12-06. If no points are bought by"
        " 2026-12-07 (Europe/Berlin), the request is declined without a charge."
    )


def test_held_where_nobody_is_reminded(house: House) -> None:
    house.bridge = replace(house.bridge, terms=Terms(hold_reminder_days=()))
    house.open()
    house.run()
    assert last(house).splitlines()[-1].startswith("If no points are bought by 2026-12-07")


def test_the_days_are_those_of_the_account_s_zone(house: House) -> None:
    """09:00 UTC on day 14 is the next day in Kiritimati."""
    house.open(customer=replace(ACME, zone="Pacific/Kiritimati"))
    house.later(hours=3)
    house.run()
    assert "on 2026-11-25, 2026-12-01, 2026-12-07. If" in last(house)
    assert "by 2026-12-08 (Pacific/Kiritimati), the request" in last(house)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"buy_link": "https://shop.example"}, "You can buy points here: https://shop.example"),
        ({"buy_text": "Write to sales@example.com."}, "Write to sales@example.com."),
        (
            {"buy_text": "Points are in our shop:", "buy_link": "https://shop.example"},
            "Points are in our shop: https://shop.example",
        ),
        ({"language": "de", "buy_link": "https://s.example"}, "hier kaufen: https://s.example"),
        ({"language": "de"}, "wenden Sie sich bitte an Ihren Ansprechpartner"),
    ],
)
def test_held_and_reminded_say_how_points_are_bought(
    house: House, given: dict[str, str], said: str
) -> None:
    house.configure(**given)
    house.open()
    house.run()
    assert said in last(house)
    house.now += DAY
    watch.watch_holds(house.bridge)
    house.send()
    assert len(house.notes()) == 2
    assert said in last(house)


@pytest.mark.parametrize("name", ["carla@acme.example", "8"])
def test_an_address_or_an_id_is_no_name_to_a_requester(house: House, name: str) -> None:
    house.open(customer=Customer("person:8", name))
    house.run()
    assert "and your account has 0 on hand" in last(house)
    assert name not in last(house).replace("31005", "")
    house.now += DAY
    watch.watch_holds(house.bridge)
    house.send()
    assert "and your account has 0 on hand" in last(house)


def test_what_stands_for_a_name_is_in_the_helpdesk_s_language(house: House) -> None:
    house.configure(language="de")
    house.open(customer=Customer("person:8", "carla@acme.example"))
    house.run()
    assert "; Ihr Konto hat derzeit 0." in last(house)


def test_but_it_is_to_an_agent(house: House) -> None:
    house.buy(10, "carla@acme.example")
    house.open(customer=Customer("person:8", "carla@acme.example"))
    house.run()
    assert last(house).startswith("Points: 10 charged to carla@acme.example")


def test_reminded(house: House) -> None:
    house.open()
    house.run()
    house.now += DAY
    watch.watch_holds(house.bridge)
    house.send()
    note = house.notes()[-1]
    assert (note.mark, note.public) == ("support:5:reminder:1:1", True)
    assert "At least 10 more must be bought." in note.text
    assert note.text.endswith(
        "by 2026-12-07 (Europe/Berlin), the request is declined without a charge."
    )


def test_released(house: House) -> None:
    house.open()
    house.run()
    house.later(hours=1)
    house.buy(10)
    house.send()
    note = house.notes()[-1]
    assert (note.public, note.subject) == (True, "We have begun to work on your request 31005")
    assert note.text == (
        "Hello,\n\n"
        "points have come in for Acme GmbH, and 10 of them were charged for your request 31005. We"
        " have begun to work on it: you will have our first answer by 2026-11-23 15:00"
        " Europe/Berlin time."
    )


def test_released_in_the_account_s_own_zone_and_to_nobody_s_address(house: House) -> None:
    """ "by when an answer comes (in his own zone, named)" """
    mike = Customer("person:8", "mike@maple.example", zone="America/Toronto")
    house.open(customer=mike)
    house.run()
    house.later(hours=6)
    house.buy(10, mike.name)
    house.run()
    assert last(house).endswith("by 2026-11-23 14:00 America/Toronto time.")
    assert "points have come in for your account, and 10" in last(house)


def test_released_is_told_once(house: House) -> None:
    house.open()
    house.run()
    house.buy(10)
    house.desk.failing["write"] = HelpdeskUnavailable("down")
    house.send()
    house.desk.failing.clear()
    house.later(hours=1)
    house.run()
    house.buy(10)
    house.run("5")
    assert [note.subject[:12] for note in house.notes()] == ["Your request", "We have begu"]


def test_released_where_only_agents_are_told(house: House) -> None:
    house.configure(announce_release=False)
    house.open()
    house.run()
    house.later(hours=1)
    house.buy(10)
    house.send()
    assert last(house) == (
        "Points: released. Points came in for Acme GmbH, and 10 were charged for this incident."
        " The clock starts now: first response due 2026-11-23 15:00 Europe/Berlin time,"
        " in business hours there."
    )


def test_declined_for_want_of_points(house: House) -> None:
    house.open()
    house.run()
    house.now += 14 * DAY
    watch.watch_holds(house.bridge)
    house.send()
    assert house.notes()[-1].subject == "Your request 31005 was declined"
    assert "within 14 days" in last(house)


def test_declined_because_it_was_closed(house: House) -> None:
    house.open()
    house.run()
    close(house)
    assert last(house) == (
        "Points: declined, nothing charged. The ticket was closed or merged while it waited for"
        " points."
    )


def test_reopened_for_free(house: House) -> None:
    house.buy(100)
    house.open()
    house.run()
    close(house)
    house.later(days=2)
    reopen(house)
    assert last(house) == (
        "Points: free re-open, nothing charged. The first closure was on 2026-11-23 and re-opening"
        " is free until 2027-02-21. New clock: first response due 2026-11-25 14:00 Europe/Berlin"
        " time, in business hours there."
    )


def test_reopened_late(house: House) -> None:
    house.buy(100)
    house.open()
    house.run()
    close(house)
    house.later(days=91)
    reopen(house)
    assert last(house).startswith(
        "Points: re-opened after the free period, which ended on 2027-02-21, so this counts as a"
        " new incident. 10 charged to Acme GmbH."
    )


def test_several_decisions_are_told_in_one_note(house: House) -> None:
    house.buy(100)
    house.open()
    house.desk.set_status("5", Status.CLOSED)
    house.later(days=1)
    house.desk.set_status("5", Status.OPEN)
    house.run()
    (note,) = house.notes()
    accepted, reopened = note.text.split("\n\n")
    assert accepted.startswith("Points: 10 charged")
    assert reopened.startswith("Points: free re-open")
    assert note.mark == "support:5:decision:3"


def test_a_hold_that_moved(house: House) -> None:
    house.open()
    house.run()
    house.change(customer=BETA)
    house.run("5")
    assert last(house) == "Points: this request waits for points, and now for those of Beta Ltd."


def test_the_helpdesk_chooses_the_language(house: House) -> None:
    house.configure(language="de")
    house.open()
    house.run()
    assert house.notes()[0].subject.startswith("Ihre Anfrage 31005")


def test_the_reason_is_given_in_that_language_too(house: House) -> None:
    house.configure(language="de")
    house.open()
    house.run()
    close(house)
    assert "wurde geschlossen" in last(house)


def test_a_helpdesk_that_is_gone_is_told_in_english(house: House) -> None:
    house.configure(language="de")
    house.open()
    house.run()
    support = house.bridge.helpdesks.pop("support")  # type: ignore[attr-defined]
    house.buy(10)
    house.bridge.helpdesks["support"] = support  # type: ignore[index]
    house.send()
    assert last(house).startswith("Points: released.")


class TestTheSummary:
    """What a ticket is about in one line, of which a form shows some 30 letters."""

    def shown(self, house: House) -> str:
        return house.desk.fields["5"].line

    def test_names_the_answer_that_is_due_in_the_account_s_zone(self, house: House) -> None:
        house.buy(100)
        house.open()
        house.run()
        assert self.shown(house) == (
            "answer by Mon 14:00 Berlin (2026-11-23) · charged 10 · 90 left"
        )

    def test_names_the_time_that_people_are_told_where_the_target_ends_at_a_closing(
        self, house: House
    ) -> None:
        """Rounded down to the minute, and at the closing: nobody answers late by the display."""
        house.buy(100)
        house.later(hours=3)
        house.open()
        house.run()
        assert self.shown(house).startswith("answer by Mon 17:00 Berlin (2026-11-23)")
        house.later(seconds=59)
        house.open("6")
        house.run()
        assert house.desk.fields["6"].line.startswith("answer by Tue 09:00 Berlin (2026-11-24)")

    def test_stays_the_same_until_something_happens(self, house: House) -> None:
        house.buy(100)
        house.open()
        house.run()
        before = self.shown(house)
        house.later(hours=2)
        assert house.run("5") == "nothing"
        assert self.shown(house) == before

    def test_says_that_an_answer_is_late_and_no_more_once_it_is_given(self, house: House) -> None:
        house.buy(100)
        house.open()
        house.run()
        house.later(hours=5)
        watch.watch_clocks(house.bridge)
        house.send()
        assert self.shown(house) == (
            "LATE, was due Mon 14:00 Berlin (2026-11-23) · charged 10 · 90 left"
        )
        house.answer()
        house.run("5")
        assert self.shown(house) == "charged 10 · 90 left"

    def test_tells_not_to_start_without_points(self, house: House) -> None:
        house.buy(9)
        house.open()
        house.run()
        assert self.shown(house) == "NO POINTS, do not start · 9 left, 10 needed"

    def test_is_in_the_helpdesk_s_language(self, house: House) -> None:
        house.configure(language="de")
        house.buy(100)
        house.open()
        house.run()
        assert self.shown(house) == (
            "Antwort bis Mo 14:00 Berlin (2026-11-23) · 10 abgebucht · 90 übrig"
        )

    def test_is_cut_where_a_company_s_own_text_is_too_long_for_a_field(self, house: House) -> None:
        english = dict(Texts.load()._catalogues["en"])
        long = english | {"summary_charged": {"text": "word\n" * 100}}
        house.bridge = replace(house.bridge, texts=Texts({"en": long}))
        house.buy(100)
        house.open()
        house.run()
        assert len(self.shown(house)) == 240
        assert "\n" not in self.shown(house)

    def test_typed_over_by_hand_is_mended_and_a_balance_from_elsewhere_is_not(
        self, house: House
    ) -> None:
        house.buy(100)
        house.open()
        house.run()
        house.buy(100)
        house.later(minutes=1)
        assert house.run("5") == "nothing"
        shown = house.desk.fields["5"]
        house.desk.fields["5"] = replace(shown, summary="free for all")
        assert house.run("5") == "fields repaired"
        assert self.shown(house).endswith("190 left")
