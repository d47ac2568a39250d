"""The live installation of the tests, from sign-up to captured mail, over a restart."""

from __future__ import annotations

import re

from tests.live import Live


def test_a_live_installation_signs_up_mails_and_confirms_over_a_restart(live: Live) -> None:
    boto = live.boto()
    pool = boto.create_user_pool(PoolName="live", UsernameAttributes=["email"], AutoVerifiedAttributes=["email"])
    pool_id = pool["UserPool"]["Id"]
    client_id = boto.create_user_pool_client(UserPoolId=pool_id, ClientName="live")["UserPoolClient"]["ClientId"]
    email = f"ada@{pool_id.replace('_', '-').lower()}.example.com"

    asked = boto.sign_up(ClientId=client_id, Username=email, Password="Correct-horse-9")
    code = re.search(r"\b\d{6}\b", live.message(email)["body"])
    # One request, one id: in the answer, and in the line of the worker that sent the mail.
    told = [line for line in live.log("worker").splitlines() if asked["ResponseMetadata"]["RequestId"] in line]
    assert any("message_sent" in line for line in told)
    assert email not in live.log("worker")
    live.restart()
    assert code
    boto.confirm_sign_up(ClientId=client_id, Username=email, ConfirmationCode=code[0])

    assert boto.admin_get_user(UserPoolId=pool_id, Username=email)["UserStatus"] == "CONFIRMED"
