"""The package as it is handed out: its types, its oldest Python, its files."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import List, Set

import pytest
from readme import program
from shop import ROOT

import coinslot

HERE = Path(__file__).resolve().parents[1]
LICENSE = (ROOT / "LICENSE").read_text()
SOURCES = sorted((HERE / "src").rglob("*.py"))


def run(command: List[str], directory: Path, **environment: str) -> str:
    env = {**os.environ, **environment}
    done = subprocess.run(
        command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_types_are_strict_here_and_in_the_readme(tmp_path: Path) -> None:
    example = tmp_path / "readme_examples.py"
    example.write_text(program())
    run([sys.executable, "-m", "mypy", "--cache-dir", os.devnull, "src", "tests", str(example)], HERE)


@pytest.mark.parametrize("source", [*SOURCES, "README.md"], ids=lambda s: Path(s).name)
def test_the_oldest_python_can_read_it(source: "Path | str") -> None:
    text = source.read_text() if isinstance(source, Path) else program()
    ast.parse(text, feature_version=(3, 9))


def shipped() -> Set[str]:
    """The files of the package, and what must not be forgotten among them."""
    files = {p.relative_to(HERE / "src").as_posix() for p in (HERE / "src" / "coinslot").iterdir() if p.is_file()}
    assert "coinslot/py.typed" in files and "coinslot/__init__.py" in files
    return files


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The directory as it is checked out, since building writes into it."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist")
    return Path(shutil.copytree(HERE, tmp_path / "python", ignore=ignored))


def build(copy: Path, what: str) -> Path:
    code = f"from setuptools import build_meta as b; print(b.{what}({str(copy)!r}))"
    return copy / run([sys.executable, "-W", "ignore", "-c", code], copy).splitlines()[-1]


def test_a_wheel_holds_the_whole_package(copy: Path) -> None:
    pytest.importorskip("wheel")
    with zipfile.ZipFile(build(copy, "build_wheel")) as wheel:
        names = wheel.namelist()
        metadata = wheel.read(next(n for n in names if n.endswith("/METADATA"))).decode()
        license = wheel.read(next(n for n in names if n.endswith("/LICENSE"))).decode()
    assert {n for n in names if ".dist-info/" not in n} == shipped()
    assert license == LICENSE
    assert f"Version: {coinslot.__version__}\n" in metadata
    assert "Requires-Python: >=3.9\n" in metadata
    assert [line for line in metadata.splitlines() if line.startswith("Requires-Dist:")] == [
        "Requires-Dist: httpx (<1,>=0.23.3)"
    ]


def test_a_source_distribution_holds_the_whole_package(copy: Path) -> None:
    with tarfile.open(build(copy, "build_sdist")) as sdist:
        names = {n.partition("/")[2] for n in sdist.getnames()}
    assert {"src/" + name for name in shipped()} | {"LICENSE", "README.md", "pyproject.toml"} <= names


def test_a_copy_of_the_package_is_enough(tmp_path: Path) -> None:
    shutil.copytree(HERE / "src" / "coinslot", tmp_path / "coinslot", ignore=shutil.ignore_patterns("__pycache__"))
    code = "import coinslot; print(coinslot.__file__); help(coinslot.Coinslot.checkout); help(coinslot.AsyncCoinslot)"
    printed = run([sys.executable, "-W", "error", "-c", code], tmp_path, PYTHONPATH=str(tmp_path))
    assert printed.startswith(str(tmp_path))
    assert "(self, /, *, game_id: 'str', user_id: 'str', item: 'Item'" in printed
