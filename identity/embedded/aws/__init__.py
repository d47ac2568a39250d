"""The demo's AWS: Ceph's gateway as STS and S3 where the machine has it, else moto's server, which checks nothing.

DynamoDB is moto's always. Everything listens on loopback and is kept in the data folder. Not waited for.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from identity.embedded.aws import ceph, moto
from identity.embedded.aws.ports import kept_ports
from identity.embedded.aws.resources import Prepared, prepare, session_policy
from identity.embedded.parts import PartGroup

__all__ = ["Place", "Prepared", "parts", "place", "prepare", "session_policy"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the demo's AWS answers."""

    endpoint_url: str
    """STS and S3."""
    enforces: bool
    """Whether tokens and policies are checked."""
    dynamodb_endpoint_url: str
    keys: tuple[str, str] = field(repr=False)
    """The keys of one who may do everything there."""


def home(data_dir: Path) -> Path:
    """Return the folder of the demo's AWS, made if it is missing."""
    found = data_dir / "aws"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def place(data_dir: Path) -> Place:
    """Return where the demo's AWS of a data folder answers, or will once it runs."""
    known = described(data_dir)
    enforces = ceph.is_installed()
    moto_url = f"http://127.0.0.1:{known['ports']['moto']}"
    ceph_url = f"http://127.0.0.1:{known['ports']['rgw']}"
    return Place(ceph_url if enforces else moto_url, enforces, moto_url, (known["access_key"], known["secret_key"]))


def parts(data_dir: Path) -> PartGroup:
    """Return what the supervisor starts, and what web and worker are told of it."""
    known = described(data_dir, check=True)
    known_place = place(data_dir)
    gateway = ceph.Ceph(home(data_dir), known["ports"], known_place.keys)
    server = moto.part(known["ports"]["moto"], moto.TABLES if known_place.enforces else moto.EVERYTHING)
    started = (*gateway.parts(), server) if known_place.enforces else (server,)
    return PartGroup(
        parts=started,
        settings={"STS_ENDPOINT_URL": known_place.endpoint_url, "STS_PUBLIC_URL": known_place.endpoint_url},
        ready=lambda: all(part.ready() for part in started),
    )


def described(data_dir: Path, *, check: bool = False) -> dict[str, Any]:
    """Return ports and keys, made once and kept; with ``check``, ports that others took meanwhile are changed."""
    note = home(data_dir) / "aws.json"
    known: dict[str, Any] = json.loads(note.read_text()) if note.exists() else {}
    known.setdefault("access_key", "COGNATE" + secrets.token_hex(7).upper())
    known.setdefault("secret_key", secrets.token_hex(20))
    known["ports"] = kept_ports(known.get("ports", {}), ("mon", "rgw", "moto"), check=check)
    text = json.dumps(known, indent=1)
    if not note.exists() or note.read_text() != text:
        draft = note.with_suffix(".draft")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        draft.rename(note)
    return known
