"""A pool as a SAML identity provider, as an application of the tests and its people meet it."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import pyotp
import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding

from federation.saml import authn_contexts, name_ids
from identity.foundation import clock
from tests.federation.saml.edits import set_at, text_at, then
from tests.federation.saml.identity_provider import Edit, Element, put
from tests.hosted.federation import CHALLENGE, VERIFIER
from tests.hosted.saml_application import ACS, ENTITY_ID, Application, told_certificate
from tests.hosted.upstream import OVER, heading
from tests.hosted.world import PASSWORD, Page, Visitor, World
from tests.live import Live
from tests.oidc.world import claims

UNCHECKED = "This request could not be checked"
SIGN_IN = "Sign in"
ATTRIBUTES = {"mail": "email", "urn:oid:2.5.4.42": "given_name", "groups": "cognito:groups"}


@pytest.fixture
def world(live: Live) -> World:
    """Return a pool."""
    return World(live)


@pytest.fixture
def wiki(world: World) -> Application:
    """Return an application that signs nothing."""
    return Application(world, attributes=ATTRIBUTES)


@pytest.fixture
def signing(world: World) -> Application:
    """Return an application that signs its requests."""
    return Application(world, certificates=[told_certificate()])


def force(root: Element) -> None:
    """Want somebody to sign in anew."""
    root.set("ForceAuthn", "true")


def be_passive(root: Element) -> None:
    """Want nobody to be asked anything."""
    root.set("IsPassive", "true")


def want(*classes: str, comparison: str = "exact") -> Edit:
    """Return an edit by which a request wants one of some classes of authentication context."""

    def edit(root: Element) -> None:
        wanted = put(root, "samlp:RequestedAuthnContext", Comparison=comparison)
        for each in classes:
            put(wanted, "saml:AuthnContextClassRef", each)

    return edit


def want_name(name_id_format: str) -> Edit:
    """Return an edit by which a request wants people to be named in a format."""
    return lambda root: put(root, "samlp:NameIDPolicy", Format=name_id_format)


def refusals(world: World) -> list[dict[str, Any]]:
    """Return what the audit log says of requests that were refused, oldest first."""
    from pools.models import AuditEvent

    with world.rows() as pool:
        rows = AuditEvent.objects.filter(pool_id=pool.pk, tag="saml_request_refused").order_by("id")
        return [row.detail for row in rows]


def is_login(page: Page) -> bool:
    """Say whether a page asks somebody to sign in."""
    return page.path.startswith("/login?") or page.path == "/login"


# -- who the pool is ---------------------------------------------------------------------------------------------------


def test_the_metadata_name_addresses_and_the_certificate_that_amazon_tells(world: World) -> None:
    answer = requests.get(f"{world.base}/saml2/idp/metadata", timeout=30)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/samlmetadata+xml")
    found = Application(world).pool
    own = f"{world.base}/saml2/idp"
    assert (found.entity_id, found.sso_redirect_url, found.sso_post_url) == (
        f"{own}/metadata",
        f"{own}/sso",
        f"{own}/sso",
    )
    assert (found.slo_redirect_url, found.slo_post_url) == (f"{own}/slo", f"{own}/slo")
    assert found.name_id_formats[0] == name_ids.PERSISTENT
    known = world.idp.get_signing_certificate(UserPoolId=world.pool_id)["Certificate"]
    [told] = found.certificates
    assert base64.b64encode(told.public_bytes(Encoding.DER)).decode() == known


# -- signing in --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("binding", ["redirect", "form"])
@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed"])
def test_somebody_signs_in_and_is_brought_to_the_application(world: World, binding: str, is_signed: bool) -> None:
    application = Application(world, certificates=[told_certificate()] if is_signed else [])
    visitor, name = world.visitor(), world.person()
    ask = application.ask if binding == "redirect" else application.ask_by_form

    page = ask(visitor, relay_state="page 7")
    assert heading(page) == SIGN_IN
    back = visitor.submit(username=name, password=PASSWORD)

    found = application.read(back)
    assert back.form.values["RelayState"] == "page 7"
    assert found.name_id.format == name_ids.PERSISTENT
    assert found.name_id.sp_name_qualifier == ENTITY_ID
    assert len(found.name_id.value) == 64
    assert found.authn_context == authn_contexts.PASSWORD_PROTECTED
    assert abs((found.authn_instant - clock.now()).total_seconds()) < 60
    assert found.session_index
    assert dict(found.attributes) == {}


def test_each_answer_leaves_an_audit_row_of_whom_it_is_about(wiki: Application) -> None:
    from pools.models import AuditEvent

    world, visitor, name = wiki.world, wiki.world.visitor(), wiki.world.person()
    wiki.sign_in(visitor, name)
    wiki.read(wiki.ask(visitor))

    told = world.idp.admin_get_user(UserPoolId=world.pool_id, Username=name)["UserAttributes"]
    sub = next(each["Value"] for each in told if each["Name"] == "sub")
    with world.rows() as pool:
        rows = list(AuditEvent.objects.filter(pool_id=pool.pk, tag="saml_response_issued"))
    assert [(row.subject, row.actor_kind, row.actor_id) for row in rows] == [(sub, "user", sub)] * 2
    assert rows[0].detail == {"application": ENTITY_ID, "client_id": wiki.client_id}


def test_an_application_is_told_what_it_is_registered_for_and_groups(wiki: Application) -> None:
    world, name = wiki.world, wiki.world.person()
    for group in ("staff", "admins"):
        world.idp.create_group(UserPoolId=world.pool_id, GroupName=group)
        world.idp.admin_add_user_to_group(UserPoolId=world.pool_id, Username=name, GroupName=group)

    found = wiki.sign_in(world.visitor(), name)

    assert {each: sorted(values) for each, values in found.attributes.items()} == {
        "mail": [name],
        "groups": ["admins", "staff"],
    }


def test_an_application_is_told_no_more_than_its_app_reads(world: World) -> None:
    application = Application(world, client={"ReadAttributes": ["given_name"]}, attributes=ATTRIBUTES)

    found = application.sign_in(world.visitor(), world.person())

    assert "mail" not in found.attributes


def test_an_address_that_nobody_proved_is_told_nobody(wiki: Application) -> None:
    world, name = wiki.world, wiki.world.person()
    unproven = [{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "false"}]
    visitor = world.visitor()
    wiki.sign_in(visitor, name)
    world.idp.admin_update_user_attributes(UserPoolId=world.pool_id, Username=name, UserAttributes=unproven)

    found = wiki.read(wiki.ask(visitor))

    assert "mail" not in found.attributes


def test_who_is_signed_in_is_brought_on_at_once_by_another_name_at_each_application(world: World) -> None:
    first = Application(world)
    second = Application(world, entity_id="https://other.example", acs_urls=["https://other.example/acs"])
    visitor, name = world.visitor(), world.person()
    signed_in = first.sign_in(visitor, name)

    again, elsewhere = first.read(first.ask(visitor)), second.read(second.ask(visitor))

    assert again.name_id == signed_in.name_id
    assert again.session_index == signed_in.session_index
    assert elsewhere.name_id.value != signed_in.name_id.value
    assert elsewhere.session_index != signed_in.session_index


@pytest.mark.parametrize(
    ("settings", "wanted", "named"),
    [
        ({"name_id_format": "emailAddress"}, "", lambda name: name),
        ({"name_id_format": "emailAddress"}, name_ids.EMAIL, lambda name: name),
        ({"name_id_format": "emailAddress"}, name_ids.UNSPECIFIED, lambda name: name),
        ({"name_id_format": "unspecified", "name_id_attribute": "email"}, "", lambda name: name),
    ],
)
def test_people_are_named_as_the_application_is_registered(
    world: World, settings: dict[str, Any], wanted: str, named: Callable[[str], str]
) -> None:
    application, name = Application(world, **settings), world.person()

    found = application.sign_in(world.visitor(), name, want_name(wanted) if wanted else lambda _: None)

    assert found.name_id.value == named(name)
    assert found.name_id.format.endswith(settings["name_id_format"])


def test_a_fleeting_name_is_one_for_a_session_and_another_in_the_next(wiki: Application) -> None:
    fleeting, name = want_name(name_ids.TRANSIENT), wiki.world.person()
    visitor = wiki.world.visitor()

    first = wiki.sign_in(visitor, name, fleeting)
    again = wiki.read(wiki.ask(visitor, fleeting))
    elsewhere = wiki.sign_in(wiki.world.visitor(), name, fleeting)

    assert first.name_id.format == name_ids.TRANSIENT
    assert again.name_id == first.name_id
    assert elsewhere.name_id.value != first.name_id.value


@pytest.mark.parametrize(
    ("signs_assertion", "signs_response"),
    [(True, True), (True, False), (False, True)],
    ids=["both", "assertion", "response"],
)
def test_an_assertion_is_encrypted_and_signed_as_the_application_wants(
    world: World, signs_assertion: bool, signs_response: bool
) -> None:
    from tests.federation.saml.identity_provider import rsa_key

    application = Application(
        world,
        encrypts=True,
        encryption_certificate=told_certificate("decrypts"),
        signs_assertion=signs_assertion,
        signs_response=signs_response,
    )
    visitor = world.visitor()
    application.ask(visitor)

    page = visitor.submit(username=world.person(), password=PASSWORD)

    found = application.read(page, keys=[rsa_key("decrypts")], must_be_encrypted=True)
    assert found.was_encrypted


def test_the_address_for_answers_is_chosen_among_those_that_are_registered(world: World) -> None:
    application = Application(world, acs_urls=[ACS, f"{ACS}/other"], acs_indexes=[0, 7])
    visitor, name = world.visitor(), world.person()
    application.sign_in(visitor, name)

    by_index = application.ask(visitor, set_at(".", AssertionConsumerServiceIndex="7"))
    application.read(by_index, acs_url=f"{ACS}/other")
    by_url = application.ask(visitor, set_at(".", AssertionConsumerServiceURL=f"{ACS}/other"))
    application.read(by_url, acs_url=f"{ACS}/other")


def test_somebody_without_an_account_may_make_one_on_the_way(wiki: Application) -> None:
    visitor, name = wiki.world.visitor(), wiki.world.name()
    wiki.ask(visitor)
    visitor.follow("Create an account")
    visitor.submit(username=name, password=PASSWORD)
    visitor.submit(code=wiki.world.mailed(name))
    page = visitor.follow("Not now")

    assert wiki.read(page).attributes["mail"] == (name,)


# -- what an application asks of a sign-in -----------------------------------------------------------------------------


def test_who_is_signed_in_signs_in_anew_where_an_application_wants_that(wiki: Application) -> None:
    visitor, name = wiki.world.visitor(), wiki.world.person()
    before = wiki.sign_in(visitor, name)

    page = wiki.ask(visitor, force)
    assert is_login(page)
    found = wiki.read(visitor.submit(username=name, password=PASSWORD))

    assert found.authn_instant > before.authn_instant
    assert found.session_index == before.session_index


def test_nobody_is_asked_anything_where_an_application_wants_that(wiki: Application) -> None:
    visitor, name = wiki.world.visitor(), wiki.world.person()

    assert wiki.status(wiki.ask(visitor, be_passive)) == "NoPassive"
    wiki.sign_in(visitor, name)
    wiki.read(wiki.ask(visitor, be_passive))
    assert wiki.status(wiki.ask(visitor, then(be_passive, force))) == "NoPassive"
    assert wiki.status(wiki.ask(visitor, then(be_passive, want(authn_contexts.REFEDS_MFA)))) == "NoPassive"


def test_the_class_that_was_reached_is_told_where_it_is_what_an_application_wants(world: World) -> None:
    application, name = Application(world), world.person()
    secret, visitor = world.give_totp(name), world.visitor()
    multiple = want(authn_contexts.REFEDS_MFA)
    application.ask(visitor, multiple)
    visitor.submit(username=name, password=PASSWORD)

    page = visitor.submit(code=pyotp.TOTP(secret).at(clock.now(), counter_offset=1))

    assert application.read(page).authn_context == authn_contexts.REFEDS_MFA
    found = application.read(application.ask(visitor, want(authn_contexts.PASSWORD, comparison="minimum")))
    assert found.authn_context == authn_contexts.REFEDS_MFA


def test_who_cannot_reach_what_an_application_wants_is_asked_once_and_it_is_told(wiki: Application) -> None:
    visitor, name = wiki.world.visitor(), wiki.world.person()
    wiki.sign_in(visitor, name)

    page = wiki.ask(visitor, want(authn_contexts.REFEDS_MFA))
    assert is_login(page)
    page = visitor.submit(username=name, password=PASSWORD)

    assert wiki.status(page) == "NoAuthnContext"


@pytest.mark.parametrize(
    ("edit", "status"),
    [
        (want("urn:nobody:knows"), "NoAuthnContext"),
        (want(authn_contexts.PASSWORD, comparison="best"), "NoAuthnContext"),
        (want_name(name_ids.EMAIL), "InvalidNameIDPolicy"),
        (want_name("urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"), "InvalidNameIDPolicy"),
        (set_at(".", ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"), "UnsupportedBinding"),
        (set_at(".", Version="2.1"), "VersionMismatch"),
        (set_at(".", IsPassive="yes"), "RequestUnsupported"),
        (lambda root: put(root, "samlp:Novelty"), "RequestUnsupported"),
        (want(*(f"urn:{'x' * 1000}:{n}" for n in range(8)), authn_contexts.PASSWORD), "RequestUnsupported"),
    ],
    ids=["class", "comparison", "format", "strange format", "binding", "version", "boolean", "part", "too long"],
)
@pytest.mark.parametrize("binding", ["redirect", "form"])
def test_what_cannot_be_had_is_answered_with_a_status(wiki: Application, edit: Edit, status: str, binding: str) -> None:
    ask = wiki.ask if binding == "redirect" else wiki.ask_by_form

    page = ask(wiki.world.visitor(), edit, relay_state="page 7")

    assert wiki.status(page) == status
    assert page.form.values["RelayState"] == "page 7"
    [told] = refusals(wiki.world)
    assert (told["application"], told["status"]) == (ENTITY_ID, status)


def test_who_has_no_name_in_the_format_is_not_brought_on(world: World) -> None:
    application = Application(world, name_id_format="unspecified", name_id_attribute="nickname")
    visitor = world.visitor()
    application.ask(visitor)

    page = visitor.submit(username=world.person(), password=PASSWORD)

    assert application.status(page) == "InvalidNameIDPolicy"


def test_people_are_asked_before_an_app_that_anybody_may_have_added_is_told_of_them(wiki: Application) -> None:
    from pools.models import AppClient
    from pools.services import configuration

    with wiki.world.rows() as pool:
        rows = AppClient.objects.filter(pool_id=pool.pk, client_id=wiki.client_id)
        rows.update(registered=AppClient.Registered.OPENLY)
        configuration.touch(pool)
    time.sleep(1.2)  # longer than a process holds an app as it was
    visitor = wiki.world.visitor()
    wiki.ask(visitor)

    assert visitor.submit(username=wiki.world.person(), password=PASSWORD).path == "/consent"
    assert wiki.status(visitor.submit(form=1)) == "RequestDenied"
    assert wiki.ask(visitor).path == "/consent"
    wiki.read(visitor.submit())
    assert wiki.status(wiki.ask(visitor, be_passive)) == "NoPassive"


# -- what is not answered ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "check"),
    [
        (text_at("saml:Issuer", "https://nobody.example"), "its sender is no application of the pool"),
        (text_at("saml:Issuer", ""), "its sender is no application of the pool"),
        (set_at(".", AssertionConsumerServiceURL="https://evil.example/acs"), "saml request AssertionConsumerService"),
        (set_at(".", AssertionConsumerServiceIndex="3"), "saml request AssertionConsumerService"),
        (set_at(".", Destination="https://other.example/sso"), "saml request Destination"),
        (set_at(".", Destination=None), "saml request Destination"),
        (set_at(".", IssueInstant=-3600), "saml request IssueInstant"),
        (set_at(".", IssueInstant=3600), "saml request IssueInstant"),
        (set_at(".", ID=None), "saml request ID"),
    ],
)
def test_what_nobody_can_be_answered_for_ends_on_our_page(signing: Application, edit: Edit, check: str) -> None:
    page = signing.ask(signing.world.visitor(), edit)

    assert (page.status, heading(page)) == (400, UNCHECKED)
    assert "evil.example" not in page.text
    assert [check in told["check"] for told in refusals(signing.world)] == [True]


@pytest.mark.parametrize("binding", ["redirect", "form"])
@pytest.mark.parametrize("key", ["", "a stranger's"], ids=["unsigned", "another key"])
def test_a_request_that_is_not_the_applications_ends_on_our_page(signing: Application, key: str, binding: str) -> None:
    signing.key = key
    ask = signing.ask if binding == "redirect" else signing.ask_by_form

    page = ask(signing.world.visitor())

    assert (page.status, heading(page)) == (400, UNCHECKED)
    [told] = refusals(signing.world)
    assert (told["application"], told["status"]) == (ENTITY_ID, "")


@pytest.mark.parametrize("binding", ["redirect", "form"])
def test_a_signature_that_is_not_wanted_is_verified_all_the_same(world: World, binding: str) -> None:
    application, visitor = Application(world, certificates=[told_certificate()], signs_requests=False), world.visitor()
    ask = application.ask if binding == "redirect" else application.ask_by_form

    for key, is_taken in (("", True), ("an application's", True), ("a stranger's", False)):
        application.key = key
        assert is_login(ask(visitor)) is is_taken, key


@pytest.mark.parametrize(
    "query", ["", "SAMLRequest=", "SAMLRequest=AAAA", "SAMLRequest=%00&SAMLResponse=a", "entity_id="]
)
def test_what_is_no_request_ends_on_our_page(world: World, query: str) -> None:
    url = f"{world.base}/saml2/idp/sso"

    answered = [requests.get(f"{url}?{query}", timeout=30), requests.post(url, data=query, timeout=30)]

    assert [each.status_code for each in answered] == [400, 400]


def test_a_signed_request_is_not_changed_on_the_way(signing: Application) -> None:
    url = urlsplit(signing.redirect(signing.sso, signing.request(), relay_state="page 7"))
    changed = urlunsplit(url._replace(query=url.query.replace("page%207", "page%208")))

    page = signing.world.visitor().open(changed)

    assert (page.status, heading(page)) == (400, UNCHECKED)


def test_a_request_is_answered_once(wiki: Application) -> None:
    visitor, name = wiki.world.visitor(), wiki.world.person()
    wiki.ask(visitor)
    carried = visitor.here.url.replace("/login?", "/saml2/idp/request?")
    wiki.read(visitor.submit(username=name, password=PASSWORD))

    assert heading(visitor.open(carried)) == OVER
    request = wiki.request()
    wiki.read(visitor.open(wiki.redirect(wiki.sso, request)))
    assert heading(visitor.open(wiki.redirect(wiki.sso, request))) == OVER


@pytest.mark.parametrize("fault", ["another app", "changed", "missing"])
def test_what_our_pages_carry_is_of_one_application_and_unchanged(wiki: Application, fault: str) -> None:
    world, visitor = wiki.world, wiki.world.visitor()
    wiki.sign_in(visitor, world.person())
    asked = wiki.ask(world.visitor()).url.replace("/login?", "/saml2/idp/request?")
    changed = {
        "another app": asked.replace(wiki.client_id, world.client_id),
        "changed": asked.replace("asked=", "asked=A"),
        "missing": asked.replace("asked=", "nothing="),
    }

    assert heading(visitor.open(changed[fault])) == OVER
    wiki.read(visitor.open(asked), request_id=wiki.asked)


def test_another_pools_application_is_unknown(wiki: Application, live: Live) -> None:
    other = World(live)
    foreign = Application(other, entity_id="https://foreign.example")
    root = foreign.request(set_at(".", Destination=wiki.sso))

    page = wiki.world.visitor().open(foreign.redirect(wiki.sso, root))

    assert (page.status, heading(page)) == (400, UNCHECKED)


def test_an_app_that_lost_its_pages_signs_nobody_in(wiki: Application) -> None:
    world, visitor = wiki.world, wiki.world.visitor()
    world.idp.update_user_pool_client(UserPoolId=world.pool_id, ClientId=wiki.client_id)

    page = wiki.ask(visitor)

    assert (page.status, heading(page)) == (400, "This app has no sign-in pages")


# -- people whom the pool sends by itself ------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "told"), [("", "start"), ("page 7", "page 7")])
def test_sign_in_begins_here_where_an_operator_lets_it_be(world: World, given: str, told: str) -> None:
    application = Application(world, allows_unasked=True, default_relay_state="start")
    visitor = world.visitor()
    asked = {"entity_id": ENTITY_ID, **({"RelayState": given} if given else {})}

    visitor.open(f"{application.sso}?{urlencode(asked)}")
    page = visitor.submit(username=world.person(), password=PASSWORD)

    application.read(page, request_id="", is_unsolicited=True)
    assert page.form.values["RelayState"] == told
    again = visitor.open(f"{application.sso}?{urlencode(asked)}")
    application.read(again, request_id="", is_unsolicited=True)


@pytest.mark.parametrize(
    "asked", [{"entity_id": ENTITY_ID}, {"entity_id": "https://nobody.example"}, {"entity_id": "x" * 2000}]
)
def test_sign_in_begins_nowhere_else(wiki: Application, asked: dict[str, str]) -> None:
    page = wiki.world.visitor().open(f"{wiki.sso}?{urlencode(asked)}")

    assert (page.status, heading(page)) == (400, UNCHECKED)


# -- two pools ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_encrypted", [False, True], ids=["plain", "encrypted"])
def test_a_pool_signs_people_in_by_another_one(live: Live, is_encrypted: bool) -> None:
    up, down = World(live), World(live, mfa="OFF", by_email=False)
    details = {"EncryptedResponses": "true", "RequestSigningAlgorithm": "rsa-sha256"} if is_encrypted else {}
    above = requests.get(f"{up.base}/saml2/idp/metadata", timeout=30).text
    down.idp.create_identity_provider(
        UserPoolId=down.pool_id,
        ProviderName="Above",
        ProviderType="SAML",
        ProviderDetails={"MetadataFile": above, **details},
        AttributeMapping={"email": "mail"},
    )
    app = down.app("By Above", SupportedIdentityProviders=["Above"])
    register(up, requests.get(f"{down.base}/saml2/metadata", timeout=30).content, encrypts=is_encrypted)
    visitor, name = Visitor(down), up.person()

    asked = {"client_id": app, "identity_provider": "Above", "code_challenge": CHALLENGE}
    page = visitor.open(down.url("/oauth2/authorize", **asked))
    assert page.url.startswith(f"{up.base}/login")
    visitor.submit(username=name, password=PASSWORD)
    page = visitor.submit()

    given = {"grant_type": "authorization_code", "code": page.code, "client_id": app}
    more = {"redirect_uri": down.callback, "code_verifier": VERIFIER}
    answer = requests.post(f"{down.base}/oauth2/token", data=given | more, timeout=30)
    found = claims(answer.json()["id_token"])
    assert found["email"] == name
    assert found["identities"][0]["issuer"] == f"{up.base}/saml2/idp/metadata"


def register(world: World, metadata: bytes, **settings: Any) -> None:
    """Register an application by its metadata, as an operator does."""
    from identity.foundation.actor import Actor
    from pools.services import access
    from pools.services.providers import saml_applications

    client_id = world.app("Down")
    with world.live.orm():
        pool = access.pool(world.pool_id)
        told = saml_applications.of_metadata(metadata) | {"attributes": ATTRIBUTES, **settings}
        saml_applications.create(pool, access.client_in(pool, client_id), told, by=Actor.system())
