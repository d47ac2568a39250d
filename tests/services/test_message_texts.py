"""What a mail says where the pool's own template is amiss."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from pools.services.messages import texts
from pools.services.sign_up import sign_up
from tests import factories
from tests.factories import PASSWORD
from tests.services.conftest import VISITOR, code_sent_to, mail_to

UNREADABLE = "{{{;;;}}@"


@pytest.mark.parametrize("style", ["color: red", UNREADABLE])
def test_a_code_goes_out_whatever_the_templates_style(transactional_db: None, style: str) -> None:
    pool = factories.make_pool(
        username_attributes=["email"],
        auto_verified_attributes=["email"],
        verification_message_template={"email_message": f'<p class="note" style="{style}">Yours: {{####}}</p>'},
    )
    client, address = factories.make_client(pool), f"styled{factories.number()}@example.com"

    sign_up.sign_up(client, address, password=PASSWORD, attributes={}, by=VISITOR)

    assert style in mail_to(address).html
    assert sign_up.confirm(client, address, code=code_sent_to(address), by=VISITOR).username


@pytest.mark.parametrize(
    ("template", "is_framed"),
    [("Yours: {####}", True), ("<html><style>p { color: red }</style><p>Yours: {####}</p></html>", False)],
)
def test_our_frames_styles_are_written_into_a_mails_elements_once_it_is_delivered(
    transactional_db: None, template: str, *, is_framed: bool
) -> None:
    pool = factories.make_pool(
        username_attributes=["email"],
        auto_verified_attributes=["email"],
        verification_message_template={"email_message": template},
    )
    client, address = factories.make_client(pool), f"sheet{factories.number()}@example.com"
    composed = texts.mail(pool, "sign_up", secret="123456")

    sign_up.sign_up(client, address, password=PASSWORD, attributes={}, by=VISITOR)

    assert " style=" not in composed.html
    assert (" style=" in mail_to(address).html) is is_framed


@pytest.mark.parametrize(
    "own",
    [
        {
            "email_verification_message": "Photos says {####}.",
            "email_verification_subject": "Of photos",
            "sms_verification_message": "Photos says {####}.",
        },
        {
            "verification_message_template": {
                "email_message": "Photos says {####}.",
                "email_subject": "Of photos",
                "sms_message": "Photos says {####}.",
            }
        },
    ],
    ids=["older members", "template"],
)
@pytest.mark.parametrize("purpose", ["sign_up", "recovery", "email", "phone_number"])
def test_what_is_sent_is_what_either_name_of_a_text_says(
    transactional_db: None, own: dict[str, Any], purpose: str
) -> None:
    pool = factories.make_pool(**own)

    mail = texts.mail(pool, purpose, secret="123456")

    assert (mail.subject, mail.text) == ("Of photos", "Photos says 123456.")
    assert texts.sms(pool, purpose, secret="123456").text.startswith("Photos says 123456.\n")


def test_a_reminder_shows_an_apps_name_as_text(transactional_db: None) -> None:
    pool = factories.make_pool()
    client = factories.make_client(pool)
    client.name = "<b>Photos</b> & more"

    mail = texts.reminder(pool, client)

    assert "at <b>Photos</b> & more with" in mail.text
    assert "<b>" not in mail.html
    assert "&lt;b&gt;Photos&lt;/b&gt; &amp; more" in mail.html
    assert mail.html.count(f"client_id={client.client_id}") == 2


@pytest.mark.parametrize(
    ("own", "text"),
    [("", "Your verification code is 123456"), ("  Photos:\n{####} is yours ", "Photos: 123456 is yours")],
)
def test_the_last_line_of_a_codes_sms_names_the_place_it_is_for(
    transactional_db: None, settings: Settings, own: str, text: str
) -> None:
    settings.BASE_URL = "https://login.example.com:8443/under"
    changed: dict[str, Any] = {"sms_verification_message": own} if own else {}
    pool = factories.make_pool(**changed)

    sms = texts.sms(pool, "phone_number", secret="123456")

    assert sms.text == f"{text}\n\n@login.example.com #123456"


def test_an_invitations_password_is_no_code(transactional_db: None) -> None:
    sms = texts.sms(factories.make_pool(), "invitation", secret="Secret-1", username="alice")

    assert sms.text == "Your username is alice and temporary password is Secret-1."


def test_a_captured_sms_shows_the_line(transactional_db: None, settings: Settings) -> None:
    settings.BASE_URL = "https://login.example.com"
    pool = factories.make_pool(username_attributes=["phone_number"], auto_verified_attributes=["phone_number"])
    client, number = factories.make_client(pool), "+12025550123"

    sign_up.sign_up(client, number, password=PASSWORD, attributes={}, by=VISITOR)

    code = code_sent_to(number)
    assert mail_to(number).body.splitlines()[-1] == f"@login.example.com #{code}"
    assert sign_up.confirm(client, number, code=code, by=VISITOR).username
