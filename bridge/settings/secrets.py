"""Where secrets are: in the environment, in files that it names, or in a directory of our own."""

import grp
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from bridge.errors import SettingsError

log = structlog.get_logger(__name__)

_HOMES = tuple(map(Path, ("/home", "/root", "/Users")))


def secret_variable(helpdesk: str, key: str) -> str:
    """The environment variable that holds a helpdesk's secret; with `_FILE`, one that names it."""
    return f"POINTS_BRIDGE_{helpdesk}_{key}".upper().replace("-", "_")


def is_text(given: str) -> bool:
    """Whether what the environment gave was UTF-8: Python hands on other bytes as surrogates."""
    return not any("\ud800" <= one <= "\udfff" for one in given)


@dataclass(frozen=True, slots=True)
class Exposed:
    """A file with a secret that others than its owner can read; `group` None: everybody."""

    path: Path
    group: str | None


def exposed(path: Path) -> Exposed | None:
    """Who else can read that file, as its mode and those of the directories above it say.

    None: nobody, or there is no such file.
    """
    try:
        file, *above = (one.stat() for one in (path.resolve(), *path.resolve().parents))
    except OSError:
        return None
    if file.st_mode & stat.S_IROTH and all(one.st_mode & stat.S_IXOTH for one in above):
        return Exposed(path, None)
    entered = (
        one.st_mode & (stat.S_IXGRP if one.st_gid == file.st_gid else stat.S_IXOTH) for one in above
    )
    if not file.st_mode & stat.S_IRGRP or not all(entered):
        return None
    try:
        return Exposed(path, grp.getgrgid(file.st_gid).gr_name)
    except KeyError:
        return Exposed(path, str(file.st_gid))


def warn_of_exposed(files: Iterable[Exposed]) -> None:
    """Log those in a home directory that everybody can read.

    Elsewhere it may be how the secrets of a container are mounted: doctor tells of those.
    """
    own = os.environ.get("HOME", "/")
    homes = (*_HOMES, *([Path(own)] if own.strip("/") else []))
    for one in files:
        if one.group is None and any(one.path.is_relative_to(home) for home in homes):
            remedy = "chmod 600"
            log.warning("everybody can read a secret", file=str(one.path), remedy=remedy)


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of one helpdesk; it knows where they are, and holds none.

    A secret is in the variable, or in the file that the variable with `_FILE` names, or else in
    `directory`, where `points-bridge setup` keeps those that it makes.
    """

    helpdesk: str
    directory: Path
    environ: Mapping[str, str] = field(repr=False)

    def read(self, key: str, *, required: bool, may_come: bool) -> str | None:
        """A secret; None where there is none. A newline at its end does not count.

        Args:
            key: its name in the vendor's settings.
            required: whether one must be there.
            may_come: whether one that is not there yet is no mistake: `setup` is about to keep it.

        Raises:
            SettingsError: it is not there, cannot be read, is no text, or is given twice; says what
                to do.
        """
        variable = secret_variable(self.helpdesk, key)
        value = self.environ.get(variable, "")
        file = self._named_file(key)
        if value and file:
            raise SettingsError(f"{variable} and {variable}_FILE are both set; unset one of them")
        if not value:
            path = file or self._own_file(key)
            value = self._content(path, f"{variable}_FILE: ", absent=may_come or not file)
        secret = value.rstrip("\r\n")
        if not is_text(secret):
            raise SettingsError(f"{variable} is not text in UTF-8; set it anew in UTF-8")
        if secret.strip():
            return secret
        if required and not may_come:
            raise SettingsError(f"is not set, or empty; {self._remedy(key)}")
        return None

    def refuse_misplaced(self, key: str, file: Path) -> None:
        """Complain of a secret that stands in the settings file. Raises SettingsError."""
        read = ", which others can read: make a new one" if exposed(file) else ""
        raise SettingsError(f"a secret does not belong in this file{read}; {self._remedy(key)}")

    def exposed(self, keys: Iterable[str]) -> list[Exposed]:
        """The files with these secrets that others can read."""
        places = dict.fromkeys(filter(None, map(self.place, keys)))
        return [found for place in places if (found := exposed(place))]

    def place(self, key: str) -> Path | None:
        """The file that `keep` writes; None where the environment holds the secret itself."""
        if self.environ.get(secret_variable(self.helpdesk, key)):
            return None
        return self._named_file(key) or self._own_file(key)

    def keep(self, key: str, value: str) -> None:
        """Write a secret to its place, for its owner's eyes only. Repeating it is safe.

        Raises:
            SettingsError: it cannot be written there, or the environment holds another one.
        """
        path = self.place(key)
        variable = secret_variable(self.helpdesk, key)
        if path is None:
            raise SettingsError(f"{variable} holds another secret; unset it, and run this again")
        new = path.with_name(f".{path.name}.new")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new.unlink(missing_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(f"{value}\n")
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except OSError as error:
            with suppress(OSError):
                new.unlink(missing_ok=True)
            raise SettingsError(
                f"{path}: the secret cannot be kept there: {error.strerror}; let {variable}_FILE"
                " or secrets_directory name a place that this command may write"
            ) from None

    def _named_file(self, key: str) -> Path | None:
        name = self.environ.get(f"{secret_variable(self.helpdesk, key)}_FILE", "")
        return Path(name) if name else None

    def _own_file(self, key: str) -> Path:
        # No helpdesk's name holds an underscore, so the first one ends it.
        return self.directory / f"{self.helpdesk}_{key}"

    def _content(self, path: Path, variable: str, *, absent: bool) -> str:
        try:
            return path.read_text("utf-8")
        except FileNotFoundError as error:
            if absent:
                return ""
            reason = error.strerror
        except OSError as error:
            reason = error.strerror
        except UnicodeDecodeError:
            reason = "it is not text in UTF-8"
        raise SettingsError(f"{variable}cannot read {path}: {reason}; mend the path or the file")

    def _remedy(self, key: str) -> str:
        variable = secret_variable(self.helpdesk, key)
        return f"put it into {variable}, or into a file and its path into {variable}_FILE"
