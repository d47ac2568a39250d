"""Another reader of responses, python3-saml, for tests to compare with ours: told of the same provider, and strict.

It runs in a process of its own. What it is built on (libxmlsec1, libxslt) shares lxml's trees with another copy of
libxml2, and does with forged messages what nobody wants where other tests run.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from federation.saml.rules import Expected
from tests.federation.saml.identity_provider import certificate


class Read(NamedTuple):
    """What it says of a response."""

    name: str
    """Empty where it refuses."""
    attributes: Mapping[str, tuple[object, ...]]
    """Stripped of spaces, without empty values."""
    problem: str
    """Why it refuses."""


class OtherReader(AbstractContextManager["OtherReader"]):
    """Asks the process, which ends with the block."""

    def __enter__(self) -> Self:
        """Begin."""
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", __name__],
            cwd=Path(__file__).parents[3],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.process.communicate()

    def read(self, answer: str, expected: Expected) -> Read:
        """Return what it says of a form field."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        told = {"answer": answer, "settings": settings(expected), "request_id": expected.request_id or None}
        self.process.stdin.write(json.dumps(told) + "\n")
        self.process.stdin.flush()
        name, attributes, problem = json.loads(self.process.stdout.readline())
        return Read(name, {each: tuple(values) for each, values in attributes.items()}, problem)


def settings(expected: Expected) -> dict[str, Any]:
    """Return what is expected as its settings."""
    return {
        "strict": True,
        "sp": {
            "entityId": expected.audience,
            "assertionConsumerService": {"url": expected.acs_url},
            "x509cert": "".join(armoured(certificate(key)) for key in expected.keys),
            "privateKey": "".join(map(in_pem, expected.keys)),
        },
        "idp": {
            "entityId": expected.issuer,
            "singleSignOnService": {"url": "https://idp.example/sso"},
            "x509certMulti": {"signing": list(map(armoured, expected.certificates))},
        },
        "security": {
            "wantAssertionsEncrypted": expected.must_be_encrypted,
            "wantAttributeStatement": False,
            "allowRepeatAttributeName": True,
            "rejectDeprecatedAlgorithm": True,
            "rejectUnsolicitedResponsesWithInResponseTo": True,
        },
    }


def armoured(found: x509.Certificate) -> str:
    """Return a certificate as it takes one."""
    return base64.b64encode(found.public_bytes(Encoding.DER)).decode()


def in_pem(key: rsa.RSAPrivateKey) -> str:
    """Return a key as it takes one."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


# -- in the other process --------------------------------------------------------------------------------------------


def answered(told: Mapping[str, Any]) -> tuple[str, Mapping[str, list[object]], str]:
    """Return a name and attributes, or why there are none."""
    from onelogin.saml2.response import OneLogin_Saml2_Response
    from onelogin.saml2.settings import OneLogin_Saml2_Settings

    found = OneLogin_Saml2_Settings(told["settings"])
    host, _, path = told["settings"]["sp"]["assertionConsumerService"]["url"].removeprefix("https://").partition("/")
    request = {"https": "on", "http_host": host, "script_name": f"/{path}", "get_data": {}, "post_data": {}}
    try:
        response = OneLogin_Saml2_Response(found, told["answer"])
        response.is_valid(request, told["request_id"], raise_exceptions=True)
        return response.get_nameid(), response.get_attributes(), ""
    except Exception as problem:  # noqa: BLE001 - whatever another library makes of a stranger's bytes is a refusal
        return "", {}, f"{type(problem).__name__}: {problem}"


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answered(json.loads(line))), flush=True)  # noqa: T201 - the answer
