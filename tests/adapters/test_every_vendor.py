"""No vendor without the contract: its tests are inherited, not chosen."""

import ast
from pathlib import Path

import pytest

from bridge.adapters.registry import VENDORS

HERE = Path(__file__).parent
DOCS = HERE.parent.parent / "docs"


def contract_classes(vendor: str) -> list[str]:
    """The test classes of a vendor that inherit the contract, directly or not."""
    heirs = ["AdapterContract"]
    for path in sorted(HERE.glob(f"test_{vendor}*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and {ast.unparse(b) for b in node.bases} & {*heirs}:
                heirs.append(node.name)
    return [name for name in heirs if name.startswith("Test")]


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendor_is_held_to_the_contract(vendor: str) -> None:
    assert contract_classes(vendor)


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendor_has_payloads_and_a_page_for_admins(vendor: str) -> None:
    assert list((HERE / "payloads" / vendor).rglob("*.json"))
    assert (DOCS / f"{vendor}.md").is_file()


def test_a_vendor_without_the_contract_would_be_noticed() -> None:
    assert contract_classes("nobody") == []
