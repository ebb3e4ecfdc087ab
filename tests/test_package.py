"""What is installed: the wheel, built as `pip install` builds it."""

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    [built] = WheelBuilder(str(ROOT)).build(
        directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"]
    )
    return zipfile.ZipFile(built)


def test_has_the_repositorys_example_of_settings(wheel: zipfile.ZipFile) -> None:
    packed = wheel.read("bridge/settings/example.toml")
    assert packed == (ROOT / "points-bridge.example.toml").read_bytes()


def test_says_that_it_is_typed(wheel: zipfile.ZipFile) -> None:
    assert {"bridge/py.typed", "webhooks/py.typed"} <= {*wheel.namelist()}


def test_has_no_tests(wheel: zipfile.ZipFile) -> None:
    assert [name for name in wheel.namelist() if name.startswith("tests/")] == []
