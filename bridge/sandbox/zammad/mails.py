"""Mails as text: how they are written, read, and told from what no person wrote. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as policy
from email.utils import format_datetime, formataddr, parseaddr
from uuid import uuid4

from bridge.sandbox.zammad.records import Record

_ROBOTS = {
    # header: what in it marks a mail as automatic
    "X-Loop": r"yes|true",
    "Precedence": r"bulk|list|junk",
    "Auto-Submitted": r"auto-(generated|replied)",
    "X-Auto-Response-Suppress": r"all",
    "List-Unsubscribe": r".",
}
_BOUNDARY = "=_b0unce"
_EXPLANATION = "I'm sorry to have to inform you that your message could not be delivered."


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part of a mail that is not its text: the file's name, its content, its marks."""

    filename: str
    content: bytes
    preferences: Record


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that came in.

    Attributes:
        raw: the mail as it came.
        headers: by name, whatever the case, decoded.
        body: its text, with newlines only.
        address: the sender's address, in lower case.
        name: the sender's display name, maybe empty.
    """

    raw: bytes
    headers: EmailMessage
    body: str
    address: str
    name: str
    attachments: tuple[Attachment, ...] = field(default=())

    def header(self, name: str) -> str:
        """A header's value; empty where it is missing."""
        return str(self.headers[name] or "").strip()

    @property
    def references(self) -> list[str]:
        """The ids of the mails that this one answers."""
        return f"{self.header('References')} {self.header('In-Reply-To')}".split()

    def is_automatic(self, fqdn: str) -> bool:
        """Whether Zammad takes it for an automatic one (recordings 282 to 400).

        `Precedence: auto_reply`, `List-Id`, noreply@ and a bounce without `Auto-Submitted` are no
        marks. One is an id of the system's own making.
        """
        marked = any(
            re.search(pattern, self.header(name), re.IGNORECASE)
            for name, pattern in _ROBOTS.items()
        )
        return marked or self.header("Message-ID").lower().endswith(f"@{fqdn}>".lower())

    def is_own_notification(self, fqdn: str) -> bool:
        """Whether it is a mail of this system to its agents: Zammad drops it (388)."""
        own = self.header("Message-ID").lower().endswith(f"@{fqdn}>".lower())
        return own and "bulk" in self.header("Precedence").lower()

    def is_out_of_office(self) -> bool:
        """Whether it leaves a closed ticket closed (recordings 298, 303; against 292, 308)."""
        submitted = self.header("Auto-Submitted").lower()
        if self.header("X-Auto-Response-Suppress"):
            suppressed = "all" in self.header("X-Auto-Response-Suppress").lower()
            return suppressed and bool(self.header("X-MS-Exchange-Inbox-Rules-Loop"))
        if "vacation" in submitted or "auto-replied; owner-email=" in submitted:
            return True
        return "auto-replied" in submitted and "vacation" in self.header("Subject").lower()

    def returned(self) -> Iterator[str]:
        """The ids of the mails that come back with it, if it says that they failed for good."""
        report = [a for a in self.attachments if _kind(a) == "message/delivery-status"]
        if not any(re.search(rb"(?im)^action:\s*failed", a.content) for a in report):
            return
        for attachment in self.attachments:
            if _kind(attachment) == "message/rfc822":
                message_id = parse(attachment.content).header("Message-ID")
                if message_id:
                    yield message_id


def parse(raw: bytes) -> Mail:
    """Read a mail. Of the parts of a report or a mail with files, the first text is its body."""
    message = _headers(raw)
    name, address = parseaddr(str(message["From"] or ""))
    boundary = message.get_boundary()
    if boundary is None:
        return Mail(raw, message, _text(raw), address.lower(), name)
    *parts, _end = re.split(rb"\r?\n--" + re.escape(boundary.encode()) + rb"(?:--)?\r?\n", raw)
    texts = [part for part in parts[1:] if _headers(part).get_content_type() == "text/plain"]
    files = tuple(_attachment(part) for part in parts[1:] if part not in texts[:1])
    body = _text(texts[0]) if texts else ""
    return Mail(raw, message, body, address.lower(), name, files)


def compose(
    sender: tuple[str, str],
    recipient: str,
    subject: str,
    body: str,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Write a mail in plain text; `headers` come on top, a Message-ID among them if wanted.

    Args:
        sender: display name, which may be empty, and address.
        recipient: the `To` header.
        subject: any text.
        body: the text; its newlines become those of mails.
        headers: more headers.
    """
    domain = sender[1].rpartition("@")[2]
    head = {
        "From": formataddr(sender),
        "To": recipient,
        "Subject": subject if subject.isascii() else Header(subject, "utf-8").encode(),
        "Message-ID": f"<{uuid4()}@{domain}>",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
    } | dict(headers or {})
    lines = [f"{name}: {value}" for name, value in head.items()]
    return "\r\n".join([*lines, "", *body.split("\n")]).encode()


def bounce(
    returned: bytes, recipient: str, host: str, now: datetime, headers: Mapping[str, str]
) -> bytes:
    """Write what a mail server answers to a mail that it cannot deliver (recording 325).

    Args:
        returned: the mail that comes back.
        recipient: who could not be reached.
        host: the mail server; the daemon's address is in it.
        now: the time of the failure.
        headers: more headers; `Auto-Submitted` is not there by itself.
    """
    mailer = ("Mail Delivery System", f"MAILER-DAEMON@{host}")
    report = f'multipart/report; report-type=delivery-status; boundary="{_BOUNDARY}"'
    body = "\n".join(
        [
            *("This is a MIME-encapsulated message.", "", f"--{_BOUNDARY}"),
            "Content-Description: Notification",
            *("Content-Type: text/plain; charset=us-ascii", ""),
            *(f"This is the mail system at host {host}.", _EXPLANATION, "", f"--{_BOUNDARY}"),
            "Content-Description: Delivery report",
            *("Content-Type: message/delivery-status", ""),
            *(f"Reporting-MTA: dns; {host}", f"Arrival-Date: {format_datetime(now)}", ""),
            *(f"Final-Recipient: rfc822; {recipient}", "Action: failed", "Status: 5.1.1"),
            *("Diagnostic-Code: smtp; 550 5.1.1 User unknown", "", f"--{_BOUNDARY}"),
            "Content-Description: Undelivered Message",
            *("Content-Type: message/rfc822", ""),
            *(returned.decode().replace("\r\n", "\n"), f"--{_BOUNDARY}--", ""),
        ]
    )
    subject = "Undelivered Mail Returned to Sender"
    sender = parse(returned).address
    return compose(mailer, sender, subject, body, {"Content-Type": report, **headers})


def _headers(raw: bytes) -> EmailMessage:
    message: EmailMessage = BytesParser(EmailMessage, policy=policy).parsebytes(raw)
    return message


def _text(raw: bytes) -> str:
    message = _headers(raw)
    payload = message.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    text = content.decode(message.get_content_charset("utf-8"), "replace")
    return text.replace("\r\n", "\n")


def _attachment(part: bytes) -> Attachment:
    """A part as a file, with the name that Zammad gives to one without (recordings 327, 341)."""
    message = _headers(part)
    kind, description = message.get_content_type(), str(message["Content-Description"] or "")
    content = part.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    filename = message.get_filename() or "file"
    if kind == "message/delivery-status":
        filename = f"{description}.txt"
    if kind == "message/rfc822":
        filename = f"{parse(content).header('Subject')}.eml"
    described = {"Content-Description": description} if description else {}
    marks = {"Mime-Type": kind, "Charset": "UTF-8"}
    return Attachment(filename, content, {"Content-Type": kind, **described, **marks})


def _kind(attachment: Attachment) -> str:
    return str(attachment.preferences["Mime-Type"])
