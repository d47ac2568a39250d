"""The mailbox of captured messages: for this machine, while messages are captured."""

from __future__ import annotations

import uuid

import pytest

from tests.console.world import World


@pytest.fixture
def address(world: World) -> str:
    """Return an address that three messages have been sent to."""
    to = f"{uuid.uuid4()}@example.com"
    with world.live.orm():
        from identity.foundation.names import uuid7
        from pools.models import CapturedMessage

        for number in range(3):
            CapturedMessage.objects.create(
                id=uuid7(),
                pool_id=world.pool.pk,
                channel="email",
                to=to,
                subject=f"Letter {number}",
                body=f"Your code is {number}{number}{number}. <b>Not</b> markup. https://id.example.com/confirm?a=1&b=2",
                html="<p>never shown</p>",
            )
    return to


def test_messages_are_told_as_json_newest_first(world: World, address: str) -> None:
    found = world.visitor().get("/dev/messages", params={"to": address}).json()

    assert [message["subject"] for message in found] == ["Letter 2", "Letter 1", "Letter 0"]
    assert all(message.keys() == {"id", "channel", "to", "subject", "body", "created_at"} for message in found)
    assert found[0]["body"].startswith("Your code is 222.")


@pytest.mark.parametrize("to", ["nobody@example.com", "%", "'", "A" * 2000])
def test_an_address_is_matched_exactly(world: World, address: str, to: str) -> None:
    assert world.visitor().get("/dev/messages", params={"to": to}).json() == []
    assert world.visitor().get("/dev/messages", params={"to": address[:-1]}).json() == []


@pytest.mark.parametrize("to", ["\x00", "A" * 3000])
def test_an_impossible_address_is_refused(world: World, to: str) -> None:
    assert world.visitor().get("/dev/messages", params={"to": to}).status_code == 404
    assert world.visitor().get("/dev/mailbox", params={"to": to}).status_code == 200


def test_the_page_shows_messages_as_text_with_links(world: World, address: str) -> None:
    page = world.visitor().get("/dev/mailbox", params={"to": address}).text

    assert "Letter 2" in page
    assert "&lt;b&gt;Not&lt;/b&gt; markup" in page
    assert 'href="https://id.example.com/confirm?a=1&amp;b=2"' in page
    assert "never shown" not in page


def test_only_this_machine_may_look(world: World, address: str) -> None:
    from django.test import RequestFactory

    from identity.console import mailbox

    asked = RequestFactory().get("/dev/messages", {"to": address})
    for seen_from, status in (("203.0.113.9", 404), ("", 404)):
        asked.address = seen_from  # type: ignore[attr-defined]
        asked.user = asked.htmx = None  # type: ignore[assignment,attr-defined]
        asked.request_id = ""  # type: ignore[attr-defined]
        assert _status(mailbox.as_json, asked) == status


def _status(view: object, request: object) -> int:
    from django.contrib.auth.models import AnonymousUser

    request.user = AnonymousUser()  # type: ignore[attr-defined]
    return int(view(request).status_code)  # type: ignore[operator]


def test_another_site_cannot_read_the_mailbox(world: World, address: str) -> None:
    headers = (
        world.visitor().get("/dev/messages", params={"to": address}, headers={"Origin": "https://evil.example"}).headers
    )

    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers
    rebound = world.visitor().get("/dev/messages", headers={"Host": "evil.example"})
    assert rebound.status_code == 404
