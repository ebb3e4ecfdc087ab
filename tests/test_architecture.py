"""What the structure promises, checked on the source itself: layers, vendors, sizes, secrets."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bridge.adapters.registry import VENDORS
from tests.e2e.desks import DESKS

ROOT = Path(__file__).parents[1]
PACKAGES = ("bridge", "webhooks")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
NOT_OURS = {".git", ".venv", ".hypothesis", "dist", "mutants", "__pycache__"}
LONGEST_MODULE = 400


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=tree,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the source, to be spoilt."""
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def layers() -> list[set[str]]:
    """The rooms from top to bottom, those of one layer together."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    [rooms] = [
        contract["layers"]
        for contract in config["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    return [{name.strip() for name in layer.split("|")} for layer in rooms]


class TestLayers:
    def test_hold(self) -> None:
        result = lint_imports(ROOT)
        assert result.returncode == 0, result.stdout

    @pytest.mark.parametrize(
        ("module", "imported", "contract"),
        [
            ("bridge/policy/terms.py", "sqlalchemy", "Policy is pure"),
            ("bridge/ticket.py", "requests", "Policy is pure"),
            ("bridge/ticket.py", "bridge.policy.terms", "downward only"),
            ("bridge/policy/terms.py", "bridge.service", "downward only"),
            ("bridge/texts/__init__.py", "bridge.adapters.base", "downward only"),
            ("bridge/settings/__init__.py", "bridge.service", "downward only"),
            ("bridge/worker.py", "bridge.jobs", "downward only"),
            ("bridge/bootstrap.py", "webhooks", "downward only"),
            ("bridge/service/__init__.py", "flask", "Flask stays"),
            ("bridge/service/__init__.py", "requests", "over HTTP"),
            ("webhooks/receiver.py", "urllib3", "over HTTP"),
            ("bridge/worker.py", "sqlalchemy", "SQL stays"),
            ("bridge/bootstrap.py", "bridge.adapters.zammad.adapter", "through the registry"),
            ("bridge/bootstrap.py", "bridge.sandbox", "does not know its sandboxes"),
            ("bridge/cli/__init__.py", "bridge.policy.hours", "Commands compute nothing"),
            ("bridge/sandbox/__init__.py", "bridge.policy.hours", "know nothing of the product"),
        ],
    )
    def test_are_broken_by_an_import_that_they_forbid(
        self, tree: Path, module: str, imported: str, contract: str
    ) -> None:
        spoilt = tree / module
        spoilt.write_text(f"{spoilt.read_text('utf-8')}\nimport {imported}\n", "utf-8")
        result = lint_imports(tree)
        assert result.returncode == 1, result.stdout
        importer = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        report = result.stdout
        assert re.search(rf"{contract}.* BROKEN", report)
        assert re.search(rf"{importer}\b.*{imported.split('.')[0]}", report)

    def test_have_a_place_for_every_module(self) -> None:
        placed = {name for layer in layers() for name in layer}
        modules = {
            f"bridge.{path.stem}"
            for path in (ROOT / "bridge").iterdir()
            if path.suffix == ".py" or (path / "__init__.py").is_file()
        }
        assert modules - {"bridge.__init__", "bridge.sandbox"} == placed - {"webhooks"}


class TestThePageOfTheRooms:
    PAGE = (ROOT / "docs/architecture.md").read_text("utf-8")

    def test_shows_the_layers_as_the_linter_holds_them(self) -> None:
        [picture] = re.findall(r"```text\n(.*?)```", self.PAGE, re.DOTALL)
        rooms = [line.split()[0] for line in picture.splitlines()]
        shown = []
        for layer in layers():
            shown.append(set(rooms[: len(layer)]))
            rooms = rooms[len(layer) :]
        assert (shown, rooms) == (layers(), [])

    def test_walks_through_eight_rooms_at_most(self) -> None:
        walk = self.PAGE.partition("## One delivery")[2].partition("##")[0]
        stations = re.findall(r"^\| `([\w.]+)` \|", walk, re.MULTILINE)
        known = {name for layer in layers() for name in layer}
        assert set(stations) <= known
        assert 0 < len(stations) <= 8


def makers_of_what_is_owed(sources: Mapping[str, str]) -> set[str]:
    """The files that build an `Owed` of their own."""
    return {
        name
        for name, source in sources.items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Owed"
    }


class TestWhatIsOwed:
    def test_is_said_by_policy_alone(self) -> None:
        sources = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in MODULES}
        makers = makers_of_what_is_owed(sources)
        assert {name for name in makers if not name.startswith("bridge/policy/")} == set()
        assert "bridge/policy/owed.py" in makers

    def test_would_be_found_elsewhere(self) -> None:
        sources = {"a": "owe(Owed())", "b": "owed.Owed(texts=())", "c": "together(owed)"}
        assert makers_of_what_is_owed(sources) == {"a", "b"}


def lines_naming_a_vendor(path: Path) -> Iterator[str]:
    vendors = "|".join({*VENDORS, "zammad", "zendesk", "zenpy"})
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if re.search(vendors, line, re.IGNORECASE):
            yield f"{path.relative_to(ROOT)}:{number}: {line.strip()}"


def may_name_vendors(path: Path) -> bool:
    """Its own folder and the registry; besides its stand-in, and the demo that shows them."""
    name = path.relative_to(ROOT).as_posix()
    rooms = ("adapters", "sandbox")
    folders = [f"bridge/{room}/{vendor}/" for room in rooms for vendor in VENDORS]
    return name == "bridge/adapters/registry.py" or name.startswith((*folders, "bridge/demo/"))


def source_files() -> Iterator[Path]:
    """Every file that is ours, but for caches and the like."""
    for directory, names, files in os.walk(ROOT):
        names[:] = [name for name in names if name not in NOT_OURS and not name.endswith("_cache")]
        yield from (Path(directory) / name for name in files if name != ".git")


def place(path: Path) -> str:
    """What a file is a part of: people's reading is one place, however many pages it has."""
    name = path.relative_to(ROOT).as_posix()
    prose = name.startswith("docs/") or path.suffix == ".md" or name.endswith(".example.toml")
    return "docs" if prose else name


class TestVendors:
    @pytest.mark.parametrize("vendor", VENDORS)
    def test_are_named_in_two_places_outside_their_folder(self, vendor: str) -> None:
        """Its stand-in, the demo that shows it, and tests apart."""
        own = (f"bridge/adapters/{vendor}/", f"bridge/sandbox/{vendor}/")
        folders = (*own, "bridge/demo/", "tests/")
        places = {
            place(path)
            for path in source_files()
            if vendor in path.read_text("utf-8", errors="ignore").lower()
        }
        assert {name for name in places if not name.startswith(folders)} == {
            "bridge/adapters/registry.py",
            "docs",
        }

    def test_are_named_in_their_own_modules_the_registry_and_the_sandboxes_only(self) -> None:
        sources = [*MODULES, *(ROOT / "bridge").rglob("*.toml")]
        found = [
            line
            for path in sources
            if not may_name_vendors(path)
            for line in lines_naming_a_vendor(path)
        ]
        assert found == []

    def test_live_a_tickets_whole_life(self) -> None:
        """The end-to-end tests are told once, and each vendor has a stand-in that lives them."""
        assert {tomllib.loads(kind.stand.table)["vendor"] for kind in DESKS} == set(VENDORS)

    def test_are_found_where_they_are_named(self) -> None:
        registry = ROOT / "bridge/adapters/registry.py"
        assert may_name_vendors(registry)
        assert list(lines_naming_a_vendor(registry))


def test_no_module_is_too_long_to_read() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in MODULES
    }
    assert {path: length for path, length in lengths.items() if length > LONGEST_MODULE} == {}


def compared_with_equals(source: str) -> list[int]:
    """Lines where a digest or a signature is compared in a time that tells how much of it fits."""
    telling = re.compile(r"digest|signature|hmac|\bmac\b", re.IGNORECASE)
    unsafe = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare)
        and any(isinstance(operator, unsafe) for operator in node.ops)
        and any(telling.search(ast.unparse(side)) for side in (node.left, *node.comparators))
    ]


class TestSignatures:
    def test_are_never_compared_with_equals(self) -> None:
        found = {
            str(path.relative_to(ROOT)): lines
            for path in MODULES
            if (lines := compared_with_equals(path.read_text("utf-8")))
        }
        assert found == {}

    @pytest.mark.parametrize(
        "source",
        [
            "hmac.new(key, body, 'sha1').hexdigest() == given",
            "given != 'sha1=' + mac.hexdigest()",
            "headers['x-hub-signature'] == expected",
            "expected in signatures",
        ],
    )
    def test_would_be_caught(self, source: str) -> None:
        assert compared_with_equals(source) == [1]

    def test_are_made_in_one_module(self) -> None:
        """One HMAC check for all vendors; the sandboxes sign for themselves."""
        makers = {
            path.relative_to(ROOT).as_posix()
            for path in MODULES
            if re.search(r"^\s*(import|from) hmac\b", path.read_text("utf-8"), re.MULTILINE)
        }
        of_the_product = {name for name in makers if not name.startswith("bridge/sandbox/")}
        assert of_the_product == {"bridge/adapters/signatures.py"}


def test_no_file_names_a_package_registry() -> None:
    """Whoever installs chooses the mirror: a host in a file would overrule that, or leak it."""
    # In two parts, so that this file does not name them.
    hosts = [
        f"{name}.{end}"
        for name, end in [
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("npmjs", "org"),
            ("npmjs", "com"),
            ("crates", "io"),
            ("rubygems", "org"),
        ]
    ]
    texts = {path: path.read_text("utf-8", errors="ignore") for path in source_files()}
    found = [f"{path}: {host}" for path, text in texts.items() for host in hosts if host in text]
    assert found == []
