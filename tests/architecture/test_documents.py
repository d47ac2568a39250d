"""Documents say what is: settings, links, commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from identity.management.commands import write_configuration_docs
from identity.settings import Environment
from tests.architecture.source import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def test_the_page_of_settings_is_current() -> None:
    call_command("write_configuration_docs", "--check")


def test_a_page_of_settings_that_is_not_current_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "configuration.md"
    old.write_text(write_configuration_docs.text().replace("| `PORT`", "| `HARBOUR`"))
    monkeypatch.setattr(write_configuration_docs, "page", lambda: old)

    with pytest.raises(CommandError, match="not current"):
        call_command("write_configuration_docs", "--check")


def test_every_setting_has_a_sentence() -> None:
    without = [name for name, field in Environment.model_fields.items() if not (field.description or "").endswith(".")]

    assert without == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())

    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_command_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    # In code only: prose may make anything.
    readme = (ROOT / "README.md").read_text()
    code = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL) + re.findall(r"`([^`\n]+)`", readme)
    named = set(re.findall(r"\bmake ([a-z]+)", "\n".join(code)))
    assert named >= {"run", "test", "interop", "bench", "lint"}
    assert named <= targets


def test_the_licence_is_the_one_that_is_named() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()[:200]
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text()
