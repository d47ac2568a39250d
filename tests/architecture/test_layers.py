"""Imports point down: import-linter's contracts hold for the code, and each breaks when something is planted."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, heads, planted, sources

LINT = (str(Path(sys.executable).parent / "lint-imports"), "--no-cache")
CONFIGURED = ("pyproject.toml", "tests/architecture/circles.toml")


def verdicts(report: str) -> dict[str, bool]:
    """Return what import-linter says of each contract: kept or broken."""
    return {name.strip(): word == "KEPT" for name, word in re.findall(r"^(.+?) (KEPT|BROKEN)", report, re.MULTILINE)}


def contracts() -> list[str]:
    """Return the names of all contracts."""
    configured = [tomllib.loads((ROOT / path).read_text())["tool"]["importlinter"]["contracts"] for path in CONFIGURED]
    return [contract["name"] for contract in chain.from_iterable(configured)]


def searched_for_circles() -> set[str]:
    """Return the packages in which circles are looked for."""
    circles = tomllib.loads((ROOT / CONFIGURED[1]).read_text())["tool"]["importlinter"]["contracts"]
    return {ancestor for contract in circles for ancestor in contract["ancestors"]}


def lint(folder: Path) -> str:
    """Run import-linter over a copy of the code."""
    report = ""
    for path in CONFIGURED:
        found = subprocess.run(
            (*LINT, "--config", Path(path).name), cwd=folder, capture_output=True, text=True, check=False
        )
        report += found.stdout + found.stderr
    return report


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what import-linter reads."""
    folder = tmp_path_factory.mktemp("installation")
    for source in sources():
        if source.is_product:
            (folder / source.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / source.path).write_text(source.text)
    for path in CONFIGURED:
        shutil.copy(ROOT / path, folder)
    return folder


@pytest.fixture(scope="module")
def reports(copy: Path) -> tuple[str, str]:
    """Return the report about the code, and about the code with everything planted."""
    clean = lint(copy)
    for path in planted("imports"):
        (copy / heads(path)["pretend"]).write_text(path.read_text())
    return clean, lint(copy)


@pytest.mark.parametrize("contract", contracts())
def test_the_code_keeps(contract: str, reports: tuple[str, str]) -> None:
    assert verdicts(reports[0])[contract], reports[0]


@pytest.mark.parametrize("path", planted("imports"), ids=lambda path: path.stem)
def test_a_planted_import_breaks_its_contract(path: Path, reports: tuple[str, str]) -> None:
    head = heads(path)
    module = Path(head["pretend"]).with_suffix("").as_posix().replace("/", ".")
    report = reports[1].partition("Broken contracts")[2]
    section = report.partition(head["breaks"] + "\n---")[2]
    section = re.split(r"\n\n[^\n]+\n-{4,}\n", section)[0]

    assert not verdicts(reports[1])[head["breaks"]]
    assert module in section or module.rpartition(".")[2] in section


def test_every_contract_has_something_planted() -> None:
    assert {heads(path)["breaks"] for path in planted("imports")} == set(contracts())


def test_circles_are_looked_for_in_every_package() -> None:
    packages = {".".join(each.parts[:-1]) for each in sources() if each.is_product and each.parts[-1] == "__init__"}

    assert {package for package in packages if "migrations" not in package} == searched_for_circles()
