"""SAML providers in the console: added by metadata, with what has to be given to them; changed, and tried."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from urllib.parse import urljoin

import pytest

from tests.console.test_providers import PROBLEM, described, faults, places, save, shown
from tests.console.world import World
from tests.federation.saml.identity_provider import Element, one, rsa_key
from tests.hosted import world as hosted
from tests.hosted.saml_upstream import EMAIL, SLO, SSO, Federated, SamlProvider, sent

USUAL = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"


def made(world: World, path: str, **typed: str) -> str:
    """Add a provider; return where it is."""
    given = {"name": "Staff", "MetadataFile": SamlProvider().metadata, "claim-email": EMAIL, **typed}
    answer = world.session.send_form(f"{path}/new/saml", **given)
    assert answer.status_code == 303, (answer.status_code, faults(answer))
    return answer.headers["Location"]


def test_a_provider_is_added_by_its_metadata_and_told_ours(world: World) -> None:
    path = places(world)
    pool = f"{world.base_url}/{path.split('/')[3]}"
    form = world.session.get(f"{path}/new/saml").text
    for told in ("saml2/idpresponse", "saml2/metadata"):
        assert f"{pool}/{told}</code>" in form
    assert f"urn:amazon:cognito:sp:{path.split('/')[3]}</code>" in form
    assert shown(world.session, f"{path}/new/saml")["claim-email"] == USUAL
    assert 'name="signs_out"' not in form  # which IDPSignout says

    where = made(world, path, IDPSignout="true", RequestSigningAlgorithm="rsa-sha256")

    found = described(world, path, "Staff")
    assert found["AttributeMapping"]["email"] == EMAIL
    assert found["ProviderDetails"] == {
        "MetadataFile": SamlProvider().metadata.strip(),
        "IDPSignout": "true",
        "RequestSigningAlgorithm": "rsa-sha256",
        "SSORedirectBindingURI": SSO,
        "SLORedirectBindingURI": SLO,
        "ActiveEncryptionCertificate": found["ProviderDetails"]["ActiveEncryptionCertificate"],
    }
    page = world.session.get(where).text
    assert "They were given as a text" in page
    assert f"{pool}/saml2/metadata</code>" in page


def test_what_is_wrong_is_said_at_its_field(world: World) -> None:
    path = places(world)

    def wrong(**typed: str) -> dict[str, str]:
        given = {"name": "Staff", **typed}
        return faults(world.session.send_form(f"{path}/new/saml", **given))

    assert wrong()["MetadataURL"] == "The provider cannot be asked without this."
    assert "starts with https://" in wrong(MetadataURL="corp.example")["MetadataURL"]
    assert wrong(MetadataFile="no xml")["MetadataFile"].startswith("These are no metadata")
    both = wrong(MetadataURL="https://corp.example/metadata", MetadataFile=SamlProvider().metadata)
    assert "not both" in both["MetadataFile"]
    weak = SamlProvider().metadata.replace("MII", "XXX", 1)
    assert wrong(MetadataFile=weak)["MetadataFile"] == "A certificate in the metadata cannot be read."


def test_new_metadata_take_the_place_of_the_old_and_the_rest_stays(world: World) -> None:
    path = places(world)
    where = made(world, path, EncryptedResponses="true")
    rsa_key("the next")

    assert re.search(r'name="EncryptedResponses"[^>]* checked', world.session.get(where).text)
    answer = save(world.session, where, MetadataFile=SamlProvider(key="the next").metadata, EncryptedResponses="on")

    assert answer.status_code == 303, faults(answer)
    details = described(world, path, "Staff")["ProviderDetails"]
    assert details["MetadataFile"] == SamlProvider(key="the next").metadata.strip()
    assert details["EncryptedResponses"] == "true"
    save(world.session, where, MetadataFile=details["MetadataFile"])  # nothing is ticked
    assert "EncryptedResponses" not in described(world, path, "Staff")["ProviderDetails"]


@pytest.fixture
def staff(world: World) -> Federated:
    """Return a pool that sends people to a provider of SAML."""
    return Federated(hosted.World(world.live, mfa="OFF", by_email=False), SamlProvider())


def page_of(world: World, staff: Federated) -> str:
    """Return where the provider is in the console."""
    pool_id = staff.world.pool_id
    [found] = world.api("GET", f"/pools/{pool_id}/providers").json()["items"]
    return f"/console/pools/{pool_id}/providers/{found['id']}"


def test_the_sign_in_is_tried_and_shows_what_came_and_what_was_refused(world: World, staff: Federated) -> None:
    where = page_of(world, staff)

    def tried(upstream: SamlProvider) -> str:
        asked = sent(world.session.get(f"{where}/try").headers["Location"], to=SSO)
        back = staff.bring(upstream.response(staff.world, asked.id), asked.relay_state)
        assert back.status_code == 303
        return str(world.session.get(urljoin(back.url, back.headers["Location"])).text)

    page = tried(SamlProvider())
    assert "Ada.Lovelace" in page
    assert "ada@corp.example" in page
    refused = tried(SamlProvider(key="a stranger's"))
    assert "saml signature" in re.sub(r"<[^>]+>", " ", refused)


def late(root: Element) -> None:
    """Have been over long ago."""
    one(root, ".//saml:Conditions").set("NotOnOrAfter", "2020-01-01T00:00:00Z")


def test_a_refused_sign_in_shows_its_check_both_times_and_what_came(world: World, staff: Federated) -> None:
    visitor, asked = staff.depart()

    staff.post(visitor, staff.upstream.response(staff.world, asked.id, edit=late), asked.relay_state)

    page = html.unescape(world.session.get(page_of(world, staff)).text)
    assert "saml assertion Conditions" in page
    assert 'NotOnOrAfter="2020-01-01T00:00:00Z"' in page
    assert f'<time datetime="{datetime.now(UTC):%Y-%m-%d}' in page
    assert "ada@corp.example" not in page
    assert "Ada.Lovelace" not in page


def test_the_api_has_it_too(world: World) -> None:
    path = places(world)
    place = f"/pools/{path.split('/')[3]}/providers"
    given = {"name": "Staff", "kind": "SAML", "details": {"MetadataFile": SamlProvider().metadata}}

    made = world.api("POST", place, json=given)
    refused = world.api("POST", place, json={**given, "name": "Other", "details": {}})

    assert made.status_code == 201, made.text
    assert made.json()["redirect_uri"] == f"{world.base_url}/{path.split('/')[3]}/saml2/idpresponse"
    assert refused.headers["Content-Type"] == PROBLEM
    assert refused.json()["errors"][0]["field"] == "details.MetadataURL"
    changed = world.api("PATCH", f"{place}/{made.json()['id']}", json={"details": {"IDPInit": "true"}})
    assert changed.status_code == 200, changed.text
    assert changed.json()["details"] == {"MetadataFile": SamlProvider().metadata, "IDPInit": "true"}
