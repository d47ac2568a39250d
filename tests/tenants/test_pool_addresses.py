"""Every address of a pool, by path and by host, with something of another pool. The resolver says which there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from identity.foundation import errors
from pools.services.pools import signing_keys
from pools.services.tokens import interactions
from pools.services.tokens.interactions import Kind
from pools.web import form_guard
from tests.tenants.conftest import Sides, Street
from tests.tenants.pool_address import (
    NONCE,
    PoolAddress,
    asking,
    code,
    credentials,
    form_token,
    granted,
    holding,
    lifted,
    renamed,
    shape,
)
from tests.tenants.tenant import BYE, CALLBACK, Answer, Tenant


def patterns(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, str]]:
    """Return name and path of each address below."""
    for each in resolver.url_patterns:
        if isinstance(each, URLPattern):
            yield f"{namespace}{each.name}", str(each.pattern)
        else:
            yield from patterns(each, f"{each.namespace}:" if each.namespace else namespace)


ADDRESSES = dict(patterns(get_resolver("identity.pool_urls")))
# What a browser holds that changes each page. Of another pool, none of it does.
PAGES = {
    "account": "session",
    "account_mfa": "session",
    "account_password": "session",
    "change_password": "",
    "confirm": "step",
    "consent": "",
    "confirm_forgot": "step",
    "confirm_link": "",
    "confirm_only": "",
    "error": "",
    "forgot": "step",
    "join": "",
    "new_password": "new password",
    "provider": "",
    "provider_answer": "",
    "provider_form": "",
    "provider_left": "",
    "resend": "",
    "saml_answer": "",
    "saml_idp_metadata": "",
    "saml_metadata": "",
    "saml_request": "",
    "saml_sign_out": "",
    "saml_slo": "",
    "saml_sso": "",
    "sign_in": "session",
    "sign_out": "session",
    "sign_up": "step",
    "signed_out": "",
    "strength": "",
    "sms": "step",
    "totp": "step",
    "factor_choice": "step",
    "factor_setup": "session",
}
WITHOUT_FORM = {
    **dict.fromkeys(
        (
            *("change_password", "confirm_link", "provider", "provider_left", "saml_idp_metadata", "saml_metadata"),
            *("provider_form", "saml_request", "signed_out"),
        ),
        405,
    ),
    **dict.fromkeys(("error", "provider_answer", "saml_answer", "saml_sign_out", "saml_slo", "saml_sso"), 400),
}
DOCUMENTS = {"saml_idp_metadata", "saml_metadata"}
"""What each pool tells anybody of itself, whatever app is named."""
ONLY_POST = {"confirm_only", "resend", "strength"}


@dataclass
class Case:
    """A request that succeeds, and changes that make it foreign, each with the answer that they meet."""

    method: str
    right: dict[str, Any]
    taken: tuple[int, str]
    wrong: list[tuple[dict[str, Any], tuple[int, str]]] = field(default_factory=list)


Maker = Callable[[Tenant, Tenant], list[Case]]
ENDPOINTS: dict[str, Maker] = {}
NO_CLIENT, NO_GRANT, NO_TOKEN = (401, "invalid_client"), (400, "invalid_grant"), (401, "invalid_token")
SIGN_IN_FIRST, HAS_CODE, STOPPED = (303, "/login?"), (302, f"{CALLBACK}?code="), (302, "/error?")


def endpoint(maker: Maker) -> Maker:
    """Keep a maker under the address that it is named for."""
    ENDPOINTS[f"oidc:{maker.__name__}"] = maker
    return maker


@endpoint
def authorize(mine: Tenant, theirs: Tenant) -> list[Case]:
    own, session, foreign = asking(mine), mine.session(), theirs.session()
    wrong: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"params": asking(theirs)}, STOPPED),
        ({"cookies": {mine.cookie: foreign}}, SIGN_IN_FIRST),
        ({"cookies": {theirs.cookie: foreign}}, SIGN_IN_FIRST),
        ({"params": asking(theirs), "cookies": {mine.cookie: foreign, theirs.cookie: foreign}}, STOPPED),
        # A hint that is not this pool's is none.
        ({"params": {**own, "id_token_hint": theirs.tokens()["IdToken"]}}, HAS_CODE),
    ]
    return [Case("GET", {"params": own, "cookies": {mine.cookie: session}}, HAS_CODE, wrong)]


@endpoint
def token(mine: Tenant, theirs: Tenant) -> list[Case]:
    ours, other = mine.confidential, theirs.confidential
    by_code, by_refresh = (
        {"grant_type": "authorization_code", "redirect_uri": CALLBACK},
        {"grant_type": "refresh_token"},
    )
    grants = [
        ({**by_code, "code": code(mine, ours)}, {**by_code, "code": code(theirs, other)}),
        (
            {**by_refresh, "refresh_token": granted(mine, ours)["refresh_token"]},
            {**by_refresh, "refresh_token": granted(theirs, other)["refresh_token"]},
        ),
    ]
    cases = []
    for own, foreign in grants:
        wrong: list[tuple[dict[str, Any], tuple[int, str]]] = [
            ({"data": {**foreign, **credentials(ours)}}, NO_GRANT),
            ({"data": {**foreign, **credentials(other)}}, NO_CLIENT),
            ({"data": {**own, **credentials(other)}}, NO_CLIENT),
            ({"data": {**own, "client_id": ours.id, "client_secret": other.secret}}, NO_CLIENT),
            ({"data": {**foreign, "client_id": other.id, "client_secret": ours.secret}}, NO_CLIENT),
        ]
        cases.append(Case("POST", {"data": {**own, **credentials(ours)}}, (200, "access_token"), wrong))
    machine = {"grant_type": "client_credentials"}
    unknown: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"data": {**machine, **credentials(theirs.machine)}}, NO_CLIENT),
        ({"data": {**machine, "client_id": mine.machine.id, "client_secret": theirs.machine.secret}}, NO_CLIENT),
        ({"data": {**machine, **credentials(mine.machine), "scope": theirs.scope}}, (400, "invalid_scope")),
    ]
    return [*cases, Case("POST", {"data": {**machine, **credentials(mine.machine)}}, (200, "access_token"), unknown)]


@endpoint
def user_info(mine: Tenant, theirs: Tenant) -> list[Case]:
    own, foreign = (granted(each, each.public)["access_token"] for each in (mine, theirs))
    said, about = (signing_keys.unverified_claims(each) for each in (own, foreign))
    person = {name: about[name] for name in ("sub", "username", "origin_jti")}
    tokens = [foreign, mine.forged(about), mine.forged({**said, **person}), mine.forged({**said, "sub": about["sub"]})]
    wrong = [({"headers": {"Authorization": f"Bearer {each}"}}, NO_TOKEN) for each in tokens]
    return [Case("GET", {"headers": {"Authorization": f"Bearer {own}"}}, (200, mine.ann.email), wrong)]


@endpoint
def revoke(mine: Tenant, theirs: Tenant) -> list[Case]:
    ours, other = mine.confidential, theirs.confidential
    own, foreign = (granted(each, each.confidential)["refresh_token"] for each in (mine, theirs))
    wrong: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"data": {"token": foreign, **credentials(ours)}}, (200, "")),  # unknown here, and so revoked already
        ({"data": {"token": foreign, **credentials(other)}}, NO_CLIENT),
        ({"data": {"token": foreign, "client_id": ours.id, "client_secret": other.secret}}, NO_CLIENT),
    ]
    return [Case("POST", {"data": {"token": own, **credentials(ours)}}, (200, ""), wrong)]


@endpoint
def register(mine: Tenant, theirs: Tenant) -> list[Case]:
    own, foreign = mine.registrar_token(), theirs.registrar_token()
    metadata = {"grant_types": ["client_credentials"], "scope": mine.scope}
    said, about = (signing_keys.unverified_claims(each) for each in (own, foreign))
    tokens = [foreign, mine.forged(about), mine.forged({**said, "sub": about["sub"], "client_id": about["client_id"]})]
    wrong: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"headers": {"Authorization": f"Bearer {each}"}}, NO_TOKEN) for each in tokens
    ]
    wrong.append(({"json": {**metadata, "scope": theirs.scope}}, (400, "invalid_client_metadata")))
    right = {"headers": {"Authorization": f"Bearer {own}"}, "json": metadata}
    return [Case("POST", right, (201, mine.scope), wrong)]


@endpoint
def logout(mine: Tenant, theirs: Tenant) -> list[Case]:
    leaving, gone = {"client_id": mine.public.id, "logout_uri": BYE}, (302, BYE)
    foreign, hint = theirs.session(), theirs.tokens()["IdToken"]
    wrong: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"params": {**leaving, "client_id": theirs.public.id}}, STOPPED),
        ({"params": {**leaving, "client_id": theirs.public.id}, "cookies": {mine.cookie: foreign}}, STOPPED),
        ({"cookies": {mine.cookie: foreign, theirs.cookie: foreign}}, gone),  # nobody of this pool: nothing ends
        ({"params": {"id_token_hint": hint}, "cookies": {mine.cookie: foreign}}, STOPPED),
    ]
    return [Case("GET", {"params": leaving, "cookies": {mine.cookie: mine.session()}}, gone, wrong)]


def anyones(mine: Tenant, theirs: Tenant, tells: str) -> list[Case]:
    """Return a request for what anyone may read: whoever asks, it is this pool's."""
    bearer = {"Authorization": f"Bearer {theirs.tokens()['AccessToken']}"}
    wrong = [({"headers": bearer, "cookies": {mine.cookie: theirs.session()}}, (200, tells))]
    return [Case("GET", {}, (200, tells), wrong)]


@endpoint
def discovery(mine: Tenant, theirs: Tenant) -> list[Case]:
    return anyones(mine, theirs, mine.pool_id)


@endpoint
def jwks(mine: Tenant, theirs: Tenant) -> list[Case]:
    kid = signing_keys.unverified_header(mine.tokens()["AccessToken"])["kid"]
    return anyones(mine, theirs, kid)


def test_every_address_says_what_a_foreign_credential_means_there() -> None:
    assert ENDPOINTS.keys() | {f"hosted:{name}" for name in PAGES} == ADDRESSES.keys()


@pytest.fixture(params=["path", "host"])
def address_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def is_as_said(answer: Answer, said: tuple[int, str]) -> bool:
    return answer.status == said[0] and said[1] in answer.told


@pytest.mark.parametrize("name", sorted(name for name in ADDRESSES if not name.startswith("hosted:")))
def test_what_is_another_pools_opens_nothing_where_ones_own_does(
    name: str, address_kind: str, sides: Sides, street: Street
) -> None:
    mine, theirs = sides
    address, path = PoolAddress(mine, address_kind), ADDRESSES[name]
    for case in ENDPOINTS[name](mine, theirs):
        with street.crossing(theirs) as crossing:
            for number, (foreign, refusal) in enumerate(case.wrong):
                answer = crossing.saw(address.send(case.method, path, **{**case.right, **foreign}))
                assert is_as_said(answer, refusal), (number, refusal, answer)
            right = crossing.saw(address.send(case.method, path, **case.right))
        assert is_as_said(right, case.taken), right


@pytest.mark.parametrize("name", sorted(name for name in PAGES if name not in ONLY_POST))
def test_a_page_does_not_know_another_pools_browser(name: str, address_kind: str, street: Street) -> None:
    mine, theirs, kind = street.one, street.two, PAGES[name]
    query = urlencode(asking(mine))
    address, path = PoolAddress(mine, address_kind), f"{ADDRESSES[f'hosted:{name}']}?{query}"
    own, foreign = holding(kind, mine), holding(kind, theirs)
    step_of = {each.pool_id: {f"{mine.cookie}-step": lifted(each, query)} for each in (mine, theirs)}
    with street.crossing(theirs) as crossing:
        unknown = crossing.saw(address.send("GET", path))
        for cookies in (renamed(foreign, theirs, mine), foreign, step_of[theirs.pool_id]):
            # The nonce is nobody's secret: our own, so that a step could be read if it were not sealed for a pool.
            answer = crossing.saw(address.send("GET", path, cookies={**cookies, f"{mine.cookie}-form": NONCE}))
            assert told(answer) == told(unknown)
        elsewhere = crossing.saw(address.send("GET", path.replace(mine.public.id, theirs.public.id), cookies=own))
        assert elsewhere.status == (200 if name in DOCUMENTS else 400)
        at_home = crossing.saw(address.send("GET", path, cookies=own))
        kept = crossing.saw(address.send("GET", path, cookies={**own, **step_of[mine.pool_id]}))
    assert (told(at_home) != told(unknown)) is bool(kind)
    assert kind != "step" or told(kept) != told(unknown)


def told(answer: Answer) -> tuple[int, str]:
    """Return what a browser makes of an answer: status, and where it leads or what it shows; never its cookies."""
    plain = shape(answer).told
    headers, _, page = plain.partition("}\n")
    where = [part for part in headers.split("', '") if part.lower().startswith("location")]
    return answer.status, f"{where}{page}"


@pytest.mark.parametrize("name", sorted(name for name in PAGES if name not in WITHOUT_FORM))
def test_a_form_of_another_pool_is_refused_and_its_browser_unknown(
    name: str, address_kind: str, street: Street
) -> None:
    mine, theirs, kind = street.one, street.two, PAGES[name]
    address, path = PoolAddress(mine, address_kind), f"{ADDRESSES[f'hosted:{name}']}?{urlencode(asking(mine))}"
    own, foreign = holding(kind, mine), renamed(holding(kind, theirs), theirs, mine)
    nonce = {f"{mine.cookie}-form": NONCE}
    ours, other = ({form_guard.FIELD: form_token(each, name)} for each in (mine, theirs))
    with street.crossing(theirs) as crossing:
        for cookies in ({**own, **nonce}, {**foreign, **nonce}):
            answer, of_nobody = (
                crossing.saw(address.send("POST", path, data=data, cookies=cookies))
                for data in (other, {form_guard.FIELD: "0" * 96})
            )
            assert told(answer) == told(of_nobody)  # whose form is not looked at, and its page shown again
        unknown = crossing.saw(address.send("POST", path, data=ours, cookies=nonce))
        answer = crossing.saw(address.send("POST", path, data=ours, cookies={**foreign, **nonce}))
        assert told(answer) == told(unknown)
        at_home = crossing.saw(address.send("POST", path, data=ours, cookies=own))
    assert unknown.status != 403
    assert at_home.status != 403


@pytest.mark.parametrize("name", sorted(WITHOUT_FORM))
def test_a_page_without_a_form_takes_none(name: str, address_kind: str, street: Street) -> None:
    answer = PoolAddress(street.one, address_kind).send("POST", ADDRESSES[f"hosted:{name}"], data={})

    assert answer.status == WITHOUT_FORM[name]


def test_an_interaction_is_kept_for_its_own_pool(sides: Sides, street: Street) -> None:
    mine, theirs = sides
    with street.live.orm():
        kept = interactions.begin(theirs.row, Kind.OAUTH_REQUEST, {}, browser="cookie")
    with street.crossing(theirs), street.live.orm(), pytest.raises(errors.InteractionExpired):
        interactions.take(mine.row, kept, kind=Kind.OAUTH_REQUEST, browser="cookie")

    with street.live.orm():
        assert interactions.take(theirs.row, kept, kind=Kind.OAUTH_REQUEST, browser="cookie").id == kept
