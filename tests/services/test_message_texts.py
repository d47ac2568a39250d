"""What a mail says where the pool's own template is amiss."""

from __future__ import annotations

import pytest

from pools.services import message_texts, sign_up
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


def test_a_reminder_shows_a_pools_name_as_text(transactional_db: None) -> None:
    pool = factories.make_pool()
    pool.name = "<b>Photos</b> & more"
    client = factories.make_client(pool)

    mail = message_texts.reminder(pool, client)

    assert "at <b>Photos</b> & more with" in mail.text
    assert "<b>" not in mail.html
    assert "&lt;b&gt;Photos&lt;/b&gt; &amp; more" in mail.html
    assert mail.html.count(f"client_id={client.client_id}") == 2
