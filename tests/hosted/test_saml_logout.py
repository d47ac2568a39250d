"""Single logout between a pool and the applications that speak SAML, whichever side begins it."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from federation.saml.responses import SignedIn
from tests.federation.saml.edits import set_at
from tests.federation.saml.identity_provider import SUCCESS, nothing, posted
from tests.hosted.saml_application import ENTITY_ID, SLO, Application, told_certificate
from tests.hosted.saml_upstream import SLO as THEIR_SLO
from tests.hosted.saml_upstream import Federated, SamlProvider, sent
from tests.hosted.upstream import heading
from tests.hosted.world import Visitor, World
from tests.live import Live

OTHER = "https://forum.example"
REQUESTER = "urn:oasis:names:tc:SAML:2.0:status:Requester"
UNCHECKED = "This request could not be checked"
SIGNED_OUT = "You are signed out"


@pytest.fixture
def world(live: Live) -> World:
    """Return a pool."""
    return World(live)


def application(world: World, entity_id: str = ENTITY_ID, **settings: Any) -> Application:
    """Return an application that signs, and takes logout messages."""
    slo = SLO if entity_id == ENTITY_ID else f"{entity_id}/slo"
    given = {"entity_id": entity_id, "acs_urls": [f"{entity_id}/acs"], "slo_url": slo}
    return Application(world, **{**given, "certificates": [told_certificate()], **settings})


@pytest.fixture
def wiki(world: World) -> Application:
    """Return an application."""
    return application(world)


@pytest.fixture
def visitor(world: World) -> Visitor:
    """Return a browser without cookies."""
    return world.visitor()


def is_signed_in(world: World, visitor: Visitor) -> bool:
    """Say whether a browser's session lives."""
    return heading(visitor.open(f"{world.base}/account")) == "Your account"


def refusals(world: World) -> list[str]:
    """Return which checks refused messages for signing out, oldest first."""
    from pools.models import AuditEvent

    with world.rows() as pool:
        rows = AuditEvent.objects.filter(pool_id=pool.pk, tag="saml_logout_refused").order_by("id")
        return [row.detail["check"] for row in rows]


def both(world: World, visitor: Visitor, **settings: Any) -> tuple[Application, Application, SignedIn, SignedIn]:
    """Have somebody sign in to two applications; return these, and what each was told."""
    first, second = application(world), application(world, OTHER, **settings)
    known = first.sign_in(visitor, world.person())
    return first, second, known, second.read(second.ask(visitor))


# -- begun at an application -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names_session", [True, False], ids=["a session", "all sessions"])
def test_who_signs_out_of_an_application_is_signed_out_here(
    wiki: Application, visitor: Visitor, *, names_session: bool
) -> None:
    known = wiki.sign_in(visitor, wiki.world.person())

    page = visitor.open(wiki.logout_request(known, *([known.session_index] if names_session else [])))

    assert wiki.outcome(page) == "Success"
    assert not is_signed_in(wiki.world, visitor)


def test_a_form_that_brings_no_cookies_ends_the_session_that_it_names(wiki: Application, visitor: Visitor) -> None:
    from federation.saml import signing
    from federation.saml.signing import SigningKey
    from tests.federation.saml.identity_provider import certificate, put, rsa_key

    known = wiki.sign_in(visitor, wiki.world.person())
    root = wiki.logout_message("LogoutRequest")
    put(root, "saml:NameID", known.name_id.value)
    put(root, "samlp:SessionIndex", known.session_index)
    root = signing.signed(root, SigningKey(rsa_key(wiki.key), certificate(rsa_key(wiki.key))))

    answered = requests.post(wiki.slo, data={"SAMLRequest": posted(root)}, allow_redirects=False, timeout=30)

    assert answered.headers["Location"].startswith(SLO)
    assert not is_signed_in(wiki.world, visitor)


def test_another_session_of_the_same_person_lives_on(wiki: Application, visitor: Visitor) -> None:
    name, elsewhere = wiki.world.person(), wiki.world.visitor()
    known, other = wiki.sign_in(visitor, name), wiki.sign_in(elsewhere, name)
    assert (known.name_id, known.session_index != other.session_index) == (other.name_id, True)

    wiki.outcome(visitor.open(wiki.logout_request(known, known.session_index)))

    assert not is_signed_in(wiki.world, visitor)
    assert is_signed_in(wiki.world, elsewhere)


def test_each_other_application_is_told_and_then_the_one_that_asked(world: World, visitor: Visitor) -> None:
    first, second, known, elsewhere = both(world, visitor)

    page = visitor.open(first.logout_request(known, known.session_index))
    asked = second.told_to_sign_out(page.url)
    assert asked.root.findtext("{*}NameID") == elsewhere.name_id.value
    assert asked.root.findtext("{*}SessionIndex") == elsewhere.session_index
    page = visitor.open(second.logout_answer(asked))

    assert first.outcome(page) == "Success"
    assert refusals(world) == []


@pytest.mark.parametrize("fault", ["no address", "failed", "another key", "another request"])
def test_the_one_that_asked_is_told_where_another_could_not_be_signed_out(
    world: World, visitor: Visitor, fault: str
) -> None:
    first, second, known, _ = both(world, visitor, **({"slo_url": ""} if fault == "no address" else {}))

    page = visitor.open(first.logout_request(known, known.session_index))
    if fault != "no address":
        asked = second.told_to_sign_out(page.url)
        second.key = "a stranger's" if fault == "another key" else second.key
        status = REQUESTER if fault == "failed" else SUCCESS
        edit = set_at(".", InResponseTo="_another") if fault == "another request" else nothing
        page = visitor.open(second.logout_answer(asked, status, edit=edit))

    assert first.outcome(page) == "PartialLogout"
    assert not is_signed_in(world, visitor)
    assert len(refusals(world)) == (fault != "no address")


def test_an_answer_leads_on_once(world: World, visitor: Visitor) -> None:
    first, second, known, _ = both(world, visitor)
    asked = second.told_to_sign_out(visitor.open(first.logout_request(known, known.session_index)).url)
    first.outcome(visitor.open(second.logout_answer(asked)))

    assert heading(visitor.open(second.logout_answer(asked))) == SIGNED_OUT


def test_who_signed_in_anew_meanwhile_is_still_signed_out_everywhere(wiki: Application, visitor: Visitor) -> None:
    name = wiki.world.person()
    known = wiki.sign_in(visitor, name)
    visitor.open(wiki.world.url("/login", prompt="login"))
    visitor.submit(username=name, password="Correct-horse-7")

    page = visitor.open(wiki.logout_request(known, known.session_index))

    assert wiki.outcome(page) == "Success"
    assert not is_signed_in(wiki.world, visitor)


# -- what ends nothing -------------------------------------------------------------------------------------------------


def test_a_session_that_an_application_does_not_know_is_not_ended(wiki: Application, visitor: Visitor) -> None:
    known = wiki.sign_in(visitor, wiki.world.person())

    page = visitor.open(wiki.logout_request(known, "_another"))

    assert wiki.outcome(page) == "UnknownPrincipal"
    assert is_signed_in(wiki.world, visitor)
    assert refusals(wiki.world) == ["saml logout request: nobody of that name is in such a session"]


def test_an_application_ends_no_session_that_only_another_knows(world: World, visitor: Visitor) -> None:
    first, second, known, _ = both(world, visitor)

    page = visitor.open(second.logout_request(known, known.session_index))

    assert second.outcome(page) == "UnknownPrincipal"
    assert is_signed_in(world, visitor)
    assert first.entity_id == ENTITY_ID


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("unsigned", "saml redirect: it is not signed"),
        ("another key", "saml redirect: by no certificate of the sender"),
        ("no certificate", "saml logout: the application is registered without a certificate"),
        ("nobody", "saml: its sender is no application of the pool"),
        ("elsewhere", "saml logout request Destination"),
        ("old", "saml logout request IssueInstant"),
    ],
)
def test_a_request_that_is_not_the_applications_ends_nothing(
    world: World, visitor: Visitor, fault: str, check: str
) -> None:
    without: dict[str, Any] = {"certificates": []} if fault == "no certificate" else {}
    wiki = application(world, **without)
    known = wiki.sign_in(visitor, world.person())
    wiki.key = {"unsigned": "", "another key": "a stranger's"}.get(fault, "an application's")
    wiki.entity_id = "https://nobody.example" if fault == "nobody" else wiki.entity_id
    edits = {
        "elsewhere": set_at(".", Destination="https://other.example/slo"),
        "old": set_at(".", IssueInstant=-3600),
    }

    page = visitor.open(wiki.logout_request(known, known.session_index, edit=edits.get(fault, nothing)))

    assert (page.status, heading(page)) == (400, UNCHECKED)
    assert is_signed_in(world, visitor)
    [found] = refusals(world)
    assert found.startswith(check)


@pytest.mark.parametrize("query", ["", "SAMLRequest=", "SAMLRequest=AAAA", "SAMLResponse=AAAA", "RelayState=x"])
def test_what_is_no_message_ends_on_our_page(world: World, query: str) -> None:
    url = f"{world.base}/saml2/idp/slo"

    answered = [requests.get(f"{url}?{query}", timeout=30), requests.post(url, data=query, timeout=30)]

    assert [each.status_code for each in answered] == [400, 400]


@pytest.mark.parametrize("state", ["none", "A" * 90])
def test_an_answer_that_nobody_waits_for_leads_to_our_last_page(
    wiki: Application, visitor: Visitor, state: str
) -> None:
    root = wiki.logout_message("LogoutResponse", InResponseTo="_x")

    page = visitor.open(wiki.redirect(wiki.slo, root, field="SAMLResponse", relay_state=state))

    assert heading(page) == SIGNED_OUT


# -- begun here --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["the account's page", "an app"])
def test_who_signs_out_here_is_signed_out_of_every_application_and_goes_on(
    world: World, visitor: Visitor, way: str
) -> None:
    first, second, *_ = both(world, visitor)
    goodbye = "https://app.example/goodbye"
    client_id = world.app("Leaves", LogoutURLs=[goodbye])

    if way == "an app":
        begun = visitor.open(f"{world.base}/logout?client_id={client_id}&logout_uri={goodbye}").url
    else:
        visitor.open(f"{world.base}/account")
        begun = visitor.submit().link("Go on")
    page = visitor.open(first.logout_answer(first.told_to_sign_out(begun)))
    page = visitor.open(second.logout_answer(second.told_to_sign_out(page.url)))

    if way == "an app":
        assert page.url == goodbye
    else:
        assert heading(page) == SIGNED_OUT
    assert not is_signed_in(world, visitor)


# -- with an identity provider above -----------------------------------------------------------------------------------


@pytest.fixture
def above(live: Live) -> tuple[Federated, Application]:
    """Return a pool whose people come from a provider of SAML, and go to an application."""
    world = World(live, mfa="OFF", by_email=False)
    staff = Federated(world, SamlProvider(), IDPSignout="true")
    wiki = application(world)
    world.idp.update_user_pool_client(
        UserPoolId=world.pool_id,
        ClientId=wiki.client_id,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid"],
        CallbackURLs=[world.callback],
        SupportedIdentityProviders=["Staff"],
    )
    return staff, wiki


def come(staff: Federated, wiki: Application, visitor: Visitor) -> SignedIn:
    """Come from the provider, and go to the application."""
    staff.sign_in(visitor)
    return wiki.read(wiki.ask(visitor))


def test_who_signs_out_of_an_application_signs_out_of_the_provider_too(above: tuple[Federated, Application]) -> None:
    staff, wiki = above
    visitor = staff.world.visitor()
    known = come(staff, wiki, visitor)

    page = visitor.open(wiki.logout_request(known, known.session_index))
    asked = sent(page.url, to=THEIR_SLO)
    answer = staff.upstream.message("LogoutResponse", staff.world, InResponseTo=asked.id)
    page = visitor.open(
        staff.upstream.redirect(
            f"{staff.world.base}/saml2/logout", answer, name="SAMLResponse", relay_state=asked.relay_state
        )
    )

    assert wiki.outcome(page) == "Success"


def test_who_signs_out_at_the_provider_signs_out_of_the_application_too(above: tuple[Federated, Application]) -> None:
    staff, wiki = above
    visitor = staff.world.visitor()
    come(staff, wiki, visitor)
    request = staff.upstream.logout_request(staff.world, "_s1")
    there = f"{staff.world.base}/saml2/logout"

    page = visitor.open(staff.upstream.redirect(there, request, name="SAMLRequest", relay_state="theirs"))
    page = visitor.open(wiki.logout_answer(wiki.told_to_sign_out(page.url)))

    answer = sent(page.url, to=THEIR_SLO, name="SAMLResponse")
    assert (answer.root.get("InResponseTo"), answer.relay_state) == (request.get("ID"), "theirs")
    assert not is_signed_in(staff.world, visitor)
