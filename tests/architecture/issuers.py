"""Who may make tokens: the one law that must hold whatever name a function goes by."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.source import Source, dotted

# Who may speak of what makes or signs tokens, by file: the end of a sign-in, what continues it, and the grants of the
# token endpoint.
ISSUE = "pools/services/tokens/issue.py"
ISSUERS: dict[str, dict[str, set[str]]] = {
    "pools.services.tokens.issue.issue": {"pools/services/sign_in/machine.py": {"complete"}},
    "pools.services.tokens.issue.sign": {
        ISSUE: {"issue"},
        "pools/services/tokens/authorization_codes.py": {"redeem"},
        "pools/services/tokens/refresh.py": {"refresh"},
    },
    "pools.services.tokens.issue.client_credentials": {"pools/oidc/token.py": {"MachineGrant"}},
    "pools.services.tokens.issue.identity_pool_token": {"pools/services/identity_pools/exchange.py": {"token"}},
    "pools.services.pools.signing_keys.sign": {ISSUE: {"sign", "client_credentials", "identity_pool_token"}},
}


def issuers(source: Source) -> Iterator[str]:
    """Breadth by copying would forge a second way to tokens: few may speak of what makes them, by any name."""
    listed = {(meant, place) for meant, files in ISSUERS.items() for place in files.get(source.path, ())}
    if not source.is_product or not (listed or any(meant.rpartition(".")[2] in source.text for meant in ISSUERS)):
        return
    known = meanings(source)
    seen = set()
    for statement in source.tree.body:
        place = getattr(statement, "name", "the module")
        for node in ast.walk(statement):
            for meant in ISSUERS.keys() & set(spoken_of(node, known)):
                seen.add((meant, place))
                if (meant, place) not in listed:
                    yield f"line {node.lineno}: {place} speaks of {meant}"  # type: ignore[attr-defined]
    for meant, place in sorted(listed - seen):
        yield f"{place} may speak of {meant}, and does not"


def spoken_of(node: ast.AST, known: dict[str, str]) -> Iterator[str]:
    """Yield the full names of what a node reads: a name, an attribute, ``getattr`` by a text, or an import."""
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
        yield full(node, known)
    if isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    if isinstance(node, ast.Call) and dotted(node.func) == "getattr" and len(node.args) > 1:
        if isinstance(node.args[1], ast.Constant):
            yield f"{full(node.args[0], known)}.{node.args[1].value!s}"


def full(node: ast.AST, known: dict[str, str]) -> str:
    """Return what a written name means, from its package down; as it is written where nobody imported it."""
    begin = node
    while isinstance(begin, ast.Attribute):
        begin = begin.value
    if not isinstance(begin, ast.Name):
        return ""
    return known.get(begin.id, begin.id) + dotted(node).removeprefix(begin.id)


def meanings(source: Source) -> dict[str, str]:
    """Return what the names of a file mean: its functions, what it imports, and other names that it gives to these."""
    module = ".".join(source.parts).removesuffix(".__init__")
    known = {node.name: f"{module}.{node.name}" for node in source.tree.body if isinstance(node, ast.FunctionDef)}
    for node in source.walk():
        if isinstance(node, ast.ImportFrom):
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        if isinstance(node, ast.Import):
            known |= {alias.asname: alias.name for alias in node.names if alias.asname}
    for node in source.walk():
        value = getattr(node, "value", None)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and isinstance(value, ast.Name | ast.Attribute):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            known |= {each.id: full(value, known) for each in targets if isinstance(each, ast.Name)}
    return known
