"""Documents say what is: settings, links, commands."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest
from django.core.management import CommandError, call_command

from identity.environment import Environment
from identity.management.commands import write_configuration_docs, write_coverage_docs
from tests.architecture.source import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("command", [write_configuration_docs, write_coverage_docs])
def test_a_page_that_is_made_from_the_code_is_current_or_refused(
    command: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = command.__name__.rpartition(".")[2]
    call_command(name, "--check")
    old = tmp_path / "page.md"
    old.write_text(command.Command().text().replace("| `", "| `HARBOUR_", 1))
    monkeypatch.setattr(command.Command, "page", lambda _: old)

    with pytest.raises(CommandError, match=f"is not current: manage.py {name}"):
        call_command(name, "--check")


def test_the_page_of_coverage_names_what_is_kept_only_what_is_not_yet_and_what_is_refused() -> None:
    before, refused = write_coverage_docs.Command().text().split("\n## Refused")
    kept, not_yet = before.split("\n## Not yet")

    assert "| CreateUserPool | `UserPoolTier` |" in kept
    assert set(re.findall(r"\| CreateUserPool \| `([\w.]+)` \|", not_yet)) <= {"DcrConfiguration"}
    assert "| CreateIdentityPool |" not in not_yet
    assert "| operation | member |" not in not_yet
    assert "| SetUserPoolMfaConfig | `EmailMfaConfiguration` |" in kept
    assert "SoftwareTokenMfaConfiguration" not in kept + not_yet + refused
    of_pools = "CreateUserPool, UpdateUserPool"
    for member in ("KeyConfiguration.KeyType", "KeyConfiguration.KmsKeyArn"):
        assert f"| `{member}` | {of_pools} | What is sealed is sealed by the installation's own keys" in refused
        assert member not in not_yet
    assert f"| `IssuerConfiguration.Type` | {of_pools} | A pool has one issuer here, `{{base_url}}/{{pool}}`," in kept


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
