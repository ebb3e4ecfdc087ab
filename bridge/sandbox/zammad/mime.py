"""The parts of a mail, and how Zammad reads them: headers, charsets, its text, its files. Pure.

From the code of Zammad's parser and of the mail library that it uses; only reports of mail servers
were recorded. Two things are simpler here: HTML is cut down to what is in its body, not purified,
and a text that is neither UTF-8 nor in the charset that it names is read as Western, not guessed.
"""

import quopri
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import HeaderParser
from email.utils import collapse_rfc2231_value
from itertools import count

from bridge.sandbox.zammad.records import Record

NO_TEXT = "no visible content"
"""The text of a mail without any."""

_WORD = r"=\?[^?\s]+\?[bBqQ]\?[^?]*\?="
_WORDS = re.compile(rf"{_WORD}(?:\s+{_WORD})*")
_ENDINGS = {
    # media type: the name of a file without one, and what it ends with
    "message/delivery-status": ("delivery-status", "txt"),
    "text/plain": ("document", "txt"),
    "text/html": ("document", "html"),
    "video/quicktime": ("video", "mov"),
    "image/jpeg": ("image", "jpg"),
    "image/jpg": ("image", "jpg"),
    "image/png": ("image", "png"),
    "image/gif": ("image", "gif"),
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part of a mail that is not its text: the file's name, its content, its marks."""

    filename: str
    content: bytes
    preferences: Record


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A mail or a part of one.

    Attributes:
        head: the headers, as they are written.
        content: what follows them, in its transfer encoding, with newlines only.
        parts: the parts in it; those of a mail that is attached are none of its own.
    """

    head: Message
    content: bytes
    parts: tuple["Part", ...] = field(default=())

    @property
    def kind(self) -> str | None:
        """The media type; None where the headers have none."""
        return self.head.get_content_type() if "Content-Type" in self.head else None

    @property
    def charset(self) -> str | None:
        """The charset that the headers name."""
        name = self.head.get_param("charset")
        return None if name is None else collapse_rfc2231_value(name).strip()

    @property
    def filename(self) -> str:
        """The name that the headers give the part, decoded; empty for none. It makes it a file."""
        return words(self.head.get_filename() or self.head["Content-Location"] or "")

    def header(self, name: str) -> str | None:
        """A header, decoded; of several the last one counts. None where it is missing."""
        rows = self.head.get_all(name)
        return words(rows[-1]) if rows else None

    def decoded(self) -> bytes:
        """The content without its transfer encoding; an unknown one is left alone."""
        encoding = str(self.head["Content-Transfer-Encoding"] or "").strip().lower()
        if encoding == "base64":
            digits = re.sub(rb"[^A-Za-z0-9+/]", b"", self.content)
            digits = digits[: len(digits) - (len(digits) % 4 == 1)]
            return b64decode(digits + b"=" * (-len(digits) % 4))
        return quopri.decodestring(self.content) if encoding == "quoted-printable" else self.content

    def text(self) -> str:
        """The content as text, with newlines only."""
        return utf8(self.decoded(), self.charset).replace("\r\n", "\n").replace("\r", "\n")

    def leaves(self) -> Iterator["Part"]:
        """Every part that has none itself, in their order."""
        for part in self.parts:
            yield from part.leaves() if part.parts else (part,)

    def first(self, kind: str) -> "Part | None":
        """The first part of that kind that is no file, unless it is empty."""
        found = next((p for p in self.leaves() if p.kind == kind and not p.filename), None)
        return found if found is not None and found.content else None


def read(raw: bytes) -> Part:
    """Read a mail or a part of one."""
    lines = raw.replace(b"\r\n", b"\n")
    written, _, content = (b"\n" + lines).partition(b"\n\n")
    head = HeaderParser().parsestr("\n".join(map(utf8, written.lstrip(b"\n").split(b"\n"))))
    boundary = head.get_boundary() if head.get_content_maintype() == "multipart" else None
    if boundary is None:
        return Part(head, content)
    line = rb"\n--" + re.escape(boundary.encode())
    inside = re.split(line + rb"--[ \t]*(?:\n|\Z)", b"\n" + content)[0]
    parts = re.split(line + rb"[ \t]*(?=\n|\Z)", inside)[1:]
    return Part(head, content, tuple(read(part.removeprefix(b"\n")) for part in parts))


def utf8(raw: bytes, charset: str | None = None) -> str:
    """Bytes as text. What can be read as UTF-8 is, whatever charset it names.

    Only Japanese mails, which look like ASCII, are read in their own one first.
    """
    japanese = "iso-2022-jp" if (charset or "").lower() == "iso-2022-jp" else None
    for name in filter(None, (japanese, "utf-8", charset)):
        try:
            return raw.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    return raw.decode("cp1252", "replace")


def words(value: str) -> str:
    """A header's value: unfolded, its encoded words decoded.

    Decoded words with characters that mean something in an address are put in quotes.
    """
    text = re.sub(r"\r?\n[ \t]*", " ", value).strip()
    return _WORDS.sub(lambda found: _quoted(_unencoded(found[0]), text), text)


def _unencoded(written: str) -> str:
    try:
        pairs = decode_header(written)
    except HeaderParseError:
        return written
    return "".join(
        part if isinstance(part, str) else utf8(part, charset) for part, charset in pairs
    )


def _quoted(phrase: str, text: str) -> str:
    """In quotes where it stands before an address and would be read as more than a name."""
    in_address = re.search(r"<[^<>\s]+>\s*(?:,|\Z)", text)
    plain = '"' in phrase or not re.search(r"[,;:<>@()]", phrase)
    return f'"{phrase}"' if in_address and not plain else phrase


def text_of(mail: Part) -> tuple[str, str]:
    """Media type and text of a mail: its HTML, else its plain text, else nothing to be seen."""
    shown = [mail.first("text/html"), mail.first("text/plain"), mail]
    best = next((part for part in shown if part is not None and part.content), None)
    if best is None or best.kind not in {None, "text/plain", "text/html"}:
        return "text/plain", NO_TEXT
    text = _visible(best.text()) if best.kind == "text/html" else best.text()
    return (best.kind or "text/plain", text) if text.strip() else ("text/plain", NO_TEXT)


def _visible(html: str) -> str:
    """What is in the body of a page, without scripts, styles and comments."""
    dropped = r"<!--.*?-->|<!doctype[^>]*>|<(script|style|head|title)\b.*?</\1\s*>"
    kept = re.sub(dropped, "", html, flags=re.IGNORECASE | re.DOTALL)
    return re.sub(r"</?(html|body|meta|link)\b[^>]*>", "", kept, flags=re.IGNORECASE).strip()


def without_tags(html: str) -> str:
    """The words of a page."""
    return re.sub(r"<[^>]*>", " ", html)


def attachments(mail: Part) -> tuple[Attachment, ...]:
    """The files of a mail. HTML is kept as one, too; what is shown as text is not."""
    html, plain = mail.first("text/html"), mail.first("text/plain")
    shown = {part.content for part in (html, plain) if part is not None}
    found: list[Attachment] = []
    alone = not mail.parts and mail.head.get_content_maintype() != "multipart"
    page = html or (mail if alone and mail.kind not in {None, "text/plain"} else None)
    if page is not None and (page.kind or "").startswith("text/"):
        found.append(_page(page))
    elif page is not None:
        found.append(_file(page, found))
    for part in mail.leaves():
        if part.content not in shown:
            found.append(_file(part, found))
    return tuple(found)


def _page(part: Part) -> Attachment:
    """The text as it came, which agents can open beside what is shown of it."""
    is_html = part.kind == "text/html"
    marks: Record = {"content-alternative": True} | ({"original-format": True} if is_html else {})
    marks |= {"Mime-Type": part.kind, "Charset": part.charset or "UTF-8"}
    name = part.filename or ("message.html" if is_html else "-no name-")
    return Attachment(name, part.text().encode(), marks)


def _file(part: Part, before: list[Attachment]) -> Attachment:
    """A part as a file; its marks are its headers."""
    names = dict.fromkeys(key for key in part.head)
    unkept = {"content-transfer-encoding", "content-disposition"}
    marks: Record = {key: part.header(key) for key in names if key.lower() not in unkept}
    if "Content-Id" in marks or "Content-ID" in marks:
        content_id = str(marks.get("Content-ID") or marks.get("Content-Id"))
        marks["Content-ID"] = content_id.removeprefix("<").removesuffix(">")
    if part.kind is not None:
        marks["Mime-Type"] = part.kind
    marks["Charset"] = part.charset or "UTF-8"
    name = part.filename or _made_up(part, marks)
    return Attachment(_unique(name, {row.filename for row in before}), part.decoded(), marks)


def _made_up(part: Part, marks: Record) -> str:
    """The name of a file without one (recordings 327, 341)."""
    content_id, described = str(marks.get("Content-ID", "")), marks.get("Content-Description")
    if part.kind == "message/rfc822":
        return f"{read(part.decoded()).header('Subject') or described or 'Mail'}.eml"
    if named := re.match(r"(.+?\..{2,6})@.", content_id):
        return named[1]
    if part.kind in _ENDINGS:
        name, ending = _ENDINGS[part.kind]
        return f"{described or name}.{ending}"
    return content_id.partition("@")[0] or "file"


def _unique(name: str, taken: set[str]) -> str:
    """A name that no file before has: with a number before its ending.

    Of a name without an ending nothing is left but the number.
    """
    local, dot, ending = name.partition(".") if "." in name else ("", "", "")
    numbers = count(1)
    while name in taken:
        name = f"{local}{next(numbers)}{dot}{ending}"
    return name
