"""How the sandbox reads a mail: its parts, charsets, headers and files, as Zammad's parser does.

The expected values follow Zammad's parser; only reports of mail servers were recorded.
"""

import base64

import pytest

from bridge.sandbox.zammad import Token, ZammadSandbox
from bridge.sandbox.zammad.mails import Mail, parse
from bridge.sandbox.zammad.mime import NO_TEXT

from .conftest import Api, Json

HEAD = "From: Carla Customer <carla@acme.example>\nTo: support@example.com\nSubject: Broken\n"


def mail(*lines: str, head: str = HEAD) -> bytes:
    return (head + "\n".join(lines)).replace("\n", "\r\n").encode()


def part(boundary: str, kind: str, *content: str, more: str = "") -> str:
    return "\n".join([f"--{boundary}", f"Content-Type: {kind}{more}", "", *content, ""])


def multi(kind: str, boundary: str, *parts: str) -> str:
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\nFor old programs.\n'
    return "\n".join([head, *parts, f"--{boundary}--", "Not for anybody.\n"])


def files(read: Mail) -> list[tuple[str, bytes]]:
    return [(row.filename, row.content) for row in read.attachments]


# --- the text ------------------------------------------------------------------------------

PLAIN = part("in", "text/plain; charset=utf-8", "Straße")
HTML = part("in", "text/html; charset=utf-8", "<html><body><p>Stra&szlig;e</p></body></html>")


def test_the_html_of_a_mail_is_its_text_and_a_file_as_well() -> None:
    read = parse(mail(multi("alternative", "in", PLAIN, HTML)))
    assert (read.content_type, read.body) == ("text/html", "<p>Stra&szlig;e</p>")
    [page] = read.attachments
    assert page.filename == "message.html"
    assert page.preferences == {
        "content-alternative": True,
        "original-format": True,
        "Mime-Type": "text/html",
        "Charset": "utf-8",
    }
    assert page.content.startswith(b"<html>")


def test_a_mail_that_is_a_page_alone_is_read_in_the_same_way() -> None:
    page = "<html><head><title>x</title><style>p {}</style></head><body><!-- x -->Hi</body></html>"
    read = parse(mail("Content-Type: text/html", "", page))
    assert (read.content_type, read.body) == ("text/html", "Hi")
    assert files(read) == [("message.html", page.encode())]


def test_plain_text_with_a_file() -> None:
    pdf = base64.encodebytes(b"\x00PDF").decode().strip()
    report = part(
        "out",
        'application/pdf; name="x.pdf"',
        pdf,
        more="\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment;\n"
        ' filename="report.pdf"',
    )
    read = parse(mail(multi("mixed", "out", part("out", "text/plain", "See there."), report)))
    assert (read.content_type, read.body) == ("text/plain", "See there.\n")
    assert files(read) == [("report.pdf", b"\x00PDF")]
    marks = read.attachments[0].preferences
    assert (marks["Mime-Type"], marks["Charset"]) == ("application/pdf", "UTF-8")
    assert not {"Content-Disposition", "Content-Transfer-Encoding"} & marks.keys()


def test_parts_in_parts_are_found_wherever_they_are() -> None:
    logo = part("mid", "image/png", "PNG", more="\nContent-ID: <logo.png@x.example>")
    related = f"--out\n{multi('related', 'mid', HTML_INSIDE, logo)}"
    log = part("out", "text/plain; name=log.txt", "a line")
    read = parse(mail(multi("mixed", "out", related, log)))
    assert read.body == "<p>Stra&szlig;e</p>"
    names = [name for name, _ in files(read)]
    assert names == ["message.html", "logo.png", "log.txt"]
    assert read.attachments[1].preferences["Content-ID"] == "logo.png@x.example"


HTML_INSIDE = f"--mid\n{multi('alternative', 'in', PLAIN, HTML)}"


def test_an_attached_mail_is_one_file_named_by_its_subject() -> None:
    inner = "Subject: =?utf-8?q?K=C3=A4se?=\nContent-Type: text/html\n\n<b>inside</b>"
    forwarded = part("out", "message/rfc822", inner)
    nameless = part("out", "message/rfc822", "From: x@y.example\n\nx")
    described = part("out", "message/rfc822", "A: b\n\nx", more="\nContent-Description: Old one")
    text = part("out", "text/plain", "See below.")
    read = parse(mail(multi("mixed", "out", text, forwarded, nameless, described)))
    assert read.body == "See below.\n"
    assert [name for name, _ in files(read)] == ["Käse.eml", "Mail.eml", "Old one.eml"]
    assert b"inside" in read.attachments[0].content


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Type: text/plain", "", " ", ""),
        ("Content-Type: application/pdf", "", "PDF"),
        (multi("mixed", "out", part("out", "application/pdf", "PDF")),),
        ("Content-Type: multipart/mixed", "", "no boundary"),
        (multi("mixed", "out", part("out", "text/plain; name=x.txt", "a file, not the text")),),
    ],
    ids=["blank", "a file alone", "files only", "no boundary", "text as a file"],
)
def test_a_mail_without_a_text_says_so(lines: tuple[str, ...]) -> None:
    read = parse(mail(*lines))
    assert (read.content_type, read.body) == ("text/plain", NO_TEXT)


def test_an_empty_page_leaves_the_plain_text() -> None:
    empty = "--in\nContent-Type: text/html\n"
    read = parse(mail(multi("alternative", "in", PLAIN, empty)))
    assert (read.content_type, read.body) == ("text/plain", "Straße\n")
    assert [row.preferences["Mime-Type"] for row in read.attachments] == ["text/html"]


def test_a_mail_that_was_cut_off_keeps_what_came() -> None:
    whole = mail(multi("mixed", "out", part("out", "text/plain", "Here."), part("out", "x/y", "z")))
    read = parse(whole[: whole.index(b"--out--")])
    assert read.body == "Here.\n"
    assert len(read.attachments) == 1


# --- names of files ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "more", "name"),
    [
        ("image/png", "", "image.png"),
        ("image/png", "\nContent-Description: A plan", "A plan.png"),
        ("image/png", "\nContent-ID: <plan@x.example>", "image.png"),
        ("application/pdf", "", "file"),
        ("application/pdf", "\nContent-ID: <plan@x.example>", "plan"),
        ("application/pdf; name==?utf-8?q?Pl=C3=A4ne.pdf?=", "", "Pläne.pdf"),
        ("application/pdf; name*=utf-8''Pl%C3%A4ne.pdf", "", "Pläne.pdf"),
        ("application/pdf", "\nContent-Location: there.pdf", "there.pdf"),
        ("text/rfc822-headers", "", "file"),
    ],
)
def test_a_file_has_the_name_that_its_headers_give_it(kind: str, more: str, name: str) -> None:
    text = part("out", "text/plain", "See there.")
    read = parse(mail(multi("mixed", "out", text, part("out", kind, "x", more=more))))
    assert files(read) == [(name, b"x\n")]


def test_no_two_files_have_one_name() -> None:
    text = part("out", "text/plain", "See there.")
    twice = [part("out", f"x/y; name={name}", name) for name in ("a.b.txt", "a.b.txt", "log")]
    read = parse(mail(multi("mixed", "out", text, *twice, part("out", "x/y; name=log", "2"))))
    assert [name for name, _ in files(read)] == ["a.b.txt", "a1.b.txt", "log", "1"]


def test_what_is_shown_as_text_is_no_file_even_if_it_is_there_twice() -> None:
    text = part("out", "text/plain", "Hello")
    assert files(parse(mail(multi("mixed", "out", text, text)))) == []
    other = part("out", "text/plain", "Another")
    assert files(parse(mail(multi("mixed", "out", text, other)))) == [
        ("document.txt", b"Another\n")
    ]


# --- charsets and encodings ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        ("iso-8859-1", "Grüße".encode("latin-1"), "Grüße"),
        ("windows-1251", "Привет".encode("cp1251"), "Привет"),
        ("iso-2022-jp", "日本".encode("iso-2022-jp"), "日本"),
        ("iso-8859-1", "Grüße".encode(), "Grüße"),
        ("no-such-charset", "Grüße".encode("cp1252"), "Grüße"),
        ("us-ascii", "Grüße".encode("cp1252"), "Grüße"),
        ("utf-8", b"\x81", "\ufffd"),
        ("ks_c_5601-1987", "안녕".encode("euc-kr"), "안녕"),
    ],
)
def test_a_text_is_read_as_utf8_if_it_is_any_and_in_its_charset_else(
    charset: str, raw: bytes, text: str
) -> None:
    head = mail(f"Content-Type: text/plain; charset={charset}", "", "")
    assert parse(head + raw).body == text


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("base64", base64.encodebytes("Grüße\r\n".encode()).decode()),
        ("BASE64", "R3LDvMOfZQo"),
        ("base64", "R3LDvMOfZQo=\n--\n"),
        ("quoted-printable", "Gr=C3=BC=\n=C3=9Fe\n"),
        ("8bit", "Grüße\n"),
        ("x-unknown", "Grüße\n"),
    ],
)
def test_a_text_is_freed_of_its_transfer_encoding(encoding: str, written: str) -> None:
    head = ("Content-Type: text/plain; charset=utf-8", f"Content-Transfer-Encoding: {encoding}")
    assert parse(mail(*head, "", written)).body == "Grüße\n"


# --- headers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        ("=?utf-8?q?K=C3=A4se_mit?= =?utf-8?b?IEzDtmNoZXJu?=", "Käse mit Löchern"),
        ("=?utf-8?b?w6Q=?= and =?iso-8859-1?q?=FC?=", "ä and ü"),
        ("a long\n one", "a long one"),
        ("=?no-such?q?K=C3=A4se?=", "Käse"),
        ("=?utf-8?b?!!!!?=", ""),
        ("Käse", "Käse"),
    ],
)
def test_a_header_is_unfolded_and_decoded(written: str, subject: str) -> None:
    head = f"From: carla@acme.example\nSubject: {written}\n"
    assert parse(mail("", "x", head=head)).header("Subject") == subject


def test_a_header_of_raw_bytes_is_read_each_on_its_own() -> None:
    latin = b"Subject: K\xe4se\r\n" + "X-Other: Größe\r\n".encode()
    read = parse(b"From: carla@acme.example\r\n" + latin + b"\r\nx")
    assert (read.header("Subject"), read.header("X-Other")) == ("Käse", "Größe")


def test_of_a_header_that_is_there_twice_the_last_one_counts() -> None:
    read = parse(mail("X-Loop: yes", "x-loop: support@example.com", "", "x"))
    assert read.header("X-Loop") == "support@example.com"
    assert not read.is_automatic("zammad.example")


@pytest.mark.parametrize(
    ("head", "name", "address"),
    [
        ("From: Carla <Carla@ACME.example>", "Carla", "carla@acme.example"),
        ('From: "Customer, Carla" <c@acme.example>', "Customer, Carla", "c@acme.example"),
        ("From: =?utf-8?q?M=C3=BCller=2C_Eva?= <e@x.example>", "Müller, Eva", "e@x.example"),
        ("From: 'Carla' <c@acme.example>", "Carla", "c@acme.example"),
        ("From: Carla (Sales) <c@acme.example>", "", "c@acme.example"),
        ("From: root", "", "root@local"),
        ("From: c@acme.example, d@acme.example", "", "c@acme.example"),
        ("From: Carla\nReply-To: Carla C <c@acme.example>", "Carla C", "c@acme.example"),
        ("Return-Path: <c@acme.example>", "", "c@acme.example"),
        ("Sender: c@acme.example.", "", "c@acme.example"),
        (
            "From: Max | [acme.example] <max@acme.example>",
            "Max | [acme.example]",
            "max@acme.example",
        ),
        ("From: Customer, Carla <c@acme.example>", "Carla", "c@acme.example"),
        ('From: "Carla <c@acme.example>', "Carla", "c@acme.example"),
        ("Subject: nobody", "", ""),
        ("From: \nReturn-Path: <>", "", ""),
    ],
)
def test_a_mail_is_from_the_first_address_in_its_headers(
    head: str, name: str, address: str
) -> None:
    read = parse(mail("", "x", head=f"{head}\n"))
    assert (read.name, read.address) == (name, address)


def test_a_mail_without_an_id_gets_the_same_one_each_time() -> None:
    first, again, other = (parse(mail("", text)) for text in ("x", "x", "y"))
    assert first.message_id == again.message_id != other.message_id
    assert first.message_id.startswith("<gen-")
    assert first.message_id.endswith("@acme.example>")


# --- in the helpdesk -----------------------------------------------------------------------


def received(sandbox: ZammadSandbox, api: Api, raw: bytes) -> Json:
    ticket_id = sandbox.model.mailbox.receive(raw)
    return api.get(f"/ticket_articles/by_ticket/{ticket_id}")[0]


def test_an_article_shows_the_text_the_type_and_the_files_of_its_mail(
    sandbox: ZammadSandbox, api: Api
) -> None:
    raw = mail(multi("alternative", "in", PLAIN, HTML))
    article = received(sandbox, api, raw)
    assert (article["content_type"], article["body"]) == ("text/html", "<p>Stra&szlig;e</p>")
    [file] = article["attachments"]
    place = f"/api/v1/ticket_attachment/{article['ticket_id']}/{article['id']}"
    client, headers = sandbox.app.test_client(), {"Authorization": f"Token token={Token.BRIDGE}"}
    answer = client.get(f"{place}/{file['id']}", headers=headers)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert b"<html>" in answer.data
    assert client.get(f"{place}/999", headers=headers).status_code == 403


def test_a_mail_without_a_subject_has_a_dash_for_a_title(sandbox: ZammadSandbox, api: Api) -> None:
    article = received(sandbox, api, mail("", "x", head="From: carla@acme.example\n"))
    assert (article["subject"], article["to"], article["cc"]) == (None, None, None)
    assert api.get(f"/tickets/{article['ticket_id']}")["title"] == "-"


def test_recipients_that_are_none_are_shown_as_nothing(sandbox: ZammadSandbox, api: Api) -> None:
    head = "From: carla@acme.example\nTo: undisclosed-recipients:;\n"
    assert received(sandbox, api, mail("", "x", head=head))["to"] == ""


def test_a_mail_that_nobody_has_sent_is_dropped(sandbox: ZammadSandbox, api: Api) -> None:
    assert sandbox.model.mailbox.receive(mail("", "x", head="Subject: Boo\n")) is None
    assert api.get("/tickets") == []
