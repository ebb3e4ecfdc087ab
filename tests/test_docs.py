"""The documentation says what there is: commands, texts, words of the ledger, links, make targets.

The settings are held to docs/settings.md by `test_settings.py`.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Template
from typing import Any

import pytest
from sqlalchemy import CheckConstraint
from typer.main import get_command

from bridge.adapters.registry import VENDORS
from bridge.cli.app import app
from bridge.database.schema import txs
from bridge.policy.decisions import Kind
from bridge.policy.display import Summary
from bridge.policy.owed import Text as OwedText
from bridge.texts import LANGUAGES, Texts
from bridge.ticket import PointsState, SlaState

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FIRST_CELL = re.compile(r"^\| (.+?) \| ", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(page: str) -> str:
    """The page without its blocks of code; every other character keeps its place."""
    return FENCE.sub(lambda block: " " * len(block[0]), page)


def sections(page: str) -> dict[str, str]:
    """What stands below each heading, up to the next one."""
    titles = list(HEADING.finditer(prose(page)))
    ends = [title.start() for title in titles[1:]] + [len(page)]
    return {title[1]: page[title.end() : end] for title, end in zip(titles, ends, strict=True)}


def first_column(section: str) -> set[str]:
    """The words in code in the first cells of the section's tables."""
    return {word for cell in FIRST_CELL.findall(prose(section)) for word in CODE.findall(cell)}


def code(page: str) -> Iterator[str]:
    """Every piece of code: what stands between backticks, and the lines that are typed."""
    yield from CODE.findall(prose(page))
    for block in FENCE.findall(page):
        yield from re.findall(r"^\$ (.+)$", block, re.MULTILINE)


class TestCommands:
    """docs/commands.md: a heading for each command, a row for each of its options."""

    @staticmethod
    def real() -> dict[str, Any]:
        """Every command that can be typed, by its name (`queues list`); "" is the whole."""

        def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
            yield " ".join(path), command
            for name, child in getattr(command, "commands", {}).items():
                yield from walk(child, (*path, name))

        return dict(walk(get_command(app), ()))

    @staticmethod
    def options(command: Any) -> set[str]:
        """The options as they are typed; `--help` needs no words."""
        found = [param for param in command.params if param.param_type_name == "option"]
        return {name for option in found for name in option.opts} - {"--help"}

    @staticmethod
    def arguments(command: Any) -> list[str]:
        found = [param for param in command.params if param.param_type_name == "argument"]
        return [argument.name.upper() for argument in found]

    @staticmethod
    def documented() -> dict[str, tuple[list[str], str]]:
        """By the command's name: its arguments in the heading, and its section."""
        found = {}
        for title, section in sections(read(DOCS / "commands.md")).items():
            if usage := CODE.fullmatch(title):
                words = usage[1].replace("[", "").replace("]", "").split()
                name = " ".join(word for word in words if word.islower())
                found[name] = [word for word in words if word.isupper()], section
        return found | {"": ([], sections(read(DOCS / "commands.md"))["Before the command"])}

    def test_are_all_described_and_no_others(self) -> None:
        assert sorted(self.documented()) == sorted(self.real())

    @pytest.mark.parametrize("name", real(), ids=lambda name: name or "points-bridge")
    def test_are_described_with_their_arguments_and_options(self, name: str) -> None:
        arguments, section = self.documented()[name]
        command = self.real()[name]
        assert arguments == self.arguments(command)
        assert {word.split()[0] for word in first_column(section) if word.startswith("--")} == (
            self.options(command)
        )

    def mistyped(self, page: str) -> list[str]:
        """The command lines of a page that could not be typed like that."""
        commands, wrong = self.real(), []
        usage = re.compile(r"points-bridge (?:--settings \S+ )?([a-z]+)(?: ([a-z]+))?")
        for typed in code(page):
            if words := usage.match(typed):
                names = {words[1], f"{words[1]} {words[2]}"} & commands.keys()
                command = commands[max(names, key=len, default="")]
                known = self.options(command) | {"--settings"}
                if not (names and set(re.findall(r"(?<=\s)--[a-z-]+", typed)) <= known):
                    wrong.append(typed)
        return wrong

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
    def test_exist_where_a_page_types_them(self, page: Path) -> None:
        assert self.mistyped(read(page)) == []

    def test_are_found_where_a_page_types_them_wrong(self) -> None:
        page = (
            "`points-bridge balances`, `points-bridge queues replay --all`, no code: --none\n"
            "```console\n$ points-bridge --settings x.toml serve --prot 8080\n--none\n```\n"
        )
        assert self.mistyped(page) == [
            "points-bridge balances",
            "points-bridge --settings x.toml serve --prot 8080",
        ]


class TestTexts:
    """docs/texts.md: a row for each text, with the names that it may use."""

    @staticmethod
    def names(text: dict[str, str]) -> set[str]:
        return {name for part in text.values() for name in Template(part).get_identifiers()}

    def catalogue(self, language: str) -> dict[str, set[str]]:
        texts = tomllib.loads(read(ROOT / f"bridge/texts/{language}.toml"))
        return {title: self.names(text) for title, text in texts.items()}

    @staticmethod
    def documented() -> dict[str, set[str]]:
        table = sections(read(DOCS / "texts.md"))["The texts"]
        rows = re.findall(r"^\| `(\w+)` \| .+? \| (.+) \|$", table, re.MULTILINE)
        return {title: {name.strip("$") for name in CODE.findall(names)} for title, names in rows}

    def test_are_all_described_with_their_names(self) -> None:
        assert self.documented() == self.catalogue("en")

    def test_are_those_that_decisions_owe(self) -> None:
        owed = {text.value for text in OwedText}
        parts = {"your_account", "how_to_buy", "how_to_buy_here", "we_remind", "weekdays"}
        assert self.catalogue("en").keys() == {*owed, *Summary, *parts, "why_closed_while_held"}

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_use_no_other_names_in_any_language(self, language: str) -> None:
        documented, used = self.documented(), self.catalogue(language)
        assert used.keys() == documented.keys()
        assert all(used[title] <= names for title, names in documented.items())

    def test_of_the_example_are_taken_as_they_stand(self, tmp_path: Path) -> None:
        blocks = FENCE.findall(read(DOCS / "texts.md"))
        [example] = [block for block in blocks if block.startswith("# texts/en.toml")]
        (tmp_path / "en.toml").write_text(example, encoding="utf-8")
        assert "en" in Texts.load(tmp_path).languages

    def test_have_every_name_explained(self) -> None:
        explained = first_column(sections(read(DOCS / "texts.md"))["The names"])
        assert explained == {f"${name}" for names in self.documented().values() for name in names}


class TestRules:
    """docs/rules.md: every word that people meet on a ticket, in `explain` or in a statement."""

    def test_describe_every_state_and_every_decision(self) -> None:
        words = {*PointsState, *SlaState, *Kind} - {Kind.NOTHING}
        described = first_column(sections(read(DOCS / "rules.md"))["A ticket's life"])
        assert described == {word.value for word in words}

    def test_describe_every_kind_of_entry(self) -> None:
        checks = [str(c.sqltext) for c in txs.constraints if isinstance(c, CheckConstraint)]
        [allowed] = [
            kinds[1] for check in checks if (kinds := re.match(r"kind IN \((.+)\)", check))
        ]
        described = first_column(sections(read(DOCS / "rules.md"))["Points"])
        assert described == set(re.findall(r"'(\w+)'", allowed))


class TestFieldsMadeByHand:
    """A state that a drop-down does not offer is refused by the helpdesk, and its write is dead."""

    def test_of_a_zammad_offer_every_state(self) -> None:
        section = sections(read(DOCS / "zammad.md"))["Eight fields on the ticket"]
        offered = re.findall(r'"(\w+)": "[a-z -]+"', section)
        assert {state.value for state in [*PointsState, *SlaState]} <= set(offered)

    def test_of_a_zendesk_offer_every_state(self) -> None:
        offered = set(CODE.findall(sections(read(DOCS / "zendesk.md"))["2. Ticket fields"]))
        assert {f"points_state_{state.value}" for state in PointsState} <= offered
        assert {f"points_sla_state_{state.value}" for state in SlaState} <= offered


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = HEADING.findall(prose(read(page)))
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def broken_links(page: Path) -> list[str]:
    """The relative links of a page that lead nowhere."""
    broken = []
    for link in LINK.findall(prose(read(page))):
        if re.match(r"\w+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


class TestLinks:
    @pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
    def test_lead_somewhere(self, page: Path) -> None:
        assert broken_links(page) == []

    def test_are_found_when_they_do_not(self, tmp_path: Path) -> None:
        page = tmp_path / "page.md"
        page.write_text(
            "# A page\n\n[a](#a-page) [b](#b) [c](c.md) [d](page.md#d) [e](https://e.example)\n",
            encoding="utf-8",
        )
        assert broken_links(page) == ["#b", "c.md", "page.md#d"]

    def test_of_the_index_name_every_decision(self) -> None:
        pages = {page.name for page in (DOCS / "adr").glob("[0-9]*.md")}
        assert pages <= set(LINK.findall(read(DOCS / "adr/README.md")))


def lost_paths(text: str) -> list[str]:
    """The files, folders and modules of ours that a text names and that are not there."""
    files = re.findall(
        r"(?<![\w/-])(?:bridge|webhooks|tests|docs)/[\w/.-]+\.(?:py|md|toml)\b", text
    )
    folders = re.findall(r"`((?:bridge|webhooks|tests|docs)/[\w/]+)`", text)
    lost = [path for path in [*files, *folders] if not (ROOT / path).exists()]
    return lost + [name for name in re.findall(r"`(bridge(?:\.\w+)+)`", text) if is_lost(name)]


def is_lost(name: str) -> bool:
    """Whether a dotted name is neither a module nor what one defines."""
    path = ROOT / name.replace(".", "/")
    if path.is_dir() or path.with_suffix(".py").is_file():
        return False
    package = path.parent if path.parent.is_dir() else path.parent.with_suffix(".py")
    module = package / "__init__.py" if package.is_dir() else package
    defined = rf"^(?:def |class )?{path.name}\b"
    return not (module.is_file() and re.search(defined, read(module), re.MULTILINE))


class TestPaths:
    """Where a page or a docstring sends its reader, there is something."""

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
    def test_lead_somewhere(self, page: Path) -> None:
        assert lost_paths(read(page)) == []

    def test_in_the_source_lead_somewhere(self) -> None:
        sources = [*(ROOT / "bridge").rglob("*.py"), *(ROOT / "webhooks").rglob("*.py")]
        assert [path for source in sources for path in lost_paths(read(source))] == []

    def test_are_found_when_they_do_not(self) -> None:
        there = "`bridge/policy`, bridge/policy/owed.py, `bridge.policy.owed`, docs/adr/README.md"
        assert lost_paths(f"{there}, `bridge.policy.incidents.decide`") == []
        assert lost_paths(
            "`bridge/rules`, bridge/policy/none.py, `bridge.nowhere`, `bridge.policy.owed.nothing`"
        ) == [
            "bridge/policy/none.py",
            "bridge/rules",
            "bridge.nowhere",
            "bridge.policy.owed.nothing",
        ]


#: Words that mean in a name of ours what they mean anywhere: no page need explain them.
PLAIN_WORDS = frozenset(
    re.findall(
        r"\w+",
        "access answer api app base browser check cli common completion condition coordination"
        " country demo description directory env error example fact fault header http initial kind"
        " lifecycle limit list log model name number output page search section seed server shape"
        " store value version web wsgi",
    )
)
#: What a vendor calls things in its own product; its adapter and its stand-in alone do.
VENDORS_WORDS = frozenset(
    re.findall(
        r"\w+",
        "article attribute badge deletion desk escalation flag group health mail mailbox mime"
        " notification placeholder saving sla suspended view",
    )
)
#: The verbs that products of this kind use for everything, and the one place where each is at home.
HOMES = {
    "decide": ("bridge/policy/",),
    "reconcile": (),
    "settle": ("bridge/service/", "bridge/demo/scene.py"),
    "verify": ("bridge/adapters/",),
}


def glossary() -> list[str]:
    return re.findall(r"^\| (?!Word )([^|-][^|]*?) \| ", read(DOCS / "glossary.md"), re.MULTILINE)


def forms(term: str) -> set[str]:
    """A term as it may stand in a name: in the plural, or as what somebody is doing."""
    term = term.replace("-", "")
    ending = {f"{term}s", f"{term}es", re.sub("y$", "ies", term)}
    doubled = {f"{term}{term[-1]}ing", f"{term.removesuffix('e')}ing"}
    return {term, *ending, *doubled}


def unexplained(name: tuple[str, ...], terms: Iterable[str]) -> list[str]:
    """The words of a name's last part that no term explains: alone, together, or with the room's.

    A name is a path: `("database", "engine")`, `("service_hours",)`.
    """
    known = {form for term in terms for form in forms(term)}
    spoken = [part.replace("_", " ") for part in name]
    if spoken[-1] in known or " ".join(spoken[-2:]) in known:
        return []
    return [word for word in spoken[-1].split() if word not in known and not word.isdigit()]


class TestTheGlossary:
    """docs/glossary.md: every name that people meet is made of words that it explains."""

    @staticmethod
    def names() -> set[tuple[str, ...]]:
        """Packages, modules and commands, as paths."""
        paths = [path for room in ("bridge", "webhooks") for path in (ROOT / room).rglob("*.py")]
        modules = (path.relative_to(ROOT).with_suffix("").parts for path in paths)
        named = {tuple(part for part in parts if part != "__init__") for parts in modules}
        packages = {parts[:end] for parts in named for end in range(1, len(parts) + 1)}
        return packages - {("bridge",)} | {
            tuple(name.split()) for name in TestCommands.real() if name
        }

    @staticmethod
    def definitions() -> Iterator[tuple[str, str]]:
        """Every function, method and class: its file, and its name."""
        for path in [*(ROOT / "bridge").rglob("*.py"), *(ROOT / "webhooks").rglob("*.py")]:
            for name in re.findall(r"^ *(?:def|class) (\w+)", read(path), re.MULTILINE):
                yield path.relative_to(ROOT).as_posix(), name

    def missing(self, but: frozenset[str] = frozenset()) -> dict[str, list[str]]:
        """The words that are not explained, by name, but for those that need no explanation."""
        plain, vendors = PLAIN_WORDS - but, VENDORS_WORDS - but
        ours = {*glossary(), *VENDORS, *plain}
        found = {
            "/".join(name): unexplained(name, ours | vendors if {*VENDORS} & {*name} else ours)
            for name in self.names()
        }
        return {name: words for name, words in found.items() if words}

    def test_explains_every_word_of_every_name(self) -> None:
        assert self.missing() == {}

    def test_explains_each_word_once_and_in_order(self) -> None:
        order = [re.sub("[^a-z ]", "", term) for term in glossary()]
        assert order == sorted(set(order))

    def test_need_not_explain_but_what_some_name_has(self) -> None:
        assert (PLAIN_WORDS | VENDORS_WORDS).isdisjoint(glossary())
        everything = self.missing(PLAIN_WORDS | VENDORS_WORDS)
        said = {word for words in everything.values() for word in words}
        assert [word for word in PLAIN_WORDS | VENDORS_WORDS if not forms(word) & said] == []

    def test_gives_each_of_the_common_verbs_one_home(self) -> None:
        assert HOMES.keys() <= set(glossary())
        strays = [
            f"{path}: {name}"
            for path, name in self.definitions()
            for verb, homes in HOMES.items()
            if forms(verb) & set(name.lower().split("_")) and not path.startswith(homes)
        ]
        assert strays == []

    def test_would_miss_a_word_that_it_does_not_explain(self) -> None:
        terms = ["retry", "settle", "service hours", "database engine", "write-back"]
        for name in (("retries",), ("settling",), ("service_hours",), ("writeback",)):
            assert unexplained(name, terms) == []
        assert unexplained(("bridge", "database", "engine"), terms) == []
        assert unexplained(("bridge", "engine"), terms) == ["engine"]
        assert unexplained(("policy", "settle_gadgets"), terms) == ["gadgets"]


class TestMakeTargets:
    @staticmethod
    def missing(page: str) -> set[str]:
        """The targets that a page names and the Makefile does not have."""
        targets = set(re.findall(r"^(\w+):", read(ROOT / "Makefile"), re.MULTILINE))
        return {
            name for typed in code(page) for name in re.findall(r"\bmake (\w+)", typed)
        } - targets

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
    def test_exist_where_a_page_names_them(self, page: Path) -> None:
        assert self.missing(read(page)) == set()

    def test_are_found_when_they_do_not(self) -> None:
        assert self.missing("make haste\n```console\n$ make demo\n$ make tea\n```\n") == {"tea"}
