"""Signing in by samlp, Auth0's identity provider for Node: assertion, response or both signed by xml-crypto."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.federation.saml.identity_provider import certificate, rsa_key
from tests.interop import programs
from tests.interop.organisations import Organisation
from tests.live import Live

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
MAPPING = {"email": f"{CLAIMS}emailaddress", "name": f"{CLAIMS}name", "profile": "http://schemas.passportjs.com/roles"}


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """Run samlp; return its issuer."""
    key = rsa_key("samlp's")
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = certificate(key).public_bytes(Encoding.PEM).decode()
    with programs.in_node("saml_provider.mjs", key=private, cert=public) as issuer:
        yield issuer


@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
def test_who_comes_back_is_whom_it_means(live: Live, provider: str, signed: str) -> None:
    staff = Organisation(live)
    staff.trust(MAPPING, MetadataURL=f"{provider}/{signed}/metadata")
    browser = staff.browser()

    staff.depart(browser)

    found = staff.told(browser.here)
    assert (found["cognito:username"], found["email"]) == ("Staff_ada", "ada@corp.example")
    known = staff.world.idp.admin_get_user(UserPoolId=staff.world.pool_id, Username="Staff_ada")["UserAttributes"]
    attributes = {each["Name"]: each["Value"] for each in known}
    assert (attributes["name"], attributes["profile"]) == ("Ada Lovelace", "[analyst,poet+%26+translator]")
