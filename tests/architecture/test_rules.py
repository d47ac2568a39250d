"""The code keeps its own rules, and each rule catches its planted violation."""

from __future__ import annotations

import pytest

from tests.architecture.rules import RULES, Rule
from tests.architecture.source import PLANTED, planted, pretend, sources


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_code_keeps(rule: Rule) -> None:
    broken = [f"{source.path}: {what}" for source in sources() for what in rule(source)]

    assert broken == []


@pytest.mark.parametrize("name", RULES)
def test_a_planted_violation_is_caught_by(name: str) -> None:
    source = pretend(PLANTED / "code" / f"{name}.py")

    caught = {rule for rule in RULES if list(RULES[rule](source))}

    assert caught == {name}, "the planted file breaks this rule and no other"


def test_every_planted_violation_belongs_to_a_rule() -> None:
    assert {path.stem for path in planted("code")} == set(RULES)


def test_the_whole_tree_is_looked_at() -> None:
    paths = {source.path for source in sources()}

    assert {"identity/settings.py", "pools/services/tokens/tokens.py", "federation/sts.py"} <= paths
