"""Mails that come in to the sandbox, as people and robots send them."""

import re

import pytest

from bridge.sandbox.zammad import AGENT, Token, ZammadSandbox, mails

from .conftest import CARLA, Api, Clock, Json, Receiver

LATE = {"follow_up_possible": "new_ticket_after_certain_time"}


def articles(api: Api, ticket_id: int) -> list[Json]:
    rows: list[Json] = api.get(f"/ticket_articles/by_ticket/{ticket_id}")
    return rows


def by_customers(api: Api, ticket_id: int) -> list[Json]:
    return [row for row in articles(api, ticket_id) if row["sender"] == "Customer"]


def answered(sandbox: ZammadSandbox, *, close: bool = True) -> int:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.model.agent_answers(ticket_id, "Try again.", close=close)
    return ticket_id


@pytest.mark.parametrize(
    ("headers", "automatic"),
    [
        ({"Auto-Submitted": "auto-replied"}, True),
        ({"Auto-Submitted": "auto-generated"}, True),
        ({"Auto-Submitted": "no"}, False),
        ({"X-Auto-Response-Suppress": "All"}, True),
        ({"X-Auto-Response-Suppress": "DR, OOF"}, False),
        *(({"Precedence": word}, True) for word in ("bulk", "list", "junk")),
        ({"Precedence": "auto_reply", "X-Autoreply": "yes"}, False),
        ({"X-Loop": "yes"}, True),
        ({"X-Loop": "support@example.com"}, False),
        ({"List-Unsubscribe": "<mailto:leave@letters.example>"}, True),
        ({"List-Id": "<team.acme.example>"}, False),
        ({"Message-ID": "<1.2@zammad.example>"}, True),
        ({"Message-ID": "<1.2@other.example>"}, False),
    ],
)
def test_these_headers_and_no_others_mark_a_mail_that_nobody_wrote(
    sandbox: ZammadSandbox, api: Api, headers: dict[str, str], automatic: bool
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.", headers=headers)
    first, *replies = articles(api, ticket_id)
    assert first["preferences"]["is-auto-response"] is automatic
    assert bool(replies) is not automatic, "Zammad answers persons only"


def test_the_systems_own_notification_is_dropped(sandbox: ZammadSandbox, api: Api) -> None:
    own = {"Message-ID": "<1.2@zammad.example>", "Precedence": "bulk"}
    with pytest.raises(ValueError, match="own notifications"):
        sandbox.model.customer_mails(CARLA, "New ticket (x)", "x", headers=own)
    assert api.get("/tickets") == []


@pytest.mark.parametrize(
    ("headers", "subject", "state"),
    [
        ({"Auto-Submitted": "auto-replied"}, "Automatic reply", "open"),
        ({"Auto-Submitted": "auto-replied"}, "Vacation", "closed"),
        ({"X-Auto-Response-Suppress": "All"}, "Vacation", "open"),
        (
            {"X-Auto-Response-Suppress": "All", "X-MS-Exchange-Inbox-Rules-Loop": CARLA},
            "Automatic reply",
            "closed",
        ),
    ],
)
def test_an_out_of_office_reply_reopens_unless_it_says_so_in_zammads_words(
    sandbox: ZammadSandbox, api: Api, headers: dict[str, str], subject: str, state: str
) -> None:
    ticket_id = answered(sandbox)
    number = api.get(f"/tickets/{ticket_id}")["number"]
    text = f"{subject}: your request [Ticket#{number}]"
    assert sandbox.model.customer_mails(CARLA, text, "Away.", headers=headers) == ticket_id
    assert api.get(f"/tickets/{ticket_id}?expand=true")["state"] == state


def test_all_headers_are_in_the_plain_mail_and_nowhere_else(
    sandbox: ZammadSandbox, api: Api
) -> None:
    head = {"Authentication-Results": "mx; spf=fail", "In-Reply-To": "<x@y.example>"}
    ticket_id = sandbox.model.customer_mails(CARLA, "Käse", "Straße\n", headers=head)
    [article] = by_customers(api, ticket_id)
    assert (article["subject"], article["body"]) == ("Käse", "Straße\n")
    assert (article["in_reply_to"], article["references"]) == (None, None)
    response = sandbox.app.test_client().get(
        f"/api/v1/ticket_article_plain/{article['id']}",
        headers={"Authorization": f"Token token={Token.BRIDGE}"},
    )
    assert (response.status_code, response.mimetype) == (200, "message/rfc822")
    assert mails.parse(response.data).header("Authentication-Results") == "mx; spf=fail"


def test_what_is_no_mail_has_no_plain_text(sandbox: ZammadSandbox) -> None:
    ticket_id = sandbox.model.customer_opens_by_portal(CARLA, "Broken", "It is.")
    [first, *_] = sandbox.model.store.articles(ticket_id)
    client, headers = sandbox.app.test_client(), {"Authorization": f"Token token={Token.BRIDGE}"}
    path = "/api/v1/ticket_article_plain"
    assert client.get(f"{path}/{first['id']}", headers=headers).status_code == 500
    assert client.get(f"{path}/999", headers=headers).status_code == 404
    assert client.get(f"{path}/{first['id']}").status_code == 403


@pytest.mark.parametrize("auto_submitted", [True, False])
def test_a_bounce_goes_to_its_ticket_and_reopens_it_whatever_the_group_wants(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver, auto_submitted: bool
) -> None:
    ticket_id = answered(sandbox)
    api.put("/groups/1", {"follow_up_possible": "new_ticket"}, token=Token.ADMIN)
    sandbox.webhooks.drain()
    receiver.requests.clear()
    assert sandbox.model.mail_bounces(ticket_id, auto_submitted=auto_submitted) == ticket_id
    ticket, article = api.get(f"/tickets/{ticket_id}?expand=true"), articles(api, ticket_id)[-1]
    assert (ticket["state"], ticket["customer"]) == ("open", CARLA)
    assert article["created_by"] == "mailer-daemon@mx.acme.example"
    assert article["preferences"]["is-auto-response"] is auto_submitted
    kinds = [row["preferences"]["Mime-Type"] for row in article["attachments"]]
    assert kinds == ["message/delivery-status", "message/rfc822"]
    sandbox.webhooks.drain()
    assert receiver.triggers == ["customer article", "state changed"]


def test_a_bounce_of_a_mail_that_zammad_does_not_know_opens_a_ticket(
    sandbox: ZammadSandbox, api: Api, clock: Clock
) -> None:
    foreign = mails.compose(("Support", "support@example.com"), "gone@acme.example", "Hi", "Hi.")
    raw = mails.bounce(foreign, "gone@acme.example", "acme.example", clock.now, {})
    ticket_id = sandbox.model.mailbox.receive(raw)
    ticket = api.get(f"/tickets/{ticket_id}?expand=true")
    assert ticket["customer"] == "mailer-daemon@acme.example"
    assert ticket["organization"] == "Acme GmbH", "domain assignment takes the daemon, too"
    assert len(articles(api, ticket["id"])) == 1, "nobody answers a mail server"


def test_a_ticket_without_a_mail_has_none_to_bounce(sandbox: ZammadSandbox) -> None:
    ticket_id = sandbox.model.agent_logs_phone(AGENT, "My own", "No address, no reply.")
    with pytest.raises(ValueError, match="no mail"):
        sandbox.model.mail_bounces(ticket_id)


@pytest.mark.parametrize(
    ("subject", "headers", "setting", "joins"),
    [
        ("Re: Broken", {}, [], True),
        ("Re: your request", {}, [], False),
        ("Re: your request", {}, ["references"], True),
        ("Automatic reply", {"Auto-Submitted": "auto-replied"}, [], True),
    ],
)
def test_references_count_by_the_subject_for_robots_or_if_an_admin_wants_it(
    sandbox: ZammadSandbox,
    api: Api,
    subject: str,
    headers: dict[str, str],
    setting: list[str],
    joins: bool,
) -> None:
    ticket_id = answered(sandbox)
    sandbox.model.store.settings["postmaster_follow_up_search_in"] = setting
    [sent] = [row for row in articles(api, ticket_id) if row["sender"] == "Agent"]
    head = {"In-Reply-To": sent["message_id"], **headers}
    found = sandbox.model.customer_mails(CARLA, subject, "Still.", headers=head)
    assert (found == ticket_id) is joins
    state = api.get(f"/tickets/{ticket_id}?expand=true")["state"]
    assert state == ("open" if joins else "closed")


def test_a_ticket_number_in_the_text_counts_if_an_admin_wants_it(
    sandbox: ZammadSandbox, api: Api
) -> None:
    ticket_id = answered(sandbox)
    text = f"As for Ticket#{api.get(f'/tickets/{ticket_id}')['number']}: it is broken again."
    assert sandbox.model.customer_mails(CARLA, "Again", text) != ticket_id
    sandbox.model.store.settings["postmaster_follow_up_search_in"] = ["body"]
    assert sandbox.model.customer_mails(CARLA, "Again", text) == ticket_id


@pytest.mark.parametrize(
    ("days", "closed_for", "joins"),
    [(None, 0, False), (0, 0, False), (10, 9, True), (10, 11, False)],
)
def test_blank_days_are_the_strictest_policy_of_all(
    sandbox: ZammadSandbox, api: Api, clock: Clock, days: int | None, closed_for: int, joins: bool
) -> None:
    ticket_id = answered(sandbox)
    api.put("/groups/1", LATE | {"reopen_time_in_days": days}, token=Token.ADMIN)
    clock.advance(days=closed_for)
    found = sandbox.model.customer_replies_by_mail(ticket_id, "Again.")
    assert (found == ticket_id) is joins
    assert api.get(f"/tickets/{found}")["title"] == "Broken"


def test_a_stranger_who_knows_the_number_reopens_the_ticket_of_another(
    sandbox: ZammadSandbox, api: Api
) -> None:
    ticket_id = answered(sandbox)
    eve = "eve@stranger.example"
    assert sandbox.model.customer_replies_by_mail(ticket_id, "Who?", sender=eve) == ticket_id
    ticket, article = api.get(f"/tickets/{ticket_id}?expand=true"), articles(api, ticket_id)[-1]
    assert (ticket["state"], ticket["customer"]) == ("open", CARLA)
    assert ticket["updated_by"] == article["created_by"] == eve
    assert ticket["organization"] == "Acme GmbH"


@pytest.mark.parametrize("sender", [AGENT, "support@example.com"])
def test_a_mail_of_our_own_people_counts_as_an_agents_answer(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver, sender: str
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.model.customer_replies_by_mail(ticket_id, "Done.", sender=sender)
    ticket, article = api.get(f"/tickets/{ticket_id}?expand=true"), articles(api, ticket_id)[-1]
    assert (article["sender"], ticket["state"]) == ("Agent", "new")
    assert ticket["first_response_at"] == article["created_at"]
    sandbox.webhooks.drain()
    assert receiver.triggers == ["created", "agent article"]


def test_zammad_answers_one_address_thirty_times_in_ten_minutes_at_most(
    sandbox: ZammadSandbox, api: Api, clock: Clock
) -> None:
    def replies() -> int:
        ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
        return len(articles(api, ticket_id)) - 1

    assert [replies() for _ in range(31)] == [1] * 30 + [0]
    clock.advance(minutes=10)
    assert replies() == 1


def test_a_mail_that_goes_out_has_the_number_in_its_subject_alone(
    sandbox: ZammadSandbox, api: Api
) -> None:
    ticket_id = answered(sandbox)
    number = api.get(f"/tickets/{ticket_id}")["number"]
    [sent] = [row for row in articles(api, ticket_id) if row["sender"] == "Agent"]
    mail = mails.parse(sandbox.model.store.raw_mails[sent["id"]])
    assert (sent["subject"], mail.header("Subject")) == ("Broken", f"Broken [Ticket#{number}]")
    assert mail.header("Message-ID") == sent["message_id"]
    [question] = by_customers(api, ticket_id)
    assert question["message_id"] in mail.references
    assert re.match(r"Alan Agent via Support <", mail.header("From"))
