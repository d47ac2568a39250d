"""The code keeps its own rules, and each rule catches its planted violation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture import factor_names, kind_names
from tests.architecture.rules import RULES, Rule
from tests.architecture.source import planted, pretend, sources


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_code_keeps(rule: Rule) -> None:
    broken = [f"{source.path}: {what}" for source in sources() for what in rule(source)]

    assert broken == []


@pytest.mark.parametrize("path", planted("code"), ids=lambda path: path.stem)
def test_a_planted_violation_is_caught_by(path: Path) -> None:
    source = pretend(path)

    caught = {rule for rule in RULES if list(RULES[rule](source))}

    assert caught == {rule_of(path)}, "the planted file breaks this rule and no other"


def test_every_planted_violation_belongs_to_a_rule() -> None:
    assert {rule_of(path) for path in planted("code")} == set(RULES)


def test_a_file_that_names_no_factor_any_more_leaves_the_list() -> None:
    names = {source.path for source in sources() if factor_names.NAMES.search(source.text)}

    assert factor_names.LISTED.keys() - names == set()


def test_a_file_that_names_no_kind_of_provider_any_more_leaves_the_list() -> None:
    assert kind_names.LISTED.keys() - {source.path for source in sources() if kind_names.names(source)} == set()


def rule_of(path: Path) -> str:
    """Return the rule that a planted file breaks: ``issuers.by_alias.py`` breaks ``issuers`` in one of many ways."""
    return path.stem.partition(".")[0]


def test_the_whole_tree_is_looked_at() -> None:
    paths = {source.path for source in sources()}

    assert {"identity/settings.py", "pools/services/tokens/issue.py", "federation/sts.py"} <= paths
