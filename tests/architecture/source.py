"""Source files as the rules see them: where they live, their text and their syntax tree."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLANTED = Path(__file__).parent / "violations"
PACKAGES = ("identity", "pools", "federation", "tests", "bench")


@dataclass(frozen=True)
class Source:
    """One file of the code, or one that pretends to be."""

    path: str
    """Relative to the root; what the rules go by."""
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Return the syntax tree."""
        return ast.parse(self.text, self.path)

    @property
    def parts(self) -> tuple[str, ...]:
        """Return folders and the name without its ending."""
        return Path(self.path).with_suffix("").parts

    def under(self, *places: str) -> bool:
        """Say whether the file is one of these, or in one of these folders."""
        return any(self.path == place or self.path.startswith(place.rstrip("/") + "/") for place in places)

    @property
    def is_product(self) -> bool:
        """Say whether the file is part of what is shipped."""
        return self.under("identity", "pools", "federation")

    @property
    def is_migration(self) -> bool:
        """Say whether Django wrote the file."""
        return "migrations" in self.parts[:-1] and self.parts[-1] != "__init__"

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Return every node: twenty rules ask for them."""
        return list(ast.walk(self.tree))

    def walk(self) -> Iterator[ast.AST]:
        """Yield every node."""
        return iter(self.nodes)


@cache
def sources() -> tuple[Source, ...]:
    """Return every Python file that is not ignored by git."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = sorted(set(listed.stdout.splitlines()))
    return tuple(
        Source(path, (ROOT / path).read_text())
        for path in paths
        if path.split("/")[0] in PACKAGES and "violations" not in path.split("/") and (ROOT / path).exists()
    )


def heads(path: Path) -> dict[str, str]:
    """Return a planted file's first lines, ``# name: value``."""
    found = {}
    for line in path.read_text().splitlines():
        if not line.startswith("# "):
            break
        name, _, value = line[2:].partition(": ")
        found[name] = value.strip()
    return found


def planted(folder: str) -> list[Path]:
    """Return the planted violations of one kind."""
    return sorted((PLANTED / folder).glob("*.py"))


def pretend(path: Path) -> Source:
    """Return a planted violation as the file that it pretends to be."""
    return Source(heads(path)["pretend"], path.read_text())


def dotted(node: ast.AST) -> str:
    """Return a name as it is written, ``os.environ.get``; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else node.attr
    return ""
