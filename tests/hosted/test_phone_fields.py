"""Phone numbers on pages: written as at home beside a country, and refused in the field's own words."""

from __future__ import annotations

import secrets
from typing import Any

import phonenumbers
import pytest

from pools.services.people import phone_numbers
from pools.web import phone_fields
from tests.hosted.world import CALLBACK, PASSWORD, Page, World
from tests.live import Live

WRITTEN = [
    ("+436641234567", "", "+436641234567"),
    ("0664 1234567", "AT", "+436641234567"),
    ("0664/123 45-67", "AT", "+436641234567"),
    ("(415) 555-0100", "US", "+14155550100"),
    ("1 415 555 0100", "US", "+14155550100"),
    ("+44 (0)20 7946 0958", "", "+442079460958"),
    ("+44 (0)20 7946 0958", "AT", "+442079460958"),
    ("0043 664 1234567", "DE", "+436641234567"),
    ("06 1234 5678", "IT", "+390612345678"),
    ("\uff10664\u00a01234567", "AT", "+436641234567"),
    ("+43 664\u2011123\u200b4567\u202c", "", "+436641234567"),
    # In no plan, and somebody's all the same: kept to the letter.
    ("+99912345", "", "+99912345"),
    ("+999 123-45", "", "+99912345"),
    ("+4306641234567", "", "+4306641234567"),
]


@pytest.mark.parametrize(("written", "country", "meant"), WRITTEN)
def test_a_number_is_read_as_people_write_it(written: str, country: str, meant: str) -> None:
    assert phone_numbers.read(written, country) == meant


@pytest.mark.parametrize(
    ("written", "country"),
    [
        ("", "AT"),
        ("0664 1234567", ""),
        ("0664 1234567", "XX"),
        ("12", "AT"),
        ("555-0100", "US"),
        ("1-800-FLOWERS", "US"),
        ("+43 664 1234567 ext. 5", "AT"),
        ("ann", "AT"),
        ("+", "AT"),
        ("+43", "AT"),
        ("0" * 300, "AT"),
        ("\x00", "AT"),
        ("+0123456", ""),
    ],
)
def test_what_is_no_number_is_none(written: str, country: str) -> None:
    assert phone_numbers.read(written, country) == ""


def test_every_country_that_has_numbers_can_be_chosen() -> None:
    assert set(phone_fields.countries()) == phonenumbers.SUPPORTED_REGIONS
    assert list(phone_fields.countries())[:3] == ["AF", "AX", "AL"]
    assert phone_fields.countries()["AT"] == "Austria (+43)"
    assert all(text[0].isupper() for text in phone_fields.countries().values())


@pytest.mark.parametrize(
    ("languages", "country"),
    [
        ("de-AT,de;q=0.9,en-US;q=0.8", "AT"),
        ("en-US;q=0.5,pt-BR", "BR"),
        ("zh-Hant-TW", "TW"),
        ("de,en", ""),
        ("xx-XX", ""),
        ("*", ""),
        ("", ""),
        ("a" * 4000, ""),
    ],
)
def test_a_browsers_language_suggests_a_country(languages: str, country: str) -> None:
    assert phone_fields.country_of(languages) == country


@pytest.fixture(scope="module")
def by_phone(live: Live) -> World:
    """Return a pool whose people sign in by a phone number."""
    return World(
        live,
        mfa="OFF",
        by_email=False,
        UsernameAttributes=["phone_number"],
        AutoVerifiedAttributes=["phone_number"],
    )


def number() -> tuple[str, str]:
    """Return a number that nobody has: as written in Austria, and in E.164."""
    digits = f"{secrets.randbelow(10**7):07}"
    return f"0664 {digits[:3]} {digits[3:]}", f"+43664{digits}"


def chosen(page: Page) -> dict[str, Any]:
    """Return the options of the country that are marked."""
    return {given["value"]: given for tag, given in page.read.tags if tag == "option" and "selected" in given}


def test_somebody_signs_up_and_in_by_the_number_they_write_at_home(by_phone: World) -> None:
    visitor, (local, full) = by_phone.visitor(), number()
    visitor.session.headers["Accept-Language"] = "de-AT"
    page = visitor.start("/signup")
    assert set(chosen(page)) == {"AT"}
    assert (page.form["username"]["type"], page.form["username"]["autocomplete"]) == ("tel", "username")
    assert page.form["username_country"]["autocomplete"] == "country"

    page = visitor.submit(username=local, username_country="AT", password=PASSWORD)
    assert page.path.startswith("/confirm"), page.alert
    assert page.form["username"]["value"] == full
    assert visitor.submit(code=by_phone.mailed(full)).url.startswith(CALLBACK)

    again = by_phone.visitor()
    again.start()
    assert again.submit(username=local, username_country="AT", password=PASSWORD).code
    again = by_phone.visitor()
    again.start("/forgotPassword")
    assert again.submit(username=local, username_country="AT").form["username"]["value"] == full


@pytest.mark.parametrize(
    ("typed", "country", "told"),
    [
        ("0664 1234567", "", phone_fields.NO_COUNTRY),
        ("12", "AT", phone_fields.NOT_A_NUMBER),
        ("+43", "", phone_fields.NOT_A_NUMBER),
        ("ann", "AT", phone_fields.NOT_A_NUMBER),
        ("+43 664 abc", "", phone_fields.NOT_A_NUMBER),
        ("6" * 200, "AT", phone_fields.NOT_A_NUMBER),
        ("0664 1234567", "<b>", phone_fields.NO_COUNTRY),
    ],
)
@pytest.mark.parametrize("path", ["/signup", "/login", "/forgotPassword"])
def test_what_is_no_number_is_refused_in_the_fields_own_words(
    by_phone: World, path: str, typed: str, country: str, told: object
) -> None:
    visitor = by_phone.visitor()
    visitor.start(path)

    page = visitor.submit(username=typed, username_country=country, password=PASSWORD)

    assert page.alert == str(told)
    assert (page.form["username"]["value"], page.form["username"].get("aria-invalid")) == (typed, "true")
    assert set(chosen(page)) == ({"AT"} if country == "AT" else {""})


def test_a_phone_number_that_is_asked_for_is_read_alike(live: Live) -> None:
    asking = World(live, mfa="OFF", Schema=[{"Name": "phone_number", "Required": True}])
    visitor, name, (local, full) = asking.visitor(), asking.name(), number()
    visitor.start("/signup")

    wrong = visitor.submit(username=name, phone_number=local, password=PASSWORD)
    assert wrong.alert == str(phone_fields.NO_COUNTRY)
    assert visitor.submit(phone_number=local, phone_number_country="AT", password=PASSWORD).path.startswith("/confirm")

    with asking.rows() as pool:
        from pools.services import access

        assert access.user(pool, name).phone_number == full


def test_an_address_is_as_welcome_where_both_sign_in(live: Live) -> None:
    both = World(live, mfa="OFF", by_email=False, UsernameAttributes=["email", "phone_number"])
    local, full = number()
    for name, country, meant in ((f"{secrets.token_hex(4)}@example.org", "AT", ""), (local, "AT", full)):
        visitor = both.visitor()
        visitor.start("/signup")
        page = visitor.submit(username=name, username_country=country, password=PASSWORD)
        assert page.path.startswith(("/login", "/confirm")), page.alert
        with both.rows() as pool:
            from pools.services import access

            assert access.user(pool, meant or name)
    visitor = both.visitor()
    visitor.start("/signup")
    page = visitor.submit(username="neither", username_country="AT", password=PASSWORD)
    assert page.alert == "That is neither an email address nor a phone number."
