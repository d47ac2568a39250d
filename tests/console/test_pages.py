"""What pages show and do, without script."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
import requests

from identity.console import pages
from identity.foundation import clock
from identity.foundation.actor import Actor
from pools.services.pools import client_rules
from tests.console.world import SCRIPT, Visitor, World

ROW = re.compile(r'<a class="main" href="([^"]+)"><bdi>([^<]*)</bdi>')
NEXT = re.compile(r'href="([^"]+)" hx-get="[^"]+"[^>]*>Next page')


def names(answer: requests.Response) -> list[str]:
    """Return what a table's rows are called."""
    assert answer.status_code == 200, answer.text[:1000]
    return [html.unescape(name) for _, name in ROW.findall(answer.text)]


def test_the_front_door_leads_to_the_pools(world: World) -> None:
    for path in ("/console", "/console/"):
        assert world.session.get(path).headers["Location"] == "/console/pools"


def test_pools_and_their_addresses_are_shown(world: World) -> None:
    answer = world.session.get("/console/pools")
    page = world.session.get(f"/console/pools/{world.pool_id}").text

    assert "Harbour, Sons" in answer.text or NEXT.search(answer.text)
    for shown in (world.pool_id, f"{world.base_url}/{world.pool_id}/.well-known/openid-configuration"):
        assert shown in page


def test_users_come_in_pages_that_neither_skip_nor_repeat(world: World) -> None:
    path, found = f"/console/pools/{world.pool_id}/users", []
    while path:
        answer = world.session.get(path)
        found += names(answer)
        following = NEXT.search(answer.text)
        path = html.unescape(following[1]) if following else ""

    assert found == [f"person{n:02}@example.com" for n in range(32)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("by=email&prefix=person1", [f"person{n}@example.com" for n in range(10, 20)]),
        ("by=email&prefix=person31@", ["person31@example.com"]),
        ("prefix=person00", ["person00@example.com"]),
        ("by=email&prefix=zzz", []),
        ("by=email&prefix=%22", []),
        ("by=email&prefix=%5C", []),
        ("by=email&prefix=%25", []),
        ("by=email&prefix=person_1", []),
        ("by=given_name&prefix=%3Cscript&", None),
    ],
)
def test_users_are_found_by_how_a_value_begins(world: World, query: str, expected: list[str] | None) -> None:
    answer = world.session.get(f"/console/pools/{world.pool_id}/users?{query}")

    assert len(names(answer)) == 25 if expected is None else names(answer) == expected
    if expected == []:
        assert "No users found" in answer.text


@pytest.mark.parametrize("query", ["by=password&prefix=x", "prefix=" + "x" * 300, "prefix=%00"])
def test_a_search_that_makes_no_sense_is_refused_in_words(world: World, query: str) -> None:
    answer = world.session.get(f"/console/pools/{world.pool_id}/users?{query}")

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("token", ["x", "%00", "A" * 3000])
@pytest.mark.parametrize("path", ["/console/pools", "/console/pools/{}/users", "/console/pools/{}/apps"])
def test_a_page_that_does_not_exist_leads_to_the_first(world: World, path: str, token: str) -> None:
    where = path.format(world.pool_id)

    assert world.session.get(f"{where}?page={token}").headers["Location"] == where


def test_only_the_table_is_sent_where_htmx_asks(world: World) -> None:
    path = f"/console/pools/{world.pool_id}/users"

    part = world.session.get(path, headers={"HX-Request": "true"}).text

    assert "<html" not in part
    assert part.strip().startswith("<section")
    expired = world.visitor().get(path, headers={"HX-Request": "true"})
    assert expired.headers["HX-Redirect"] == "/console/sign-in"


def test_what_people_call_themselves_is_only_text(world: World) -> None:
    for path in ("users", f"users/{world.subs[0]}"):
        page = world.session.get(f"/console/pools/{world.pool_id}/{path}").text
        assert SCRIPT not in page
        assert html.escape(SCRIPT) in page


def test_a_user_is_shown_with_attributes_and_state(world: World) -> None:
    page = world.session.get(f"/console/pools/{world.pool_id}/users/{world.subs[3]}").text

    for shown in ("person03@example.com", world.subs[3], "email_verified", "Must change password"):
        assert shown in page


def change(visitor: Visitor, world: World, number: int, key: str, typed: str) -> requests.Response:
    """Send the confirm form of a change, as the page without script does."""
    return visitor.send_form(f"/console/pools/{world.pool_id}/users/{world.subs[number]}/{key}", confirmation=typed)


@pytest.mark.parametrize("typed", ["", "person04", "PERSON04@example.com", "person05@example.com"])
def test_a_change_that_is_not_confirmed_is_not_made(world: World, typed: str) -> None:
    answer = change(world.session, world, 4, "disable", typed)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    shown = world.api("GET", f"/pools/{world.pool_id}/users/{world.subs[4]}").json()
    assert shown["enabled"] is True


def test_a_user_is_disabled_and_enabled_and_told_so(world: World) -> None:
    where = f"/console/pools/{world.pool_id}/users/{world.subs[5]}"

    off = change(world.session, world, 5, "disable", "person05@example.com")
    assert (off.status_code, off.headers["Location"]) == (303, where)
    page = world.session.get(where).text
    assert "person05@example.com is disabled" in page
    assert "Enable user" in page
    on = change(world.session, world, 5, "enable", "person05@example.com")
    assert on.status_code == 303
    assert "person05@example.com is enabled" in world.session.get(where).text
    audit = world.session.get(f"/console/pools/{world.pool_id}/audit").text
    assert "user disabled" in audit
    assert world.admin.username in audit.split("<main", 1)[1]
    assert world.subs[5] in audit


def test_a_user_is_signed_out_everywhere(world: World) -> None:
    from pools.models import User

    with world.live.orm():
        before = User.objects.get(sub=world.subs[6]).epoch
    answer = change(world.session, world, 6, "sign-out", "person06@example.com")
    with world.live.orm():
        after = User.objects.get(sub=world.subs[6]).epoch

    assert answer.status_code == 303
    assert after == before + 1


def test_an_unknown_change_is_not_found(world: World) -> None:
    assert world.session.get(f"/console/pools/{world.pool_id}/users/{world.subs[6]}/delete").status_code == 404


def new_pool(world: World, **data: object) -> requests.Response:
    """Send the form for a new pool."""
    return world.session.send_form("/console/pools/new", page="", **data)


@pytest.mark.parametrize(
    ("sign_in", "usernames", "aliases", "verified", "required"),
    [
        ("email", ["email"], None, ["email"], {"email"}),
        ("phone_number", ["phone_number"], None, ["phone_number"], {"phone_number"}),
        ("email_or_phone_number", ["email", "phone_number"], None, ["email", "phone_number"], set()),
        ("username", None, None, ["email"], {"email"}),
        ("username_or_email", None, ["email"], ["email"], {"email"}),
    ],
)
def test_a_pool_is_made_by_how_people_sign_in(
    world: World,
    sign_in: str,
    usernames: list[str] | None,
    aliases: list[str] | None,
    verified: list[str],
    required: set[str],
) -> None:
    made = new_pool(world, name="By page", sign_in=sign_in, mfa="OFF", self_sign_up="on")
    told = world.live.boto().describe_user_pool(UserPoolId=made.headers["Location"].rpartition("/")[2])["UserPool"]

    assert made.status_code == 303
    assert (told["Name"], told.get("UsernameAttributes"), told.get("AliasAttributes")) == (
        "By page",
        usernames,
        aliases,
    )
    assert told["AutoVerifiedAttributes"] == verified
    assert {each["Name"] for each in told["SchemaAttributes"] if each["Required"]} == {"sub", *required}
    assert told["UsernameConfiguration"] == {"CaseSensitive": False}
    assert told["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is False


@pytest.mark.parametrize("mfa", ["OFF", "OPTIONAL", "ON"])
def test_a_pool_is_made_with_its_second_factor_and_asks_for_a_recent_sign_in(world: World, mfa: str) -> None:
    where = new_pool(world, name="Guarded", sign_in="email", mfa=mfa).headers["Location"]
    pool_id, page = where.rpartition("/")[2], world.session.get(where).text

    told = world.live.boto().get_user_pool_mfa_config(UserPoolId=pool_id)
    read = world.api("GET", f"/pools/{pool_id}").json()
    assert told["MfaConfiguration"] == mfa
    assert ("SoftwareTokenMfaConfiguration" in told) == (mfa != "OFF")
    assert (read["mfa"], read["recent_proof"], read["admin_only_sign_up"]) == (mfa, True, True)
    assert is_on(page, "recent_proof")
    with world.live.orm():
        from pools.models import AuditEvent

        row = AuditEvent.objects.get(tag="pool_created", subject=pool_id)
    assert (row.actor_kind, row.actor_id) == ("operator", str(world.admin.id))


def test_a_new_pool_says_what_is_fixed_and_leads_to_its_first_app(world: World) -> None:
    listed, form = (world.session.get(f"/console/pools{more}").text for more in ("", "/new"))
    where = new_pool(world, name="First steps", sign_in="email", mfa="OFF").headers["Location"]
    before = world.session.get(where).text
    app = {"name": "First", "kind": "public", "callback_urls": "https://a.example/cb"}
    made = world.session.send_form(f"{where}/apps/new", **app)

    assert 'href="/console/pools/new"' in listed
    assert "nobody can change them later" in form
    assert "First steps is ready." in before
    assert f'href="{where}/apps/new">Add an app' in before
    assert made.status_code == 303
    assert f'href="{where}/apps/new"' not in world.session.get(where).text


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        ({}, {"name", "sign_in", "mfa"}),
        ({"name": "a/b", "sign_in": "carrier pigeon", "mfa": "SOMETIMES"}, {"name", "sign_in", "mfa"}),
        ({"name": "x" * 129, "sign_in": "email", "mfa": "OFF"}, {"name"}),
        ({"name": "Nul\x00", "sign_in": "email", "mfa": "OFF"}, {"name"}),
        ({"name": "No way in", "mfa": "OFF"}, {"sign_in"}),
    ],
)
def test_a_bad_pool_is_refused_at_every_field_that_is_wrong(
    world: World, data: dict[str, str], wrong: set[str]
) -> None:
    before = world.pools()

    answer = new_pool(world, **data)

    assert answer.status_code == 422
    assert set(re.findall(r'role="alert" id="(\w+)_error"', answer.text)) == wrong
    assert world.pools() == before


def new_app(world: World, **data: object) -> requests.Response:
    """Send the form for a new app."""
    return world.session.send_form(f"/console/pools/{world.pool_id}/apps/new", page="", **data)


def test_an_app_is_made_and_its_secret_is_shown_once(world: World) -> None:
    made = new_app(
        world, name="By page", kind="confidential", callback_urls="https://a.example/cb\r\nhttps://b.example/cb"
    )
    where = made.headers["Location"]

    first, second = world.session.get(where).text, world.session.get(where).text

    with world.live.orm():
        from pools.services import access
        from pools.services.pools import client_secrets

        secret = client_secrets.values(access.client(where.rsplit("/", 1)[1]))[0]
    assert secret in first
    assert secret not in second
    assert "https://b.example/cb" in second


def test_an_app_that_amazons_clients_could_not_name_is_refused_beside_all_else(world: World) -> None:
    answer = new_app(world, name="bad*", kind="public", callback_urls="javascript:alert(1)")

    assert answer.status_code == 422
    assert set(re.findall(r'role="alert" id="(\w+)_error"', answer.text)) == {"name", "callback_urls"}


def is_on(page: str, name: str) -> bool:
    """Say whether a page shows a switch that is on."""
    found = re.search(rf'<input type="checkbox" name="{name}"[^>]*>', page)
    assert found, name
    return " checked" in found[0]


def shown_form(page: str) -> dict[str, str]:
    """Return what a browser would send of a page's form of settings, untouched."""
    form = page[page.index('aria-labelledby="settings"') :]
    sent: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        found = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if found.get("type") not in {"checkbox", "radio"} or " checked" in tag:
            sent[found["name"]] = found.get("value", "on" if found["type"] == "checkbox" else "")
    for name, text in re.findall(r'<textarea name="(\w+)"[^>]*>\s*([^<]*)</textarea>', form):
        sent[name] = html.unescape(text)
    return {name: value for name, value in sent.items() if name != "csrfmiddlewaretoken"}


def save(world: World, where: str, **changes: str | None) -> requests.Response:
    """Send a page's form of settings with these changes; None takes a field out, as a switch that is off."""
    sent: dict[str, str | None] = {**shown_form(world.session.get(where).text), **changes}
    return world.session.send_form(where, page="", **{name: value for name, value in sent.items() if value is not None})


def test_openid_strict_is_offered_told_and_switched(world: World) -> None:
    offered = world.session.get(f"/console/pools/{world.pool_id}/apps/new").text
    urls = {"kind": "public", "callback_urls": "https://a.example/cb"}
    strict, loose = (
        new_app(world, name=name, **urls, **more).headers["Location"]
        for name, more in (("Strict", {"openid_strict": "on"}), ("Loose", {}))
    )
    before = world.session.get(strict).text

    switched = save(world, strict, openid_strict=None)

    assert is_on(offered, "openid_strict")
    assert is_on(before, "openid_strict")
    assert (switched.status_code, switched.headers["Location"]) == (303, strict)
    for page in (world.session.get(strict).text, world.session.get(loose).text):
        assert not is_on(page, "openid_strict")
        assert "Follows OAuth and OpenID Connect where Cognito goes its own way" in page


def test_a_recent_sign_in_for_changes_is_told_and_switched(world: World) -> None:
    made = world.live.boto().create_user_pool(PoolName="wire")["UserPool"]["Id"]
    where = f"/console/pools/{made}"

    before, switched = world.session.get(where).text, save(world, where, recent_proof="on")

    assert not is_on(before, "recent_proof")
    assert "as on the pages. Cognito does not ask for one." in before
    assert (switched.status_code, switched.headers["Location"]) == (303, where)
    assert is_on(world.session.get(where).text, "recent_proof")


def test_each_setting_that_operators_choose_is_saved_and_shown(world: World) -> None:
    pool = world.live.boto().create_user_pool(PoolName="wire")["UserPool"]["Id"]
    client = world.live.boto().create_user_pool_client(UserPoolId=pool, ClientName="wire")["UserPoolClient"]["ClientId"]
    of_pool = {"name": "Saved", "mfa": "ON", "admin_only_sign_up": "on", "deletion_protected": "on"}
    of_pool["password_history_size"] = "24"
    of_app = {
        "name": "Saved",
        "access_seconds": "90 minutes",
        "id_seconds": "1 Day",
        "refresh_seconds": "12 hours",
        "hide_existence": "on",
        "callback_urls": "https://a.example/1\r\nhttps://a.example/2",
        "logout_urls": "https://a.example/",
    }

    too_short = save(world, f"/console/pools/{pool}/apps/{client}", **of_app)
    saved = [
        save(world, f"/console/pools/{pool}", **of_pool),
        save(world, f"/console/pools/{pool}/apps/{client}", **{**of_app, "refresh_seconds": "30 days"}),
    ]

    assert too_short.status_code == 422
    assert re.findall(r'role="alert" id="(\w+)_error"', too_short.text) == ["refresh_seconds"]
    assert [answer.status_code for answer in saved] == [303, 303]
    shown = shown_form(world.session.get(f"/console/pools/{pool}/apps/{client}").text)
    assert {name: str(shown[name]).split() for name in of_app} == {
        name: value.lower().split() if name.endswith("seconds") else value.split()
        for name, value in {**of_app, "refresh_seconds": "30 days"}.items()
    }
    shown = shown_form(world.session.get(f"/console/pools/{pool}").text)
    assert {name: shown[name] for name in of_pool} == of_pool


def test_the_kinds_of_second_factors_are_chosen_beside_the_mode(world: World) -> None:
    idp = world.live.boto()
    about = {"UserPoolId": idp.create_user_pool(PoolName="wire")["UserPool"]["Id"]}
    texts = {"SmsAuthenticationMessage": "Yours is {####}."}
    idp.set_user_pool_mfa_config(**about, MfaConfiguration="OPTIONAL", SmsMfaConfiguration=texts)
    where, kinds = f"/console/pools/{about['UserPoolId']}", ("totp_enabled", "sms_enabled")

    def state() -> tuple[str, list[bool]]:
        page = world.session.get(where).text
        return shown_form(page)["mfa"], [is_on(page, kind) for kind in kinds]

    steps: list[tuple[dict[str, str | None], tuple[str, list[bool]]]] = [
        ({"mfa": "ON"}, ("ON", [False, True])),  # a mode alone leaves what is on
        ({"totp_enabled": "on", "sms_enabled": None}, ("ON", [True, False])),
        ({"mfa": "OFF"}, ("OFF", [False, False])),
        ({"mfa": "OPTIONAL"}, ("OPTIONAL", [True, False])),  # and has one where none is
    ]
    for changes, after in steps:
        assert save(world, where, **changes).status_code == 303
        assert state() == after
    contradictions: list[dict[str, str | None]] = [{"totp_enabled": None}, {"mfa": "OFF", "sms_enabled": "on"}]
    for changes in contradictions:
        refused = save(world, where, **changes)
        assert (refused.status_code, re.findall(r'role="alert" id="(\w+)_error"', refused.text)) == (422, ["mfa"])
        assert state() == ("OPTIONAL", [True, False])
    changed = world.api("PATCH", where.removeprefix("/console"), json={"mfa": "OFF"})
    assert [changed.json()[kind] for kind in kinds] == [False, False]


def test_how_apps_register_themselves_is_saved_and_what_is_not_there_refused(world: World) -> None:
    about = {"UserPoolId": world.live.boto().create_user_pool(PoolName="wire")["UserPool"]["Id"]}
    where = f"/console/pools/{about['UserPoolId']}"
    shown = shown_form(world.session.get(where).text)
    chosen: dict[str, Any] = {"registration": "on", "open_registration_grants": ["code", "client_credentials"]}

    wrong = save(world, where, registration="on", registration_scopes="none/read")
    saved = world.session.send_form(where, **{**shown, **chosen, "registration_scopes": "phone\r\nopenid"})

    assert (wrong.status_code, saved.status_code) == (422, 303)
    assert "The pool has no scope “none/read”." in html.unescape(wrong.text)
    assert world.live.boto().describe_user_pool(**about)["UserPool"]["DcrConfiguration"] == {
        "EnableStatus": "Enabled",
        "OpenDcrGrantTypes": ["code", "client_credentials"],
        "AllowedScopes": ["phone", "openid"],
    }
    none = save(world, where, open_registration_grants=None)
    assert none.status_code == 303
    told = world.live.boto().describe_user_pool(**about)["UserPool"]["DcrConfiguration"]
    assert (told["EnableStatus"], told["OpenDcrGrantTypes"]) == ("Enabled", [])


def test_all_that_is_wrong_with_settings_is_said_at_its_field_and_nothing_is_saved(world: World) -> None:
    where = f"/console/pools/{world.pool_id}/apps/{world.client_id}"
    before = world.api("GET", where.removeprefix("/console")).json()

    wrong = {
        "name": "",
        "access_seconds": "soon",
        "id_seconds": "2 days",
        "callback_urls": "ftp://a.example/ http://b.example/",
    }
    answer = save(world, where, **wrong)
    odd_mode = save(world, f"/console/pools/{world.pool_id}", mfa="SOMETIMES", name="a/b")

    assert answer.status_code == 422
    assert set(re.findall(r'role="alert" id="(\w+)_error"', answer.text)) == set(wrong)
    assert "b.example/: only https" in answer.text
    assert 'value="soon"' in answer.text
    assert set(re.findall(r'role="alert" id="(\w+)_error"', odd_mode.text)) == {"mfa", "name"}
    assert world.api("GET", where.removeprefix("/console")).json() == before


def test_what_another_operator_changed_meanwhile_stays(world: World) -> None:
    made = world.live.boto().create_user_pool_client(UserPoolId=world.pool_id, ClientName="wire")["UserPoolClient"]
    where = f"/pools/{world.pool_id}/apps/{made['ClientId']}"
    opened = shown_form(world.session.get(f"/console{where}").text)

    world.api("PATCH", where, json={"logout_urls": ["https://theirs.example/"], "hide_existence": True})
    saved = world.session.send_form(f"/console{where}", **{**opened, "name": "Mine"})

    after = world.api("GET", where).json()
    assert saved.status_code == 303
    assert (after["name"], after["logout_urls"], after["hide_existence"]) == ("Mine", ["https://theirs.example/"], True)


def test_settings_without_effect_are_named(world: World) -> None:
    given = {"UserPoolTier": "PLUS", "UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"}}
    pool = world.live.boto().create_user_pool(PoolName="wire", **given)["UserPool"]["Id"]

    page, plain = (world.session.get(f"/console/pools/{each}").text for each in (pool, world.pool_id))

    told = "without effect in this release: user_pool_tier , user_pool_add_ons.advanced_security_mode ."
    assert told in said(page)
    assert "without effect in this release" not in plain


def test_a_look_by_head_reads_no_notice(world: World) -> None:
    visitor, where = world.inside(), f"/console/pools/{world.pool_id}/apps/{world.client_id}"
    made = visitor.send_form(where, **shown_form(visitor.get(where).text))

    assert visitor.head(made.headers["Location"]).status_code == 200
    assert "The settings of Front are saved." in visitor.get(made.headers["Location"]).text
    assert "The settings of Front are saved." not in visitor.get(made.headers["Location"]).text


def test_a_secret_waits_sealed(world: World) -> None:
    visitor = world.inside()
    made = visitor.send_form("/console/access-keys", description="waits")
    with world.live.orm():
        from django.contrib.sessions.models import Session

        kept = Session.objects.get(session_key=visitor.cookies["operator"]).get_decoded()["shown-once"]
    page = visitor.get(made.headers["Location"]).text

    shown = re.findall(r'class="value" tabindex="0">([^<]+)<', page)
    assert len(shown) == 2
    assert len(shown[1]) == 40
    assert html.unescape(shown[1]) not in str(kept)
    assert html.unescape(shown[1]) not in visitor.get(made.headers["Location"]).text


def test_a_machine_app_needs_scopes_and_gets_them(world: World) -> None:
    without = new_app(world, name="Robot", kind="machine")
    made = new_app(world, name="Robot", kind="machine", scopes=["photos/read"])

    assert without.status_code == 422
    assert "at least one scope" in without.text
    assert made.status_code == 303
    page = world.session.get(made.headers["Location"]).text
    assert "client_credentials" in page
    assert "photos/read" in page


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"name": "", "kind": "public", "callback_urls": "https://a.example/cb"},
        {"name": "Nowhere to return", "kind": "public"},
        {"name": "x" * 200, "kind": "public", "callback_urls": "https://a.example/cb"},
        {"name": "Odd kind", "kind": "other", "callback_urls": "https://a.example/cb"},
        {"name": "Odd URL", "kind": "public", "callback_urls": "javascript:alert(1)"},
        {"name": "Odd URL", "kind": "public", "callback_urls": "http://a.example/cb"},
        {"name": "Odd URL", "kind": "public", "callback_urls": "https://a.example/cb#part"},
        {"name": "Foreign scope", "kind": "machine", "scopes": "photos/delete"},
        {"name": "Nul\x00", "kind": "public", "callback_urls": "https://a.example/cb"},
    ],
)
def test_a_bad_app_is_refused_in_words_and_not_made(world: World, data: dict[str, str]) -> None:
    before = world.api("GET", f"/pools/{world.pool_id}/apps?limit=60").json()

    answer = new_app(world, **data)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert world.api("GET", f"/pools/{world.pool_id}/apps?limit=60").json() == before


def test_all_that_is_wrong_with_an_app_is_said_at_once_at_its_fields(world: World) -> None:
    text = new_app(
        world,
        name="",
        kind="public",
        callback_urls="http://a.example/cb https://a.example/cb#part",
        logout_urls="javascript:alert(1)",
    ).text

    said = dict(re.findall(r'<p class="error" role="alert" id="(\w+)_error"><span>(.*?)</span>', text))
    assert said == {
        "name": "Enter a name.",
        "callback_urls": "http://a.example/cb: only https, but for this machine’s own addresses. "
        "https://a.example/cb#part: addresses have no fragment.",
        "logout_urls": "javascript:alert(1): not an address that browsers may be sent to.",
    }


def test_a_key_is_made_used_noted_and_disabled(world: World) -> None:
    visitor = world.inside()
    page = visitor.get(visitor.send_form("/console/access-keys", description="for CI").headers["Location"]).text
    key_id, secret = (html.unescape(value) for value in re.findall(r'class="value" tabindex="0">([^<]+)<', page))
    header = {"Authorization": f"Bearer {key_id}.{secret}"}

    assert world.visitor().get("/api/v1/pools", headers=header).status_code == 200
    assert "<time" in visitor.get("/console/access-keys").text, "last used is shown"
    where = f"/console/access-keys/{key_id}/disable"
    assert visitor.send_form(where, confirmation="something else").status_code == 422
    assert world.session.get(where).status_code == 404, "one's own keys only"
    assert visitor.send_form(where, confirmation=key_id).status_code == 303
    assert world.visitor().get("/api/v1/pools", headers=header).status_code == 401


def test_every_page_works_with_an_empty_pool(world: World) -> None:
    for tab in ("", "/apps", "/apps/new", "/users", "/audit"):
        assert world.session.get(f"/console/pools/{world.other_pool_id}{tab}").status_code == 200


def test_unknown_pages_are_told_in_the_consoles_own_words(world: World) -> None:
    answer = world.visitor().get("/console/no-such-page")

    assert answer.status_code == 404
    assert "It may have been deleted" in answer.text


def test_each_tab_of_a_pool_has_a_title_of_its_own(world: World) -> None:
    at = f"/console/pools/{world.pool_id}"
    titles = [
        re.findall(r"<title>([^<]*)</title>", world.session.get(at + path).text)[0]
        for path in ("", "/apps", "/users", "/audit", "/apps/new")
    ]
    pool = re.findall(r"<h1><bdi>([^<]*)</bdi></h1>", world.session.get(at).text)[0]

    assert titles == [
        *(f"{tab} – {pool} – Cognate" for tab in ("Overview", "Apps", "Users", "Audit")),
        f"Add an app – {pool} – Cognate",
    ]


def test_attributes_that_decide_and_that_people_write_are_named(world: World) -> None:
    idp, identity = world.live.boto(), world.live.boto("cognito-identity")
    own = [{"Name": "role", "AttributeDataType": "String", "Mutable": True}]
    pool = idp.create_user_pool(PoolName="Deciding", Schema=own)["UserPool"]["Id"]
    plain, listed = (
        idp.create_user_pool_client(UserPoolId=pool, ClientName=name, **lists)["UserPoolClient"]["ClientId"]
        for name, lists in (("Plain", {}), ("Listed", {"WriteAttributes": ["name"]}))
    )
    provider = f"cognito-idp.us-east-1.amazonaws.com/{pool}"
    made = identity.create_identity_pool(
        IdentityPoolName="p",
        AllowUnauthenticatedIdentities=False,
        CognitoIdentityProviders=[{"ProviderName": provider, "ClientId": plain}],
    )
    pages = [f"/console/pools/{pool}", *(f"/console/pools/{pool}/apps/{app}" for app in (plain, listed))]
    before = [world.session.get(page).text for page in pages]

    identity.set_principal_tag_attribute_map(
        IdentityPoolId=made["IdentityPoolId"],
        IdentityProviderName=provider,
        UseDefaults=False,
        PrincipalTags={"role": "custom:role"},
    )

    words = "a role or a session tag is chosen by: <code>custom:role</code>."
    after = [world.session.get(page).text for page in pages]
    assert [words in page for page in before] == [False] * 3
    assert [words in page for page in after] == [True, True, False]
    assert f'href="{pages[1]}"><bdi>Plain</bdi></a>. Name what' in after[0]


def test_rules_are_said_in_the_words_of_the_field(world: World) -> None:
    pool = said(world.session.get(f"/console/pools/{world.pool_id}").text)
    app = said(world.session.get(f"/console/pools/{world.pool_id}/apps/{world.client_id}").text)

    assert "Usernames case-sensitive" in pool or "Usernames not case-sensitive" in pool
    assert re.search(r"Users \(estimate\) [\d,]+", pool)
    assert re.search(r"Refresh tokens (Spent by each use|Used again and again)", app)
    assert "Refresh tokens ALLOW_REFRESH_TOKEN_AUTH" in app


def test_each_flow_that_a_client_may_have_is_put_in_words() -> None:
    assert set(pages.FLOWS) == client_rules.ALLOW


def test_a_refusal_is_a_word_and_each_time_has_a_zone(world: World) -> None:
    with world.live.orm():
        from pools.services import audit

        audit.record(
            audit.Tag.CODE_REFUSED, pool=world.pool, subject="x", by=Actor.system(), outcome="refused", detail={}
        )
    events = world.session.get(f"/console/pools/{world.pool_id}/audit").text

    assert "Refused: code" in said(events)
    for path in ("audit", "users", "apps", f"users/{world.subs[0]}"):
        times = re.findall(
            r"<time[^>]*>([^<]+)</time>", world.session.get(f"/console/pools/{world.pool_id}/{path}").text
        )
        assert times
        assert [moment for moment in times if not moment.strip().endswith(" UTC")] == []


def said(text: str) -> str:
    """Return what a page says, without its elements."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_what_holds_a_pools_messages_up_is_said_on_its_page(world: World) -> None:
    from pools.models import OutboxMessage

    path, problem = f"/console/pools/{world.pool_id}", "SES: sending is paused (SendingPaused)"
    with world.live.orm():
        waiting = OutboxMessage.objects.create(
            pool_id=world.pool.pk,
            channel="email",
            purpose="sign_up",
            recipient_hash=b"x",
            problem=problem,
            due_at=clock.now() + timedelta(hours=1),
        )
    try:
        page, other = (world.session.get(each).text for each in (path, f"/console/pools/{world.other_pool_id}"))
    finally:
        with world.live.orm():
            waiting.delete()

    assert f"Messages of this pool wait here, and go once this is mended: Mail: {problem}" in said(page)
    assert "Messages of this pool wait" not in other + world.session.get(path).text
