"""A step that the machine has and the pages have not: the sign-in stops with an explanation, on no other page."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from pools.models import AppClient
from pools.services.sign_in import enrolment, machine
from pools.services.sign_in.machine import Challenged
from tests import factories
from tests.hosted import in_process
from tests.hosted.world import PASSWORD, Reader


@pytest.fixture
def app(transactional_db: None) -> AppClient:
    """Return an app of a pool."""
    return factories.make_client(factories.make_pool(), **factories.PAGES)


def test_a_challenge_without_a_page_is_a_problem_page_and_a_log_line(
    app: AppClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = Challenged("of_a_later_release", "the session", "ann")
    monkeypatch.setattr(machine, "begin", lambda *_, **__: unknown)
    monkeypatch.setattr(enrolment, "enrol", lambda *_, **__: pytest.fail("a factor is set up"))
    browser, address = in_process.browser(), f"/{app.pool.public_id}/login?client_id={app.client_id}"
    form = Reader(browser.get(address).content.decode()).forms[0].values

    with capture_logs() as logs:
        answer = browser.post(address, {**form, "username": "ann", "password": PASSWORD})

    page = Reader(answer.content.decode())
    assert answer.status_code == 501
    assert page.alert.startswith("It needs a step that these pages don't have.")
    assert page.links["Start again"] == address
    assert [(line["log_level"], line["challenge"]) for line in logs if line["event"] == "challenge_without_page"] == [
        ("error", "of_a_later_release")
    ]
    assert not any(name.endswith("-step") for name in browser.cookies)
