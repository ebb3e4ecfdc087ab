"""The texts that agents and requesters read: templates per language, which a company may replace.

Texts are filled with the account's facts only, never with what a customer wrote.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from bridge.errors import SettingsError

LANGUAGES = ("en", "de")
_DAYS_OF_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class Text:
    """A filled-in text; `subject` is empty for internal notes."""

    subject: str
    text: str


class Texts:
    """Every text in every language."""

    def __init__(self, catalogues: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
        self._catalogues = catalogues

    @classmethod
    def load(cls, directory: Path | None = None) -> "Texts":
        """The texts that come along, and over them those of `directory` (`fr.toml` ...).

        A language of one's own must have every text. Raises:
            SettingsError: a file cannot be read, or a text is missing, unknown or wrongly filled.
        """
        catalogues = {
            language: tomllib.loads(
                files("bridge.texts").joinpath(f"{language}.toml").read_text("utf-8")
            )
            for language in LANGUAGES
        }
        ours = catalogues["en"]
        for path in sorted(directory.glob("*.toml")) if directory else []:
            catalogues[path.stem] = {**catalogues.get(path.stem, {}), **_read(path)}
            _check(path, catalogues[path.stem], ours)
        return cls(catalogues)

    @property
    def languages(self) -> frozenset[str]:
        """The languages that have every text."""
        return frozenset(self._catalogues)

    def fill(self, language: str, name: str, facts: Mapping[str, object]) -> Text:
        """A text in a language (English where there is none), with the facts filled in."""
        entry = self._catalogues.get(language, self._catalogues["en"])[name]
        subject = Template(entry.get("subject", "")).substitute(facts)
        return Text(subject, Template(entry["text"]).substitute(facts).strip())


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"texts: {path}: {error}") from error


def _check(
    path: Path, own: Mapping[str, Mapping[str, str]], ours: Mapping[str, Mapping[str, str]]
) -> None:
    """A wrong text must be found at start-up, not when a customer waits for it."""
    for name in sorted(own.keys() | ours.keys()):
        if name not in ours:
            raise SettingsError(f"texts: {path}: there is no text [{name}]; remove it")
        if name not in own:
            raise SettingsError(f"texts: {path}: the text [{name}] is missing")
        parts = own[name].values() if isinstance(own[name], dict) else [None]
        if not all(isinstance(part, str) for part in parts) or "text" not in own[name]:
            raise SettingsError(f'texts: {path}: [{name}] needs text = "...", in quotes')
        if name == "weekdays" and len(own[name]["text"].split()) != _DAYS_OF_A_WEEK:
            raise SettingsError(f"texts: {path}: [weekdays] needs seven words, from Monday on")
        for part in ("subject", "text"):
            _check_part(
                f"{path}: [{name}] {part}", own[name].get(part, ""), ours[name].get(part, "")
            )


def _check_part(where: str, own: str, ours: str) -> None:
    template = Template(own)
    if not template.is_valid():
        raise SettingsError(f"texts: {where}: a lone $ must be written $$")
    unknown = set(template.get_identifiers()) - set(Template(ours).get_identifiers())
    if unknown:
        known = ", ".join(f"${name}" for name in sorted(Template(ours).get_identifiers()))
        raise SettingsError(
            f"texts: {where}: unknown ${min(unknown)}; it may use {known or 'none'}"
        )
    if ours and not own.strip():
        raise SettingsError(f"texts: {where}: is empty")
