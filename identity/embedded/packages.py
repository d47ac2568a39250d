"""Install what a lock names into the environment that runs this, and say how far it is.

Run by its path with ``python -I`` before anything is installed; it imports nothing of the project. Every file is
checked by its hash, and nothing is built. ``uv`` does it in seconds, itself installed by pip from a lock of its own;
where there is no wheel of it for this machine, or it fails, pip does. Both write into the environment alone.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

BATCHES = 12
INSTALLER = Path("requirements/installer.lock")
BEGUN = "installing"
# uv has a flag for it and no variable.
NO_INDEX = "NO_INDEX"
# What pip may be configured with, and how uv is told the same.
CONFIGURED = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": NO_INDEX,
    "trusted-host": "UV_INSECURE_HOST",
    "proxy": "ALL_PROXY",
    "cert": "SSL_CERT_FILE",
}
ENTRY = re.compile(r"^\S.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


def entries(lock: Path) -> list[str]:
    """Return a lock's entries that this Python and machine need, each with its hashes."""
    from pip._vendor.packaging.requirements import Requirement

    found = []
    for entry in ENTRY.findall(re.sub(r"^#.*\n", "", lock.read_text(), flags=re.MULTILINE)):
        marker = Requirement(re.split(r"\s+--hash=|\s*\\\n", entry, maxsplit=1)[0]).marker
        if marker is None or marker.evaluate():
            found.append(entry)
    return found


class Progress:
    """One line that grows on a terminal; a line a batch elsewhere."""

    def __init__(self, total: int) -> None:
        """Begin at nothing."""
        self.total = total
        self.began = time.monotonic()
        self.is_terminal = sys.stdout.isatty()

    def show(self, done: int) -> None:
        """Say how many packages are installed."""
        line = f"Packages: {done} of {self.total} installed ({time.monotonic() - self.began:.0f} s)"
        is_last = done == self.total
        sys.stdout.write(f"\r{line}" + ("\n" if is_last else "") if self.is_terminal else f"{line}\n")
        sys.stdout.flush()


def python(*arguments: str, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a module of this environment to its end."""
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, env={**os.environ, **(variables or {})}, capture_output=True, text=True, check=False)


def as_pip_is_configured() -> dict[str, str]:
    """Return what uv must be told of pip's configuration, which it does not read."""
    variables = {}
    for line in python("pip", "config", "list").stdout.splitlines():
        name, _, value = line.partition("=")
        variable = CONFIGURED.get(name.rpartition(".")[2])
        if variable and variable not in os.environ:
            variables[variable] = " ".join(value.strip("'\"").replace("\\n", " ").split())
    return variables


def install(
    tool: str, variables: dict[str, str], requirements: Path, *, again: bool
) -> subprocess.CompletedProcess[str]:
    """Have pip or uv install some entries, without looking for more; ``again``: even what seems to be there."""
    checked = ("--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(requirements))
    if tool == "uv":
        anew = ("--reinstall",) if again else ()
        offline = ("--no-index",) if variables.get(NO_INDEX, "").lower() in ("1", "true", "yes", "on") else ()
        command = ("uv", "pip", "install", "--python", sys.executable, *offline, *anew, *checked)
        return python(*command, variables=variables)
    anew = ("--force-reinstall",) if again else ()
    return python("pip", "install", "--quiet", "--disable-pip-version-check", *anew, *checked)


@contextlib.contextmanager
def written(text: str) -> Iterator[Path]:
    """Keep a text in a file for a while."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "requirements.txt"
        path.write_text(text)
        yield path


def has_uv() -> bool:
    """Install uv itself, unless it is there or has no wheel for this machine."""
    if importlib.util.find_spec("uv"):
        return True
    python("pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:", "-r", str(INSTALLER))
    importlib.invalidate_caches()
    return importlib.util.find_spec("uv") is not None


def install_all(lock: Path) -> str:
    """Install a lock, a batch after the other; return what went wrong, if anything did."""
    if not importlib.util.find_spec("pip"):  # making the environment was interrupted
        python("ensurepip")
    wanted = entries(lock)
    progress = Progress(len(wanted))
    sys.stdout.write(f"Installing {len(wanted)} packages of {lock.name} into {sys.prefix}\n")
    sys.stdout.flush()
    cache = Path(sys.prefix) / ".cache"
    tool = "uv" if has_uv() else "pip"
    variables = {**as_pip_is_configured(), "UV_CACHE_DIR": str(cache), "UV_HTTP_TIMEOUT": "60"} if tool == "uv" else {}
    begun = Path(sys.prefix) / BEGUN
    # A killed installer may leave half a package that looks whole: what it had begun is installed anew.
    broken = begun.read_text() if begun.exists() else ""
    size = -(-len(wanted) // BATCHES)
    for start in range(0, len(wanted), size):
        batch = wanted[start : start + size]
        again = any(entry in broken for entry in batch)
        begun.write_text(broken + "".join(batch))
        with written("".join(batch)) as requirements:
            done = install(tool, variables, requirements, again=again)
            if done.returncode and tool == "uv":
                tool = "pip"
                done = install(tool, variables, requirements, again=again)
        if done.returncode:
            return done.stderr.strip()
        for entry in batch:
            broken = broken.replace(entry, "")
        progress.show(min(start + size, len(wanted)))
    begun.unlink(missing_ok=True)
    shutil.rmtree(cache, ignore_errors=True)
    return ""


def main(lock: str) -> int:
    """Install; say what went wrong in the installer's own words."""
    wrong = install_all(Path(lock))
    if wrong:
        sys.stderr.write(f"\nThe packages of {lock} cannot be installed:\n{wrong}\n")
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; the next call goes on from here.")
