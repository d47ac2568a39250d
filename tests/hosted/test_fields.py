"""What password managers, screen readers and certification scripts rely on: names, ids, autocomplete, errors."""

from __future__ import annotations

import pytest

from pools.services import codes
from tests.hosted.world import OTHER_PASSWORD, PASSWORD, Form, Page, Visitor, World

TABLE = {
    ("/login", "username"): {"autocomplete": "username webauthn", "type": "email", "autocapitalize": "none"},
    ("/login", "password"): {"autocomplete": "current-password", "type": "password"},
    ("/signup", "username"): {"autocomplete": "username", "type": "email", "spellcheck": "false"},
    ("/signup", "password"): {"autocomplete": "new-password", "type": "password"},
    ("/forgotPassword", "username"): {"autocomplete": "username"},
    ("/confirm", "code"): {"autocomplete": "one-time-code", "inputmode": "numeric", "pattern": codes.WRITTEN},
    ("/confirmForgotPassword", "code"): {"autocomplete": "one-time-code", "inputmode": "numeric"},
    ("/confirmForgotPassword", "new_password"): {"autocomplete": "new-password", "type": "password"},
}


@pytest.mark.parametrize(("place", "wanted"), TABLE.items(), ids=lambda value: str(value)[:40])
def test_each_field_says_what_it_is(world: World, place: tuple[str, str], wanted: dict[str, str]) -> None:
    path, name = place

    field = world.visitor().start(path).form[name]

    assert field["id"] == name
    assert {key: field.get(key) for key in wanted} == wanted
    assert "onpaste" not in field


def pages(world: World) -> list[Page]:
    """Return every page of a form that a stranger can reach."""
    return [
        world.visitor().start(path)
        for path in ("/login", "/signup", "/forgotPassword", "/confirm", "/confirmForgotPassword")
    ]


def test_each_form_has_one_submit_button_and_each_field_a_label(world: World) -> None:
    for page in pages(world):
        labelled = {given.get("for") for tag, given in page.read.tags if tag == "label"}
        for form in page.read.forms:
            assert [button.get("type") for button in form.buttons] == ["submit"], page.path
            for field in form.fields:
                if field.attributes.get("type") != "hidden":
                    assert field.name in labelled, (page.path, field.name)


def test_each_page_has_one_heading_a_language_and_a_title_that_names_it(world: World) -> None:
    titles = set()
    for page in pages(world):
        tags = page.read.tags
        assert [tag for tag, _ in tags].count("h1") == 1, page.path
        assert next(given for tag, given in tags if tag == "html") == {"lang": "en", "dir": "ltr"}
        assert page.read.title.endswith("Photos")
        titles.add(page.read.title)
    assert len(titles) == 5


def test_no_page_carries_inline_script_style_or_a_foreign_address(world: World) -> None:
    for page in pages(world):
        for tag, given in page.read.tags:
            assert "style" not in given, (page.path, tag)
            assert tag != "style"
            if tag == "script":
                assert given["src"].startswith("/static/hosted/"), given
            for name in ("src", "href", "action"):
                assert not given.get(name, "").startswith(("http", "//")), given


def test_the_name_stays_in_the_form_of_a_page_that_sets_a_password(world: World, visitor: Visitor) -> None:
    name = world.person(temporary=True)

    form: Form = visitor.sign_in(name).form

    assert form["username"]["value"] == name
    assert form["username"]["autocomplete"].startswith("username")
    assert "readonly" in form["username"]
    assert form["username"].get("type") != "hidden"


def test_the_policy_is_told_to_people_and_to_password_generators(world: World, visitor: Visitor) -> None:
    page = visitor.start("/signup")

    assert page.form["password"]["passwordrules"].startswith(
        "minlength: 8; maxlength: 256; required: lower; required: upper;"
    )
    assert "8 characters or more" in page.text
    assert page.form["password"]["aria-describedby"] == "password_policy"


def test_what_the_app_suggests_is_filled_in(world: World, visitor: Visitor) -> None:
    assert visitor.start(login_hint="ann@example.org").form["username"]["value"] == "ann@example.org"
    assert visitor.start("/signup", login_hint="ann@example.org").form["username"]["value"] == "ann@example.org"


@pytest.mark.parametrize("path", ["/confirm", "/confirmForgotPassword"])
def test_a_code_in_an_address_is_filled_in_and_not_sent(visitor: Visitor, path: str) -> None:
    assert visitor.start(path, code="123456").form["code"]["value"] == "123456"


@pytest.mark.parametrize(
    ("path", "step"),
    [
        ("/signup", "Step 1 of 2"),
        ("/confirm", "Step 2 of 2"),
        ("/forgotPassword", "Step 1 of 2"),
        ("/confirmForgotPassword", "Step 2 of 2"),
    ],
)
def test_title_and_heading_say_which_step_it_is(visitor: Visitor, path: str, step: str) -> None:
    page = visitor.start(path)

    assert page.read.title.endswith(f" – {step} – Photos")
    assert f'<p class="step">{step}</p>' in page.text


def test_the_second_factor_is_the_second_step(world: World, strict: World) -> None:
    name = world.person()
    world.give_totp(name)
    for page in (world.visitor().sign_in(name), strict.visitor().sign_in(strict.person())):
        assert page.read.title.endswith(" – Step 2 of 2 – Photos")
        assert '<p class="step">Step 2 of 2</p>' in page.text


def test_a_page_of_an_error_says_so_in_its_title_and_names_a_reference(world: World, visitor: Visitor) -> None:
    for page in (visitor.open(f"{world.base}/no"), visitor.start(client_id="unknown"), visitor.start("/error")):
        assert page.read.title.startswith("Error: ")
        assert not page.read.title.endswith("–")
        assert page.answer.headers["x-amzn-requestid"] in page.text


def test_each_attribute_says_what_it_is(world: World) -> None:
    wanted = {
        "phone_number": ("tel", "tel"),
        "name": ("name", "text"),
        "family_name": ("family-name", "text"),
        "birthdate": ("bday", "date"),
        "address": ("street-address", None),
    }
    asking = World(world.live, mfa="OFF", Schema=[{"Name": name, "Required": True} for name in wanted])

    form = asking.visitor().start("/signup").form

    assert {name: (form[name]["autocomplete"], form[name].get("type")) for name in wanted} == wanted


@pytest.mark.parametrize("link", ["Forgot your password?", "Create an account"])
def test_a_name_is_typed_once(world: World, visitor: Visitor, link: str) -> None:
    for name in (world.person(), world.name()):
        visitor.sign_in(name, OTHER_PASSWORD)

        assert visitor.follow(link).form["username"]["value"] == name


def test_typed_passwords_are_never_sent_back(world: World, visitor: Visitor) -> None:
    for path in ("/login", "/signup", "/confirmForgotPassword"):
        visitor.start(path)
        typed = {
            field.name: PASSWORD for field in visitor.here.form.fields if field.attributes.get("type") == "password"
        }
        assert typed
        assert PASSWORD not in visitor.submit(typed).text
