"""Mails as text: how they are written, read, and told from what no person wrote. Pure."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr, getaddresses
from uuid import uuid4

from bridge.sandbox.zammad import mime

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
class Mail:
    """A mail that came in.

    Attributes:
        raw: the mail as it came.
        head: its headers and parts, as they are written.
        body: its text, with newlines only.
        content_type: `text/plain`, or `text/html` where there is any.
        address: the sender's address, in lower case; empty where no header has one.
        name: the sender's display name, maybe empty.
        message_id: its id, maybe one that the parser made.
        attachments: its files.
    """

    raw: bytes
    head: mime.Part
    body: str
    content_type: str
    address: str
    name: str
    message_id: str
    attachments: tuple[mime.Attachment, ...] = field(default=())

    def header(self, name: str) -> str:
        """A header's value, decoded; empty where it is missing."""
        return self.head.header(name) or ""

    def people(self, name: str) -> list[tuple[str, str]]:
        """The names and addresses in a header such as `To`, without what is no address."""
        pairs = getaddresses([self.head.head[name] or ""])
        return [(_name(mime.words(who)), _address(at)) for who, at in pairs if "@" in at]

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
        return marked or self.message_id.lower().endswith(f"@{fqdn}>".lower())

    def is_own_notification(self, fqdn: str) -> bool:
        """Whether it is a mail of this system to its agents: Zammad drops it (388)."""
        own = self.message_id.lower().endswith(f"@{fqdn}>".lower())
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

    def undeliverable(self) -> str:
        """The address that is not there, if it is the report of a mail server about one; or empty.

        Other failures say nothing of an address (recording 327).
        """
        for attachment in self.attachments:
            report = attachment.content.decode("utf-8", "replace")
            found = re.search(r"(?im)^final-recipient:\s*rfc822;\s*(\S+)", report)
            gone = re.search(r"(?im)^action:\s*failed", report)
            status = re.search(r"(?im)^status:\s*5\.1\.1\s*$", report)
            is_report = attachment.preferences.get("Mime-Type") == "message/delivery-status"
            if is_report and gone and status and found:
                return found[1].lower()
        return ""

    def returned(self) -> Iterator[str]:
        """The ids of the mails that come back with it, if it says that they failed for good."""
        report = [
            a
            for a in self.attachments
            if a.preferences.get("Mime-Type") == "message/delivery-status"
        ]
        if not any(re.search(rb"(?im)^action:\s*failed", a.content) for a in report):
            return
        for attachment in self.attachments:
            if attachment.preferences.get("Mime-Type") == "message/rfc822":
                yield parse(attachment.content).message_id


def parse(raw: bytes) -> Mail:
    """Read a mail. One without an id gets one that is always the same for the same mail."""
    head = mime.read(raw)
    content_type, body = mime.text_of(head)
    name, address = _sender(head)
    message_id = head.header("Message-ID")
    if not message_id:
        domain = address.rpartition("@")[2] or "zammad_generated"
        digest = hashlib.md5(raw, usedforsecurity=False).hexdigest()
        message_id = f"<gen-{digest}@{domain}>"
    files = mime.attachments(head)
    return Mail(raw, head, body, content_type, address, name, message_id, files)


def _sender(head: mime.Part) -> tuple[str, str]:
    """Display name and address of who sent a mail; no address where no header says it.

    The first header that holds an address counts, and in it the first address that is one.
    """
    fields = [head.head[name] or "" for name in ("From", "Reply-To", "Return-Path", "Sender")]
    lines = [line.replace("<>", "").strip() for line in fields]
    written = sorted(filter(None, lines), key=lambda line: "@" not in line)
    if not written:
        return "", ""
    line = written[0]
    found = [pair for pair in getaddresses([line]) if pair[1]]
    name, address = min(found, key=lambda pair: "@" not in pair[1], default=("", line))
    broken = "<" in address or (len(found) > 1 and "," not in line)
    if broken and (parts := re.match(r"(.+?)<([^<>\s]+@[^<>\s]+)>", line)):
        name, address = parts[1], parts[2]
    return _name(mime.words(name)), _address(address)


def _name(name: str) -> str:
    """A display name without quotes; one with something in brackets behind it counts for none."""
    bare = name.replace('"', "").strip().removeprefix("'").removesuffix("'").strip()
    return re.sub(r".+?\s\(.+?\)$", "", bare)


def _address(address: str) -> str:
    bare = re.sub(r"""["'\s]""", "", address.lower()).removeprefix("<").removesuffix(">")
    return (bare if "@" in bare else f"{bare}@local").removesuffix(".")


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
