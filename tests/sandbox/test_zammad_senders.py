"""Who sends and who gets a mail in the sandbox, and what that makes of the ticket.

From Zammad's code, as far as no recording is named.
"""

import pytest

from bridge.sandbox.zammad import AGENT, Token, ZammadSandbox
from bridge.sandbox.zammad.mails import compose

from .conftest import CARLA, Api, Json, Receiver

OURS = "support@example.com"
BOB = "bob@beta.example"


def receive(
    sandbox: ZammadSandbox, sender: str, to: str, text: str = "Hello", **headers: str
) -> int:
    head = {name.replace("_", "-"): value for name, value in headers.items()}
    subject = head.pop("Subject", "Broken")
    ticket_id = sandbox.model.mailbox.receive(compose(("", sender), to, subject, text, head))
    assert ticket_id is not None
    return ticket_id


def people(api: Api) -> list[str]:
    return [row["email"] for row in api.get("/users/search?query=@new.example")]


def articles(api: Api, ticket_id: int) -> list[Json]:
    rows: list[Json] = api.get(f"/ticket_articles/by_ticket/{ticket_id}")
    return rows


# --- agents --------------------------------------------------------------------------------


def test_an_agents_mail_opens_a_ticket_of_its_first_recipient(
    sandbox: ZammadSandbox, api: Api
) -> None:
    ticket_id = receive(sandbox, AGENT, f"{OURS}, Carla <{CARLA}>, {BOB}")
    ticket, [article] = api.get(f"/tickets/{ticket_id}?expand=true"), articles(api, ticket_id)
    assert (ticket["customer"], ticket["organization"]) == (CARLA, "Acme GmbH")
    assert ticket["created_by"] == article["created_by"] == AGENT
    assert article["sender"] == "Agent"
    assert ticket["first_response_at"] == article["created_at"]


def test_an_agents_mail_to_us_alone_is_the_agents_own_ticket(
    sandbox: ZammadSandbox, api: Api
) -> None:
    """Recordings 397 to 400."""
    ticket = api.get(f"/tickets/{receive(sandbox, AGENT, OURS)}?expand=true")
    assert ticket["customer"] == AGENT


def test_an_admin_may_not_want_recipients_to_be_customers(sandbox: ZammadSandbox, api: Api) -> None:
    sandbox.model.store.settings["postmaster_sender_is_agent_search_for_customer"] = False
    ticket = api.get(f"/tickets/{receive(sandbox, AGENT, CARLA)}?expand=true")
    assert ticket["customer"] == AGENT


def test_an_agents_mail_without_a_recipient_counts_as_a_customers(
    sandbox: ZammadSandbox, api: Api
) -> None:
    ticket_id = receive(sandbox, AGENT, "undisclosed-recipients:;")
    assert articles(api, ticket_id)[0]["sender"] == "Customer"


def test_our_own_address_is_found_among_several_senders(sandbox: ZammadSandbox, api: Api) -> None:
    raw = compose(("", BOB), OURS, "Hi", "x", {"From": f"{BOB}, {OURS}"})
    ticket_id = sandbox.model.mailbox.receive(raw)
    assert ticket_id is not None
    assert articles(api, ticket_id)[0]["sender"] == "Agent"


# --- strangers -----------------------------------------------------------------------------


def test_everybody_whom_a_mail_is_sent_to_becomes_a_user_but_ourselves(
    sandbox: ZammadSandbox, api: Api
) -> None:
    to, cc = f"{OURS}, New One <one@new.example>", "TWO@new.example, nobody"
    ticket_id = receive(sandbox, CARLA, to, Cc=cc)
    assert people(api) == ["one@new.example", "two@new.example"]
    assert api.get(f"/users/search?query={OURS}") == []
    assert articles(api, ticket_id)[0]["cc"] == cc


def test_at_most_forty_recipients_become_users(sandbox: ZammadSandbox, api: Api) -> None:
    to = ", ".join(f"n{number}@new.example" for number in range(41))
    receive(sandbox, CARLA, to)
    assert len(people(api)) == 40


@pytest.mark.parametrize(
    ("sender", "names"),
    [
        ("Mail Delivery System", ("Mail", "Delivery System")),
        ("Nagios", ("Nagios", "")),
        ("Stranger, Eve", ("Eve", "Stranger")),
        ("Dr. Eve Stranger", ("Dr. Eve", "Stranger")),
        ("EVE", ("Eve", "")),
        ("", ("Eve", "Stranger")),
    ],
)
def test_the_name_of_a_stranger_is_taken_apart(
    sandbox: ZammadSandbox, api: Api, sender: str, names: tuple[str, str]
) -> None:
    """Recordings 315 and 354 for the first two."""
    raw = compose((sender, "eve.stranger@new.example"), OURS, "Hi", "x")
    sandbox.model.mailbox.receive(raw)
    [user] = api.get("/users/search?query=eve.stranger")
    assert (user["firstname"], user["lastname"]) == names


def test_a_user_without_a_name_gets_it_with_the_next_mail(sandbox: ZammadSandbox, api: Api) -> None:
    for sender in ("", "Eve New", "Eva Old"):
        sandbox.model.mailbox.receive(compose((sender, "eve@new.example"), OURS, "Hi", "x"))
    [user] = api.get("/users/search?query=eve@new.example")
    assert (user["firstname"], user["lastname"]) == ("Eve", "New")


# --- what only agents see ------------------------------------------------------------------


@pytest.fixture
def told_internally(sandbox: ZammadSandbox) -> int:
    """A closed ticket about which a third party was asked in an internal mail."""
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    mail = {"type": "email", "to": BOB, "subject": "Broken", "body": "You?", "internal": True}
    sandbox.model.agent_sets(ticket_id, article=mail, state="closed")
    sandbox.webhooks.drain()
    return ticket_id


@pytest.mark.parametrize("named", [True, False])
def test_the_answer_to_an_internal_mail_is_internal_and_reopens_all_the_same(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver, told_internally: int, named: bool
) -> None:
    receiver.requests.clear()
    head = {"In-Reply-To": articles(api, told_internally)[-1]["message_id"]} if named else {}
    number = api.get(f"/tickets/{told_internally}")["number"]
    found = sandbox.model.customer_mails(BOB, f"Re: Ticket#{number}", "Me.", headers=head)
    assert found == told_internally
    assert articles(api, found)[-1]["internal"] is True
    sandbox.webhooks.drain()
    assert receiver.triggers == ["state changed"], "no article that triggers may tell of"
    assert api.get(f"/tickets/{found}")["last_contact_agent_at"] is None


def test_the_customers_own_answer_beside_an_internal_mail_is_public(
    sandbox: ZammadSandbox, api: Api, told_internally: int
) -> None:
    sandbox.model.customer_replies_by_mail(told_internally, "And?")
    assert articles(api, told_internally)[-1]["internal"] is False


def test_an_answer_that_names_a_public_mail_is_public_whatever_came_last(
    sandbox: ZammadSandbox, api: Api
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.model.agent_answers(ticket_id, "Try again.")
    public = articles(api, ticket_id)[-1]["message_id"]
    mail = {"type": "email", "to": CARLA, "subject": "x", "body": "x", "internal": True}
    sandbox.model.agent_sets(ticket_id, article=mail)
    head = {"In-Reply-To": public}
    sandbox.model.customer_replies_by_mail(ticket_id, "No.", headers=head)
    sandbox.model.customer_replies_by_mail(ticket_id, "No!")
    assert [row["internal"] for row in articles(api, ticket_id)[-2:]] == [False, True]


# --- which ticket, and whose it stays ------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text"), [("text/plain", "Ticket#{}"), ("text/html", "<b>Ticket</b>#{0} Ticket#{0}")]
)
def test_the_number_may_be_in_a_file_if_an_admin_wants_it(
    sandbox: ZammadSandbox, api: Api, kind: str, text: str
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    number = api.get(f"/tickets/{ticket_id}")["number"]
    lines = ["--b", "Content-Type: text/plain", "", "Hello", "--b", f"Content-Type: {kind}; name=x"]
    body = "\n".join([*lines, "", text.format(number), "--b--", ""])
    head = {"Content-Type": "multipart/mixed; boundary=b"}

    def found() -> int:
        return sandbox.model.customer_mails(CARLA, "Hello", body, headers=head)

    assert found() != ticket_id
    sandbox.model.store.settings["postmaster_follow_up_search_in"] = ["attachment"]
    assert found() == ticket_id


def test_the_first_number_that_is_one_counts(sandbox: ZammadSandbox, api: Api) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    number = api.get(f"/tickets/{ticket_id}")["number"]
    for subject in (f"Ticket#999 [Ticket#{number}]", f"ticket# {number}"):
        assert sandbox.model.customer_mails(CARLA, subject, "x") == ticket_id
    assert sandbox.model.customer_mails(CARLA, f"MyTicket#{number}", "x") != ticket_id


@pytest.mark.parametrize(("kept", "owner"), [(True, AGENT), (False, "-")])
def test_a_group_may_take_the_owner_off_a_ticket_that_is_answered_late(
    sandbox: ZammadSandbox, api: Api, kept: bool, owner: str
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.model.agent_sets(ticket_id, owner=AGENT)
    api.put("/groups/1", {"follow_up_assignment": kept}, token=Token.ADMIN)
    sandbox.model.customer_replies_by_mail(ticket_id, "Still.")
    assert api.get(f"/tickets/{ticket_id}?expand=true")["owner"] == AGENT
    sandbox.model.agent_closes(ticket_id)
    sandbox.model.customer_replies_by_mail(ticket_id, "Again.")
    assert api.get(f"/tickets/{ticket_id}?expand=true")["owner"] == owner


# --- who cannot be reached -----------------------------------------------------------------


def test_a_report_marks_who_is_not_there_and_our_mails_go_out_all_the_same(
    sandbox: ZammadSandbox, api: Api
) -> None:
    """Recordings 327 to 346."""
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.model.agent_answers(ticket_id, "Try again.")
    [user] = api.get(f"/users/search?query={CARLA}")
    assert "mail_delivery_failed" not in user["preferences"]
    sandbox.model.mail_bounces(ticket_id)
    [user] = api.get(f"/users/search?query={CARLA}")
    assert user["preferences"]["mail_delivery_failed"] is True
    again = sandbox.model.customer_mails(CARLA, "Again", "I am here.")
    assert [row["sender"] for row in articles(api, again)] == ["Customer", "System"]


@pytest.mark.parametrize(
    ("report", "failed"),
    [
        ("Action: failed\nStatus: 5.1.1", True),
        ("Action: failed\nStatus: 5.2.2", False),
        ("Action: delayed\nStatus: 4.4.1", False),
    ],
)
def test_only_an_address_that_does_not_exist_is_marked(
    sandbox: ZammadSandbox, api: Api, report: str, failed: bool
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.model.agent_answers(ticket_id, "Try again.")
    sent = articles(api, ticket_id)[-1]["message_id"]
    parts = [
        "--b\nContent-Type: text/plain\n\nSorry.",
        f"--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822;{CARLA}\n{report}",
        f"--b\nContent-Type: message/rfc822\n\nMessage-ID: {sent}\nSubject: x\n\nx\n--b--\n",
    ]
    head = {"Content-Type": "multipart/report; boundary=b"}
    receive(sandbox, "mailer-daemon@mx.acme.example", OURS, "\n".join(parts), **head)
    [user] = api.get(f"/users/search?query={CARLA}")
    assert user["preferences"].get("mail_delivery_failed", False) is failed
