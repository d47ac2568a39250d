"""An operator tries an identity provider: what it tells is shown, once and to them alone, and nothing comes of it."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from django.apps import apps

from tests.console.world import Visitor as Operator
from tests.console.world import World
from tests.hosted.federation import CORP, MAPPING, Federation
from tests.hosted.test_providers import Answer
from tests.hosted.world import OTHER_PASSWORD, PASSWORD, Visitor
from tests.live import Live

OVER = "That test is over, or another session began it."
OF_TRIES = {"Interaction", "AuditEvent", "AuditPersonal"}
CUSTOM: dict[str, Any] = {"Schema": [{"Name": "team", "AttributeDataType": "String", "Mutable": True}]}


@pytest.fixture(scope="module")
def federation(live: Live) -> Federation:
    """Return a pool that sends people to another one."""
    found = Federation(live, **CUSTOM)
    found.idp.update_identity_provider(
        UserPoolId=found.down.pool_id, ProviderName=CORP, AttributeMapping={**MAPPING, "custom:team": "team"}
    )
    return found


def page_of(world: World, federation: Federation) -> str:
    """Return where the provider's page is in the console."""
    pool_id = federation.down.pool_id
    found = world.api("GET", f"/pools/{pool_id}/providers").json()["items"]
    return f"/console/pools/{pool_id}/providers/{next(each['id'] for each in found if each['name'] == CORP)}"


def departed(operator: Operator, page: str) -> str:
    """Begin a try; return the address at the provider."""
    answer = operator.get(f"{page}/try")
    assert answer.status_code == 303, answer.text[:1000]
    return answer.headers["Location"]


def brought_back(federation: Federation, url: str, name: str, visitor: Visitor | None = None) -> str:
    """Sign in at the provider as somebody; return the address at the pool to which that leads, not opened yet."""
    visitor = visitor or federation.down.visitor()
    page = visitor.open(url)
    sent = page.form
    body = {**sent.values, "username": name, "password": PASSWORD}
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
    where = requests.compat.urljoin(page.url, sent.action)
    answer = visitor.session.post(where, data=body, headers={"Origin": origin}, allow_redirects=False, timeout=30)
    while not answer.headers["Location"].startswith(federation.down.base):
        where = requests.compat.urljoin(answer.url, answer.headers["Location"])
        answer = visitor.session.get(where, allow_redirects=False, timeout=30)
    return answer.headers["Location"]


def led_on(url: str, method: str = "GET") -> str:
    """Open the pool's address for answers without a cookie; return where it leads."""
    where, _, query = url.partition("?")
    data = {"data": dict(parse_qsl(query))} if method == "POST" else {"params": dict(parse_qsl(query))}
    answer = requests.request(method, where, allow_redirects=False, timeout=30, **data)  # type: ignore[arg-type]
    assert answer.status_code == 303, answer.text[:500]
    assert not answer.cookies
    return answer.headers["Location"]


def tried(world: World, federation: Federation, name: str, *, by: Operator | None = None) -> str:
    """Try the provider as somebody who has an account there; return what the operator reads."""
    operator = by or world.session
    there = departed(operator, page_of(world, federation))
    answer = operator.get(led_on(brought_back(federation, there, name)))
    assert answer.status_code == 200, answer.headers
    return html.unescape(answer.text)


def rows(federation: Federation) -> dict[str, int]:
    """Count the pool's rows of each kind, but for tries themselves and what the audit log says of them."""
    kinds = [kind for kind in apps.get_app_config("pools").get_models() if kind.__name__ not in OF_TRIES]
    with federation.down.rows() as pool:
        of_pools = [kind for kind in kinds if any(field.attname == "pool_id" for field in kind._meta.concrete_fields)]
        return {kind.__name__: kind._default_manager.filter(pool_id=pool.pk).count() for kind in of_pools}


def audited(federation: Federation) -> list[dict[str, Any]]:
    """Return what the audit log says of tries, oldest first."""
    from pools.models import AuditEvent

    with federation.down.rows() as pool:
        of_pool = AuditEvent.objects.filter(pool_id=pool.pk, tag="provider_tried").order_by("id")
        return [{"by": row.actor_kind, "outcome": row.outcome, **row.detail} for row in of_pool]


def cells(page: str, table: str) -> dict[str, str]:
    """Return a table's rows: the first cell's code, and the text of the last."""
    part = page.partition(f'id="{table}"')[2].partition("</table>")[0]
    found = {}
    for line in re.findall(r"<tr>(.*?)</tr>", part, re.DOTALL)[1:]:
        first = re.search(r"<code>(.*?)</code>", line)
        last = re.sub(r"<[^>]+>", " ", line.rpartition("<td>")[2])
        assert first
        found[first[1]] = " ".join(last.split())
    return found


def test_a_try_shows_what_came_how_it_maps_and_where_it_leads_and_writes_nothing(
    world: World, federation: Federation
) -> None:
    name = federation.up.person()
    subject, before, log = federation.sub(name), rows(federation), audited(federation)
    assert {"User", "ExternalLogin", "Membership"} <= before.keys()

    page = tried(world, federation, name)

    assert "What came back from Corp" in page
    assert cells(page, "mapped") == {"email": name, "email_verified": "true", "custom:team": "Not told"}
    claims = cells(page, "claims")
    assert (claims["sub"], claims["email"], claims["iss"]) == (subject, name, federation.up.base)
    assert not {"nonce", "at_hash", "access_token", "id_token", "refresh_token"} & claims.keys()
    assert "eyJ" not in page  # how each of our tokens begins
    assert "To a new account." in page
    assert f"corp_{subject}" in page
    assert rows(federation) == before
    assert audited(federation)[len(log) :] == [{"by": "operator", "outcome": "done", "provider": CORP}]
    assert federation.claims(federation.sign_in(name))["cognito:username"] == f"corp_{subject}"
    assert "To the account that signed in by it before." in tried(world, federation, name)


def test_a_try_foresees_a_link_and_a_question(world: World, federation: Federation) -> None:
    linked, owner, both = federation.up.person(), federation.down.person(), federation.up.person()
    federation.idp.admin_link_provider_for_user(
        UserPoolId=federation.down.pool_id,
        DestinationUser={"ProviderName": "Cognito", "ProviderAttributeValue": owner},
        SourceUser={"ProviderName": CORP, "ProviderAttributeName": "email", "ProviderAttributeValue": linked},
    )
    federation.idp.admin_create_user(
        UserPoolId=federation.down.pool_id,
        Username=both,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": both}, {"Name": "email_verified", "Value": "true"}],
    )
    federation.idp.admin_set_user_password(
        UserPoolId=federation.down.pool_id, Username=both, Password=OTHER_PASSWORD, Permanent=True
    )

    page = tried(world, federation, linked)
    assert "To the account that was linked to it." in page
    assert f"/users/{federation.user(owner)['attributes']['sub']}" in page
    page = tried(world, federation, both)
    assert "To a question:" in page
    assert f"/users/{federation.user(both)['attributes']['sub']}" in page


def test_what_the_pool_wants_and_the_provider_does_not_tell_is_named(world: World, live: Live) -> None:
    wants = Federation(
        live, Schema=[{"Name": name, "Required": True, "Mutable": True} for name in ("email", "given_name")]
    )

    page = tried(world, wants, wants.up.person())

    assert "the provider did not tell it" in page
    assert "<code>given_name</code>" in page


def test_a_value_that_the_pool_does_not_take_is_said_beside_it(world: World, federation: Federation) -> None:
    made = page_of(world, federation)
    provider = f"/pools/{federation.down.pool_id}/providers/{made.rpartition('/')[2]}"
    before = world.api("GET", provider).json()["attribute_mapping"]
    world.api("PATCH", provider, json={"attribute_mapping": {**before, "phone_number": "email"}})
    name = federation.up.person()

    page = tried(world, federation, name)
    world.api("PATCH", provider, json={"attribute_mapping": before})

    assert "Nobody could be signed in" in page
    assert cells(page, "mapped")["phone_number"] == f"{name} This is no phone number, written like +12065550100."
    assert "A sign-in leads" not in page


def test_a_try_is_good_once_and_in_the_session_that_began_it(world: World, federation: Federation) -> None:
    page, name = page_of(world, federation), federation.up.person()
    who = world.operator()
    began, same = world.inside(who), world.visitor()
    assert same.sign_in(who, ahead=1).status_code == 303
    there = led_on(brought_back(federation, departed(began, page), name))
    assert there.startswith(f"{world.base_url}{page}/tried?")
    log = audited(federation)

    stranger = world.visitor().get(there)
    assert urlsplit(stranger.headers["Location"]).path == "/console/sign-in"
    for operator in (world.inside(), same):
        refused = operator.get(there)
        assert (refused.status_code, refused.headers["Location"]) == (303, page)
        assert OVER in html.unescape(operator.get(page).text)
    assert audited(federation) == log
    assert began.get(there).status_code == 200
    again = began.get(there)

    assert (again.status_code, again.headers["Location"]) == (303, page)
    assert len(audited(federation)) == len(log) + 1


def test_a_try_of_another_provider_or_one_that_is_late_is_over(world: World, federation: Federation) -> None:
    from django.db.models import F

    from pools.models import Interaction

    page, name = page_of(world, federation), federation.up.person()
    there = led_on(brought_back(federation, departed(world.session, page), name))
    query = urlsplit(there).query
    elsewhere = f"/console/pools/{world.pool_id}/providers/{world.provider_id}"
    assert world.session.get(f"{elsewhere}/tried?{query}").headers["Location"] == elsewhere
    with federation.down.rows() as pool:
        rows = Interaction.objects.filter(pool_id=pool.pk, kind="trial", consumed_at=None)
        assert rows.update(expires_at=F("created_at")) >= 1

    assert world.session.get(there).headers["Location"] == page


def test_a_persons_trip_ends_no_try_and_a_try_signs_nobody_in(world: World, federation: Federation) -> None:
    trip, before = Answer(federation), federation.users()
    page = page_of(world, federation)
    as_try = f"{page}/tried?{urlencode({'state': trip.given['state'], 'landing': trip.given['state']})}"
    assert world.session.get(as_try).headers["Location"] == page
    assert trip.visitor.open(trip.url).code
    visitor = federation.visitor()
    visitor.follow(f"Continue with {CORP}")  # so that it holds a trip's cookie

    back = brought_back(federation, departed(world.session, page), federation.up.person())
    shown = visitor.open(back)

    assert urlsplit(shown.url).path == "/console/sign-in"
    assert federation.users() == before + 1  # who came by the trip


def test_an_answer_by_a_form_leads_on_alike_and_a_forged_state_nowhere(world: World, federation: Federation) -> None:
    page, name = page_of(world, federation), federation.up.person()
    back = brought_back(federation, departed(world.session, page), name)
    forged = back.replace("state=", "state=x")

    assert requests.head(back, allow_redirects=False, timeout=30).status_code == 400
    assert requests.get(forged, allow_redirects=False, timeout=30).status_code == 400
    assert world.session.get(led_on(back, "POST")).status_code == 200
    assert requests.get(back, allow_redirects=False, timeout=30).status_code == 400


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"code": "", "error": "access_denied", "error_description": "Not today"}, "access_denied – Not today"),
        ({"code": "x"}, "The provider refuses what it was asked with."),
        ({"code": "", "iss": "https://evil.example"}, "answer: iss is another issuer's"),
    ],
)
def test_what_went_wrong_is_said_in_plain_words(
    world: World, federation: Federation, changed: dict[str, str], words: str
) -> None:
    page, before, log = page_of(world, federation), rows(federation), audited(federation)
    back = brought_back(federation, departed(world.session, page), federation.up.person())
    where, _, query = back.partition("?")
    given = {name: value for name, value in {**dict(parse_qsl(query)), **changed}.items() if value}

    answer = world.session.get(led_on(f"{where}?{urlencode(given)}"))

    assert answer.status_code == 200
    assert words in html.unescape(answer.text)
    assert 'id="claims"' not in answer.text
    assert rows(federation) == before
    [entry] = audited(federation)[len(log) :]
    assert (entry["outcome"], entry["provider"]) == ("refused", CORP)


def test_a_provider_that_asks_for_a_second_factor_says_so(world: World, live: Live) -> None:
    strict = Federation(live, mfa="ON")
    provider = f"/pools/{strict.down.pool_id}/providers/{page_of(world, strict).rpartition('/')[2]}"
    name = strict.up.person()
    assert "Not asked for" in tried(world, strict, name)

    world.api("PATCH", provider, json={"asks_second_factor": True})

    assert "Asked for, as this pool’s rule has it" in tried(world, strict, name)
    page = strict.sign_in(name)
    assert page.path.startswith("/login/mfa"), page.url
