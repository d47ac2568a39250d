"""The live installation of the tests, from sign-up to captured mail."""

from __future__ import annotations

from tests.live import Live


def test_live_installation_signs_up_and_mails(live: Live) -> None:
    boto = live.boto()

    assert boto.list_user_pools(MaxResults=10)["UserPools"] == []
