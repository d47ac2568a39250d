"""Whole sign-ins by SAML as browsers make them: asked for and by itself, encrypted, once, and out again both ways."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from cryptography import x509
from lxml import etree

from federation.saml import signatures
from tests.federation.saml.identity_provider import Edit, Element, at, one, posted
from tests.hosted.federation import CHALLENGE, VERIFIER
from tests.hosted.saml_upstream import EMAIL, GROUP, POST, SLO, SSO, Federated, SamlProvider, sent
from tests.hosted.upstream import OVER, accounts, heading, refusals
from tests.hosted.world import Page, Visitor, World
from tests.live import Live
from tests.oidc.world import claims

UNCHECKED = "That sign-in could not be checked"


@pytest.fixture
def world(live: Live) -> World:
    """Return a pool."""
    return World(live, mfa="OFF", by_email=False)


@pytest.fixture
def staff(world: World) -> Federated:
    """Return a pool that sends people to a provider of SAML."""
    return Federated(world, SamlProvider(), IDPSignout="true")


def tokens(staff: Federated, page: Page) -> dict[str, Any]:
    """Trade the code of a page for tokens."""
    given = {"grant_type": "authorization_code", "code": page.code, "client_id": staff.app}
    more = {"redirect_uri": staff.world.callback, "code_verifier": VERIFIER}
    answer = requests.post(f"{staff.world.base}/oauth2/token", data=given | more, timeout=30)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def told(staff: Federated, page: Page) -> dict[str, Any]:
    """Return what the ID token says."""
    return claims(tokens(staff, page)["id_token"])


def test_somebody_comes_back_as_whom_the_provider_means(staff: Federated) -> None:
    found = told(staff, staff.sign_in())

    assert found["cognito:username"] == "Staff_Ada.Lovelace"
    assert (found["email"], found["email_verified"]) == ("ada@corp.example", False)
    [identity] = found["identities"]
    assert identity["userId"] == "Ada.Lovelace"
    assert (identity["providerName"], identity["providerType"]) == ("Staff", "SAML")
    assert identity["issuer"] == staff.upstream.entity_id
    assert found["cognito:groups"] == [f"{staff.world.pool_id}_Staff"]


def test_who_comes_again_is_the_same_person_with_what_the_provider_says_now(staff: Federated) -> None:
    first = told(staff, staff.sign_in())
    staff.upstream.attributes = {EMAIL: ["countess@corp.example"]}

    again = told(staff, staff.sign_in())

    assert again["sub"] == first["sub"]
    assert again["email"] == "countess@corp.example"


def test_the_request_says_who_asks_and_where_the_answer_goes(staff: Federated) -> None:
    _, asked = staff.depart()

    assert asked.root.get("Destination") == SSO
    assert asked.root.get("AssertionConsumerServiceURL") == f"{staff.world.base}/saml2/idpresponse"
    assert one(asked.root, "saml:Issuer").text == f"urn:amazon:cognito:sp:{staff.world.pool_id}"
    assert asked.root.get("ForceAuthn") is None
    assert "SigAlg" not in asked.query


def test_who_has_to_sign_in_anew_has_to_at_the_provider_too(staff: Federated) -> None:
    _, asked = staff.depart(prompt="login")

    assert asked.root.get("ForceAuthn") == "true"


@pytest.mark.parametrize(("seconds_ago", "is_new"), [(0, True), (60, False)])
def test_who_has_to_sign_in_anew_has_done_so_in_the_second_that_the_provider_tells(
    staff: Federated, *, seconds_ago: int, is_new: bool
) -> None:
    visitor, asked = staff.depart(prompt="login")

    def whole_seconds(root: Element) -> None:
        one(root, ".//saml:AuthnStatement").set("AuthnInstant", f"{at(-seconds_ago).partition('.')[0]}Z")

    page = staff.post(visitor, staff.upstream.response(staff.world, asked.id, edit=whole_seconds), asked.relay_state)

    assert page.url.startswith(staff.world.callback if is_new else SSO)


def test_a_signed_request_is_signed_by_the_certificate_that_amazon_tells(world: World) -> None:
    staff = Federated(world, SamlProvider(), RequestSigningAlgorithm="rsa-sha256")
    known = world.idp.get_signing_certificate(UserPoolId=world.pool_id)["Certificate"]

    _, asked = staff.depart()

    assert asked.is_signed_by(x509.load_der_x509_certificate(base64.b64decode(known)))


@pytest.mark.parametrize("is_signed", [False, True])
def test_a_provider_that_takes_no_redirect_is_sent_a_form(world: World, is_signed: bool) -> None:
    signed = {"RequestSigningAlgorithm": "rsa-sha256"} if is_signed else {}
    staff = Federated(world, SamlProvider(binding=POST), **signed)
    visitor = world.visitor()
    asked = {"client_id": staff.app, "identity_provider": staff.name, "code_challenge": CHALLENGE}

    page = visitor.open(world.url("/oauth2/authorize", **asked))

    assert heading(page) == "On to your provider"
    assert page.form.action == SSO
    sent_with = page.form.values
    root = etree.fromstring(base64.b64decode(sent_with["SAMLRequest"]))
    known = world.idp.get_signing_certificate(UserPoolId=world.pool_id)["Certificate"]
    assert signatures.is_signed(root) is is_signed
    if is_signed:
        signatures.verified(root, [x509.load_der_x509_certificate(base64.b64decode(known))])
    assert visitor.open(page.url).form.values == sent_with  # loaded again
    back = staff.post(visitor, staff.upstream.response(world, root.get("ID")), sent_with["RelayState"])
    assert told(staff, back)["cognito:username"] == "Staff_Ada.Lovelace"


@pytest.mark.parametrize("named", ["", "nobody", "%00"])
def test_no_form_leads_where_nobody_sent(world: World, named: str) -> None:
    page = world.visitor().open(f"{world.base}/login/provider/form?form={named}")

    assert (heading(page), page.status) == (OVER, 400)


def test_the_metadata_name_addresses_and_both_certificates(world: World) -> None:
    answer = requests.get(f"{world.base}/saml2/metadata", timeout=30)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/samlmetadata+xml"
    root = etree.fromstring(answer.content)
    md = {"md": "urn:oasis:names:tc:SAML:2.0:metadata", "ds": "http://www.w3.org/2000/09/xmldsig#"}
    assert root.get("entityID") == f"urn:amazon:cognito:sp:{world.pool_id}"
    [acs] = root.xpath("//md:AssertionConsumerService", namespaces=md)
    assert acs.get("Location") == f"{world.base}/saml2/idpresponse"
    assert acs.getparent().get("AuthnRequestsSigned") == "false"
    keys = root.xpath("//md:KeyDescriptor", namespaces=md)
    assert [key.get("use") for key in keys] == ["signing", "encryption"]
    known = world.idp.get_signing_certificate(UserPoolId=world.pool_id)["Certificate"]
    assert keys[0].xpath("string(.//ds:X509Certificate)", namespaces=md) == known
    again = requests.get(f"{world.base}/saml2/metadata", timeout=30)
    assert (
        etree.fromstring(again.content).xpath("//ds:X509Certificate/text()", namespaces=md)[:2]
        == (root.xpath("//ds:X509Certificate/text()", namespaces=md)[:2])
    )


def test_values_that_are_several_are_one_text_that_can_be_told_apart(world: World) -> None:
    upstream = SamlProvider(attributes={GROUP: ["admins", "a,b & c~d"], EMAIL: ["ada@corp.example"]})
    staff = Federated(world, upstream)
    world.idp.update_identity_provider(
        UserPoolId=world.pool_id, ProviderName="Staff", AttributeMapping={"profile": GROUP, "email": EMAIL}
    )

    staff.sign_in()

    found = world.idp.admin_get_user(UserPoolId=world.pool_id, Username="Staff_Ada.Lovelace")["UserAttributes"]
    assert {each["Name"]: each["Value"] for each in found}["profile"] == "[admins,a%2Cb+%26+c%7Ed]"


def test_an_assertion_is_taken_once(staff: Federated) -> None:
    visitor, asked = staff.depart()
    response = staff.upstream.response(staff.world, asked.id)
    assert staff.post(visitor, response, asked.relay_state).code
    before = accounts(staff.world)

    page = staff.post(visitor, response, asked.relay_state)

    assert heading(page) == OVER
    assert accounts(staff.world) == before


def test_another_browser_does_not_sign_in_by_an_answer_that_it_did_not_ask_for(staff: Federated) -> None:
    _, asked = staff.depart()
    stranger = staff.world.visitor()

    page = staff.post(stranger, staff.upstream.response(staff.world, asked.id), asked.relay_state)

    assert heading(page) == OVER
    assert accounts(staff.world) == []


def other_recipient(root: Element) -> None:
    """Confirm the subject for another address."""
    one(root, ".//saml:SubjectConfirmationData").set("Recipient", "https://other.example/saml2/idpresponse")


def other_audience(root: Element) -> None:
    """Mean another pool."""
    one(root, ".//saml:Audience").text = "urn:amazon:cognito:sp:eu-west-1_Other"


def late(root: Element) -> None:
    """Have been over long ago."""
    one(root, ".//saml:Conditions").set("NotOnOrAfter", "2020-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("edit", "check"),
    [
        (other_recipient, "saml assertion SubjectConfirmation"),
        (other_audience, "saml assertion AudienceRestriction"),
        (late, "saml assertion Conditions"),
    ],
)
def test_a_response_that_breaks_a_rule_signs_nobody_in_and_the_operator_reads_which(
    staff: Federated, edit: Edit, check: str
) -> None:
    visitor, asked = staff.depart()

    page = staff.post(visitor, staff.upstream.response(staff.world, asked.id, edit=edit), asked.relay_state)

    assert heading(page) == UNCHECKED
    assert accounts(staff.world) == []
    [refusal] = refusals(staff.world, "Staff")
    assert refusal["check"].startswith(check), refusal


@pytest.mark.parametrize(
    ("change", "check"),
    [({"key": "a stranger's"}, "saml signature"), ({"entity_id": "https://other.example"}, "saml response Issuer")],
    ids=str,
)
def test_another_provider_is_not_the_one_that_somebody_went_to(
    staff: Federated, change: dict[str, str], check: str
) -> None:
    visitor, asked = staff.depart()
    stranger = SamlProvider(**change)  # type: ignore[arg-type]

    page = staff.post(visitor, stranger.response(staff.world, asked.id), asked.relay_state)

    assert heading(page) == UNCHECKED
    assert accounts(staff.world) == []
    assert refusals(staff.world, "Staff")[0]["check"].startswith(check)


@pytest.mark.parametrize("response", ["", "no base64", posted(b"<Response/>"), "A" * 700_000], ids=len)
def test_nonsense_is_one_plain_page(staff: Federated, response: str) -> None:
    visitor, asked = staff.depart()

    page = staff.post(visitor, response, asked.relay_state)

    assert heading(page) == UNCHECKED
    assert accounts(staff.world) == []


def test_encrypted_assertions_are_read_where_they_are_wanted_and_others_are_not(world: World) -> None:
    staff = Federated(world, SamlProvider(), EncryptedResponses="true")
    details = world.idp.describe_identity_provider(UserPoolId=world.pool_id, ProviderName="Staff")["IdentityProvider"]
    active = base64.b64decode(details["ProviderDetails"]["ActiveEncryptionCertificate"])

    assert heading(staff.sign_in()) == UNCHECKED
    staff.upstream.encrypts_for = x509.load_der_x509_certificate(active)

    assert told(staff, staff.sign_in())["cognito:username"] == "Staff_Ada.Lovelace"


def test_what_is_encrypted_for_our_metadata_is_read_where_nothing_has_to_be(staff: Federated) -> None:
    metadata = etree.fromstring(requests.get(f"{staff.world.base}/saml2/metadata", timeout=30).content)
    [shown] = metadata.xpath("//*[local-name()='KeyDescriptor'][@use='encryption']//*[local-name()='X509Certificate']")
    staff.upstream.encrypts_for = x509.load_der_x509_certificate(base64.b64decode(shown.text))

    assert staff.sign_in().code


# -- people whom a provider sends by itself --------------------------------------------------------------------------


def portal(staff: Federated, **changed: str) -> str:
    """Return what a provider's portal brings as RelayState. AWS: SAML session initiation."""
    asked = {
        "identity_provider": staff.name,
        "client_id": staff.app,
        "redirect_uri": staff.world.callback,
        "response_type": "code",
        "scope": "openid",
        **changed,
    }
    return urlencode(asked)


def test_who_begins_at_the_providers_portal_is_signed_in_where_an_operator_lets_it_be(world: World) -> None:
    staff = Federated(world, SamlProvider(), IDPInit="true")

    page = staff.post(world.visitor(), staff.upstream.response(world), portal(staff))

    assert page.code
    assert [login for *_, login in accounts(world)[1:]] == ["Ada.Lovelace"]


def test_an_assertion_that_nobody_asked_for_is_taken_once_too(world: World) -> None:
    staff = Federated(world, SamlProvider(), IDPInit="true")
    response = staff.upstream.response(world)
    staff.post(world.visitor(), response, portal(staff))

    page = staff.post(world.visitor(), response, portal(staff))

    assert heading(page) == UNCHECKED
    assert refusals(world, "Staff") == [{"check": "proof: taken before", "said": ""}]


@pytest.mark.parametrize(
    ("details", "providers", "changed"),
    [
        ({}, [], {}),
        ({"IDPInit": "true"}, ["COGNITO"], {}),
        ({"IDPInit": "true"}, [], {"identity_provider": "Nobody"}),
        ({"IDPInit": "true"}, [], {"client_id": "nobody"}),
    ],
    ids=["not let", "an app of the pool's own people too", "another provider", "another app"],
)
def test_nobody_comes_by_themselves_where_it_is_not_let(
    world: World, details: dict[str, str], providers: list[str], changed: dict[str, str]
) -> None:
    staff = Federated(world, SamlProvider(), **details)
    staff.app = world.app("Portal", SupportedIdentityProviders=["Staff", *providers])

    answered = staff.bring(staff.upstream.response(world), portal(staff, **changed))

    assert answered.status_code == 400
    assert accounts(world) == []


def test_an_answer_to_a_request_is_no_use_to_who_comes_by_themselves(world: World) -> None:
    staff = Federated(world, SamlProvider(), IDPInit="true")

    page = staff.post(world.visitor(), staff.upstream.response(world, "_a_request"), portal(staff))

    assert heading(page) == UNCHECKED
    assert refusals(world, "Staff")[0]["check"].startswith("saml response InResponseTo")


# -- signing out -----------------------------------------------------------------------------------------------------


def test_who_signs_out_here_signs_out_there_and_comes_back(staff: Federated) -> None:
    visitor, asked = staff.depart()
    staff.post(visitor, staff.upstream.response(staff.world, asked.id), asked.relay_state)
    known = staff.world.idp.get_signing_certificate(UserPoolId=staff.world.pool_id)["Certificate"]

    visitor.open(f"{staff.world.base}/account")

    request = sent(visitor.submit().link("Go on"), to=SLO)
    assert request.is_signed_by(x509.load_der_x509_certificate(base64.b64decode(known)))
    assert one(request.root, "saml:NameID").text == "Ada.Lovelace"
    assert one(request.root, "samlp:SessionIndex").text == "_s1"
    answer = staff.upstream.message("LogoutResponse", staff.world, InResponseTo=request.id)
    status = etree.SubElement(answer, "{urn:oasis:names:tc:SAML:2.0:protocol}Status")
    etree.SubElement(
        status,
        "{urn:oasis:names:tc:SAML:2.0:protocol}StatusCode",
        Value="urn:oasis:names:tc:SAML:2.0:status:Success",
    )
    back = staff.upstream.redirect(
        f"{staff.world.base}/saml2/logout", answer, name="SAMLResponse", relay_state=request.relay_state
    )
    assert heading(visitor.open(back)) == "You are signed out"


def test_a_session_that_ends_at_the_provider_ends_here_with_its_refresh_tokens(staff: Federated) -> None:
    visitor, asked = staff.depart()
    page = staff.post(visitor, staff.upstream.response(staff.world, asked.id), asked.relay_state)
    refresh = tokens(staff, page)["refresh_token"]
    other, elsewhere = staff.world.visitor(), "_s2"
    staff.upstream.session = elsewhere
    staff.sign_in(other)

    request = staff.upstream.logout_request(staff.world, "_s1")
    url = staff.upstream.redirect(f"{staff.world.base}/saml2/logout", request, name="SAMLRequest", relay_state="theirs")
    answered = requests.get(url, allow_redirects=False, timeout=30)

    answer = sent(answered.headers["Location"], to=SLO, name="SAMLResponse")
    assert (answer.root.get("InResponseTo"), answer.relay_state) == (request.get("ID"), "theirs")
    assert is_signed_in(staff, other)
    assert not is_signed_in(staff, visitor)
    given = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": staff.app}
    assert requests.post(f"{staff.world.base}/oauth2/token", data=given, timeout=30).status_code == 400


def is_signed_in(staff: Federated, visitor: Visitor) -> bool:
    """Say whether a browser's session lives."""
    return heading(visitor.open(f"{staff.world.base}/account")) == "Your account"


@pytest.mark.parametrize("fault", ["unsigned", "another key", "another person"])
def test_a_request_that_is_not_the_providers_ends_nothing(staff: Federated, fault: str) -> None:
    visitor, asked = staff.depart()
    staff.post(visitor, staff.upstream.response(staff.world, asked.id), asked.relay_state)
    if fault == "another key":
        staff.upstream.key = "a stranger's"
    if fault == "another person":
        staff.upstream.name_id = "Charles.Babbage"

    request = staff.upstream.logout_request(staff.world, "_s1")
    url = staff.upstream.redirect(
        f"{staff.world.base}/saml2/logout", request, name="SAMLRequest", is_signed=fault != "unsigned"
    )
    answered = requests.get(url, allow_redirects=False, timeout=30)

    assert answered.status_code == (303 if fault == "another person" else 400)
    assert is_signed_in(staff, visitor)
