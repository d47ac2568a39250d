"""Origins, scheme, host and port, in the one form that browsers send and issuers have (RFC 6454, WHATWG URL 4.6)."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

import idna

DEFAULT_PORT = {"http": 80, "https": 443}
LABEL = re.compile(r"^(?!-)[a-z0-9_-]{1,63}(?<!-)$")
LONGEST_NAME = 253
BEYOND = re.compile(r"[\s\\?#@\x00-\x20\x7f]")
"""What no origin holds; the parser would drop some of it without a word."""


def canonical(url: str) -> str:
    """Return a configured origin in its one form: lower case, names in ASCII, no default port, no dot at the end.

    Raises:
        ValueError: it is none, or more than one. The text does not quote it.

    """
    origin, path = divided(url)
    if path:
        raise ValueError("a path")
    return origin


def divided(url: str) -> tuple[str, str]:
    """Return the origin of a configured address and its path, without a slash at the end. Raises as ``canonical``."""
    if BEYOND.search(url):
        raise ValueError("a character that no origin has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("host or port that cannot be read") from None
    if parts.scheme not in DEFAULT_PORT:
        raise ValueError("a scheme that is neither https nor http")
    if port == 0:
        raise ValueError("port 0")
    return written(parts.scheme, name(parts.hostname or ""), port), parts.path.rstrip("/")


def endpoint(url: str) -> str:
    """Return the address of a service: an origin in its one form, and the path that it has. Empty for empty.

    Raises:
        ValueError: it is none. The text does not quote it.

    """
    try:
        return "".join(divided(url)) if url else ""
    except ValueError as problem:
        raise ValueError(f"it has {problem}") from None


def machine(host: str) -> str:
    """Return a machine's name, or its address without brackets, in the form in which it is asked for.

    Raises:
        ValueError: it is neither. The text does not quote it.

    """
    try:
        return name(host.lower()).strip("[]")
    except ValueError:
        raise ValueError("it is neither a host's name nor its address") from None


def canonical_or_as_given(url: str) -> str:
    """Return an origin in its one form; what is none stays as it is, for the checks to name (``identity.checks``)."""
    try:
        return canonical(url)
    except ValueError:
        return url.rstrip("/")


def ehlo_name(base_url: str) -> str:
    """Return the host of an address as RFC 5321 4.1.3 writes it in a greeting; empty where it has none."""
    try:
        host = name(urlsplit(base_url).hostname or "")
    except ValueError:
        return ""
    if host.startswith("["):
        return f"[IPv6:{host[1:-1]}]"
    return f"[{host}]" if host.rpartition(".")[2].isdigit() else host


def of(url: str) -> str:
    """Return the origin of any address, as a header brings it; empty for what has none."""
    try:
        parts = urlsplit(url.strip())
        return written(parts.scheme, host_of(parts), parts.port) if parts.scheme and parts.hostname else ""
    except ValueError:
        return ""


def written(scheme: str, host: str, port: int | None) -> str:
    """Return an origin as browsers write it: without its scheme's own port."""
    return f"{scheme}://{host}{'' if port in {None, DEFAULT_PORT.get(scheme)} else f':{port}'}"


def host_of(parts: SplitResult) -> str:
    """Return the host of an address as it stands in one: IPv6 in brackets."""
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def name(host: str) -> str:
    """Return a host in ASCII. Raises ValueError for what is none."""
    bare = host.rstrip(".") if host.endswith(".") and not host.endswith("..") else host
    try:
        address = ip_address(bare)
    except ValueError:
        pass
    else:
        return f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    try:
        ascii_name = bare if bare.isascii() else idna.encode(bare, uts46=True).decode()
    except idna.IDNAError:
        raise ValueError("a host that is no name") from None
    labels = ascii_name.split(".")
    # A last label of digits alone is an IPv4 address to browsers (WHATWG URL 3.5), and this one is none.
    if len(ascii_name) > LONGEST_NAME or labels[-1].isdigit() or not all(map(LABEL.match, labels)):
        raise ValueError("a host that is no name")
    return ascii_name
