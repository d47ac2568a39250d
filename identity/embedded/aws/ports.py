"""Free ports, kept from one start to the next."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Mapping
from time import sleep

# Below those that kernels give to outgoing connections.
FROM, TO = 20000, 32000


def is_free(port: int) -> bool:
    """Say whether nobody listens at a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Say whether somebody listens at a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def becomes_free(port: int) -> bool:
    """Say whether a port is free, or soon is: what was killed a moment ago may still be going."""
    for _ in range(20):
        if is_free(port):
            return True
        sleep(0.1)
    return False


def kept_ports(known: Mapping[str, int], names: tuple[str, ...], *, check: bool) -> dict[str, int]:
    """Return a port for each name: the one it had, unless it is to be checked and taken by others."""
    found = {name: known[name] for name in names if name in known and (not check or becomes_free(known[name]))}
    for name in names:
        while name not in found:
            port = FROM + secrets.randbelow(TO - FROM)
            if port not in found.values() and is_free(port):
                found[name] = port
    return found
