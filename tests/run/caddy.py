"""Caddy with our Caddyfile, at addresses of the test's own."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import pytest

from tests import servers

FILE = servers.ROOT / "Caddyfile"
# The compose file runs the newest Caddy 2. Until 2.6, Debian's, this was two lines, which today's refuses; and a body
# that grew too long there was the web processes' failure to Caddy, 502.
CHANGED = (2, 7)
PATIENCE, IMPATIENCE = "read_body 60s", "read_body 3s"
BUFFERS = "request_buffers 4MB"
BUFFERS_ONCE = "buffer_requests\n\t\tmax_buffer_size 4MB"


def program() -> str:
    """Return the program's path; skip by name where there is none."""
    found = shutil.which("caddy")
    if not found:
        pytest.skip("needs: caddy (apt-get install caddy)")
    return found


def adapt(text: str, names: Mapping[str, str], home: Path) -> subprocess.CompletedProcess[str]:
    """Let Caddy read a configuration and say what is wrong with it."""
    given = home / "given"
    given.write_text(text)
    return subprocess.run(
        [program(), "adapt", "--config", str(given), "--adapter", "caddyfile"],
        env={**names, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@lru_cache(maxsize=1)
def is_old() -> bool:
    """Say whether it is Debian's, 2.6; one that somebody built may not know its version."""
    said = subprocess.run([program(), "version"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"v?(\d+)\.(\d+)", said)
    return found is not None and (int(found[1]), int(found[2])) < CHANGED


def configuration() -> str:
    """Return our Caddyfile as this machine's Caddy understands it; impatient, since a test waits for that."""
    text = FILE.read_text()
    assert BUFFERS in text
    assert PATIENCE in text
    text = text.replace(PATIENCE, IMPATIENCE)
    return text.replace(BUFFERS, BUFFERS_ONCE) if is_old() else text


@contextlib.contextmanager
def running(web: int, names: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Run Caddy in front of a port; return its log, `proxy.log`. Certificates come from an authority of its own."""
    # Neither an endpoint nor a port that a Caddy of this machine has, and nothing trusts its authority.
    own = f"{{\n\tadmin off\n\tskip_install_trust\n\thttp_port {servers.free_port()}\n"
    text = configuration().replace("web:8000", f"127.0.0.1:{web}").replace("{\n", own, 1)
    file, log = home / "Caddyfile", home / "proxy.log"
    file.write_text(text)
    with log.open("w") as output:
        process = subprocess.Popen(
            [program(), "run", "--config", str(file), "--adapter", "caddyfile"],
            env={**names, "HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)},
            stdout=output,
            stderr=output,
        )
    try:
        yield log
    finally:
        process.terminate()
        process.wait()


def authority(home: Path) -> Path:
    """Return the certificate of its own authority."""
    return home / "caddy" / "pki" / "authorities" / "local" / "root.crt"
