"""The directory: invitations, search, pages, disabling, deletion."""

from __future__ import annotations

import re
from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given
from hypothesis import strategies as st

from identity.foundation import clock, errors, paging
from pools.models import (
    AppClient,
    AuditEvent,
    OutboxMessage,
    Password,
    SignInName,
    TotpFactor,
    User,
    UserPool,
    user_listing,
)
from pools.models.hot import EnrolledFactor
from pools.services import access, housekeeping
from pools.services.people import passwords, user_filter, users
from pools.services.sign_in import factors
from pools.services.sign_up import sign_up
from tests import factories
from tests.factories import BY, PASSWORD
from tests.services.conftest import VISITOR, at_once, mail_to

NAME = "bob@example.com"


def invite(pool: UserPool, username: str = NAME, message: str = "send", **given: str) -> User:
    return users.create(pool, username, attributes=given, message=message, by=BY)


class TestInvitations:
    def test_an_invited_person_gets_name_and_password_by_mail(self, pool: UserPool) -> None:
        user = invite(pool)

        mail = mail_to(NAME)
        row = Password.objects.get(user=user)
        [password] = [word for word in mail.body.split() if passwords.verify("p", row.argon2, word)]
        assert NAME in mail.body
        assert password in mail.html
        assert user.status == "FORCE_CHANGE_PASSWORD"
        assert row.expires_at is not None
        assert timedelta(days=6, hours=23) < row.expires_at - clock.now() <= timedelta(days=7)

    def test_suppressed_means_no_mail(self, pool: UserPool) -> None:
        invite(pool, message="suppress")

        assert not OutboxMessage.objects.exists()

    def test_inviting_again_renews_the_password(self, pool: UserPool) -> None:
        before = Password.objects.get(user=invite(pool)).argon2

        invite(pool, message="resend")

        assert Password.objects.get().argon2 != before
        assert OutboxMessage.objects.count() == 2

    def test_only_those_who_never_signed_in_are_invited_again(self, pool: UserPool) -> None:
        factories.make_user(pool, NAME)

        with pytest.raises(errors.WrongState):
            invite(pool, message="resend")
        with pytest.raises(errors.UserNotFound):
            invite(pool, "nobody@example.com", message="resend")

    def test_the_pools_own_words_are_used_and_escaped(self, transactional_db: None) -> None:
        pool = factories.make_pool(
            admin_create_user_config={
                "invite_message_template": {
                    "email_message": "<p>Hello {username}, take {####}</p>",
                    "email_subject": "Welcome, {username}",
                }
            }
        )

        users.create(pool, "a<b>&{####}", attributes={"email": NAME}, temporary_password="Sh0rt<&>pass", by=BY)

        mail = mail_to(NAME)
        assert mail.subject == "Welcome, a<b>&{####}"
        assert mail.body == "Hello a<b>&{####}, take Sh0rt<&>pass"
        assert "a&lt;b&gt;&amp;{####}" in mail.html
        assert "Sh0rt&lt;&amp;&gt;pass" in mail.html

    @pytest.mark.parametrize("force", [False, True])
    def test_a_verified_address_of_another_moves_only_by_force(self, alias_pool: UserPool, force: bool) -> None:
        factories.make_user(alias_pool, "alice", email=NAME, email_verified="true")

        def make() -> User:
            given = {"email": NAME, "email_verified": "true"}
            return users.create(alias_pool, "bob", attributes=given, message="suppress", force_alias=force, by=BY)

        if force:
            make()
            assert access.user(alias_pool, NAME).username == "bob"
            assert not access.user(alias_pool, "alice").email_verified
        else:
            with pytest.raises(errors.UsernameExists, match=r"^An account with the given email already exists\.$"):
                make()
            assert access.user(alias_pool, NAME).username == "alice"
            assert User.objects.count() == 1

    @pytest.mark.usefixtures("patient_gate")
    def test_of_racing_invitations_one_makes_the_account(self, pool: UserPool) -> None:
        outcomes = at_once(6, lambda _: invite(pool, message="suppress"))

        assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
        assert all(isinstance(outcome, User | errors.UsernameExists) for outcome in outcomes)


class TestFilter:
    @pytest.fixture
    def crowd(self, alias_pool: UserPool) -> UserPool:
        for name, email, status in (
            ("ann", "ann@a.example", "CONFIRMED"),
            ("anna", "anna@a.example", "UNCONFIRMED"),
            ("Anton", "anton@b.example", "CONFIRMED"),
            ('q"\\uote', "quote@b.example", "CONFIRMED"),
        ):
            user = users.new(alias_pool, name, {"email": email, "name": "Same"}, status)  # type: ignore[arg-type]
            user.enabled = name != "Anton"
            user.save(force_insert=True)
        return alias_pool

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ('username = "ann"', ["ann"]),
            ('username ^= "ann"', ["ann", "anna"]),
            ('username="anton"', []),
            ('"email" ^= "an"', ["ann", "anna", "Anton"]),
            ('email = "anton@b.example"', ["Anton"]),
            ('email = "ANTON@b.Example"', ["Anton"]),
            ('email ^= "ANn"', ["ann", "anna"]),
            ('name = "Same"', ["ann", "anna", "Anton", 'q"\\uote']),
            ('name ^= "sA"', ["ann", "anna", "Anton", 'q"\\uote']),
            (r'username = "q\"\\uote"', ['q"\\uote']),
            ('cognito:user_status = "unconfirmed"', ["anna"]),
            ('cognito:user_status ^= "CONF"', ["ann", "Anton", 'q"\\uote']),
            ('status = "Disabled"', ["Anton"]),
            ('cognito:user_status ^= "c"', ["ann", "Anton", 'q"\\uote']),
            ('cognito:user_status ^= ""', ["ann", "anna", "Anton", 'q"\\uote']),
            ('cognito:user_status = ""', []),
            ('cognito:user_status = "ARCHIVED"', []),
            ('status = "Enabled"', ["ann", "anna", 'q"\\uote']),
            ('status ^= "Dis"', ["Anton"]),
            ('status ^= "dis"', []),
            ('status = "disabled"', []),
            ('status = "ENABLED"', []),
            ('status ^= ""', ["ann", "anna", "Anton", 'q"\\uote']),
            ('status = "en"', []),
            ('email ^= ""', ["ann", "anna", "Anton", 'q"\\uote']),
            ('phone_number ^= ""', []),
            ('name = ""', []),
            ('sub ^= ""', ["ann", "anna", "Anton", 'q"\\uote']),
            ('sub = ""', []),
            ('email = "%"', []),
            ('email ^= "%"', []),
            ('email ^= "_nn"', []),
            ('email = "\' OR 1=1 --"', []),
            ('sub = "nonsense"', []),
            ("", ["ann", "anna", "Anton", 'q"\\uote']),
        ],
    )
    def test_a_filter_finds_exactly_its_people(self, crowd: UserPool, text: str, found: list[str]) -> None:
        assert sorted(user.username for user in users.page(crowd, 60, None, text).rows) == sorted(found)

    def test_sub_is_found_whole_and_by_its_head(self, crowd: UserPool) -> None:
        sub = str(access.user_by_sub(crowd, User.objects.filter(username="ann").values_list("sub", flat=True)[0]).sub)

        for text in (f'sub = "{sub}"', f'sub ^= "{sub[:30]}"', f'sub ^= "{sub.upper()}"'):
            assert [user.username for user in users.page(crowd, 60, None, text).rows] == ["ann"]

    @pytest.mark.parametrize(
        "text",
        [
            "username",
            'username == "a"',
            "username = a",
            'username = "a" OR username = "b"',
            'custom:role = "a"',
            'password = "a"',
            'pool__id = "1"',
            'email = "a\x00"',
            'email = "a\ud800"',
            'email = "' + "a" * 256 + '"',
            'email = "unclosed',
            r'email = "escaped\"',
        ],
    )
    def test_anything_else_is_refused(self, pool: UserPool, text: str) -> None:
        with pytest.raises(errors.Invalid):
            users.page(pool, 60, None, text)

    @given(head=st.text(max_size=3), text=st.text(max_size=4))
    @example(head="\ud7ff", text="\ue000")
    @example(head="a\U0010ffff", text="a\U0010ffffb")
    @example(head="\U0010ffff", text="\U0010ffff\U0010ffff")
    def test_a_prefix_is_the_range_of_the_texts_that_begin_so(self, head: str, text: str) -> None:
        written = re.sub(r'(["\\])', r"\\\1", head)
        if "\x00" in head:
            return

        found = user_filter.parse(f'name ^= "{written}"')

        assert isinstance(found, user_filter.Texts)
        for each in (text, head + text):
            first, below, stored = (value.encode() for value in (found.first, found.below, each))
            assert (first <= stored < below) is each.startswith(head)

    @given(text=st.text(max_size=300))
    def test_no_text_breaks_the_parser(self, text: str) -> None:
        try:
            user_filter.parse(text)
        except errors.Invalid as problem:
            assert problem.field == "filter"


@pytest.mark.parametrize(
    "text", [None, 'email ^= "p"', 'name = "Same"', 'sub ^= ""', 'status = "Enabled"', 'cognito:user_status ^= "C"']
)
def test_pages_neither_skip_nor_repeat(pool: UserPool, text: str | None) -> None:
    made = set()
    for number in range(23):
        called = {"name": ("Same", "SAME", "same")[number % 3]}
        user = users.new(pool, f"p{number % 5}.{number}@example.com", called, "CONFIRMED")  # type: ignore[arg-type]
        user.save(force_insert=True)
        made.add(user.id)

    seen = []
    token = None
    while True:
        page = users.page(pool, 4, token, text)
        seen += [user.id for user in page.rows]
        token = page.token
        if token is None:
            break
        newcomer = users.new(pool, f"a{len(seen)}@example.com", {}, "CONFIRMED")  # type: ignore[arg-type]
        newcomer.save(force_insert=True)

    assert len(seen) == len(set(seen))
    assert made <= set(seen)


def test_a_page_token_serves_its_own_list_only(pool: UserPool, alias_pool: UserPool) -> None:
    for number in range(3):
        users.new(pool, f"p{number}@example.com", {}, "CONFIRMED").save(force_insert=True)  # type: ignore[arg-type]
    token = users.page(pool, 1, None).token

    for other, text in ((alias_pool, None), (pool, 'email ^= "p"')):
        with pytest.raises(errors.Invalid):
            users.page(other, 1, token, text)
    assert len(users.page(pool, 1, token).rows) == 1


@pytest.mark.parametrize(
    ("text", "order", "is_taken"),
    [
        ('email ^= "p"', "", False),
        ('email ^= "p"', ":lower", True),
        ('username ^= "p"', "", True),
        ('sub ^= ""', "", False),
        (None, "", True),
    ],
)
def test_a_token_of_the_release_before_is_taken_where_the_order_is_the_same(
    pool: UserPool, text: str | None, order: str, *, is_taken: bool
) -> None:
    purpose = f"users{order}:{pool.pk}:{text or ''}"
    token = paging.cut([1, 2], 1, lambda _: ["p", str(user_listing.FIRST)], purpose=purpose).token

    with nullcontext() if is_taken else pytest.raises(errors.Invalid, match="Invalid pagination token given"):
        users.page(pool, 1, token, text)


class TestState:
    @pytest.fixture
    def bob(self, pool: UserPool) -> User:
        return factories.make_user(pool, NAME)

    def test_disabling_ends_everything_and_enabling_does_not_bring_it_back(self, pool: UserPool, bob: User) -> None:
        users.set_enabled(pool, bob, False, by=BY)
        after = access.user(pool, NAME)
        users.set_enabled(pool, bob, True, by=BY)

        assert (after.enabled, after.epoch) == (False, bob.epoch + 1)
        again = access.user(pool, NAME)
        assert (again.enabled, again.epoch) == (True, bob.epoch + 1)

    def test_signing_out_everywhere_is_one_step_of_the_epoch(self, pool: UserPool, bob: User) -> None:
        at_once(5, lambda _: users.global_sign_out(pool, bob, by=BY))

        assert access.user(pool, NAME).epoch == bob.epoch + 5

    def test_a_deleted_name_is_free_at_once_and_the_rows_go_later(
        self, pool: UserPool, client: AppClient, bob: User
    ) -> None:
        factories.give_totp(pool, bob)

        users.delete(pool, bob, by=BY)

        with pytest.raises(errors.UserNotFound):
            access.user(pool, NAME)
        with pytest.raises(errors.UserNotFound):
            users.delete(pool, bob, by=BY)
        assert sign_up.sign_up(client, NAME, password=PASSWORD, attributes={}, by=VISITOR).user_sub != str(bob.sub)
        assert housekeeping.purge_users() == 1
        assert not User.objects.filter(id=bob.id).exists()
        assert not Password.objects.filter(user_id=bob.id).exists()
        assert not TotpFactor.objects.filter(user_id=bob.id).exists()
        assert access.user(pool, NAME).id != bob.id
        assert AuditEvent.objects.filter(subject=str(bob.sub), tag="user_deleted").exists()

    def test_another_pools_user_is_nobody_here(self, pool: UserPool, alias_pool: UserPool, bob: User) -> None:
        with pytest.raises(errors.UserNotFound):
            users.set_enabled(alias_pool, bob, False, by=BY)
        with pytest.raises(errors.UserNotFound):
            users.global_sign_out(alias_pool, bob, by=BY)
        with pytest.raises(errors.UserNotFound):
            users.delete(alias_pool, bob, by=BY)

        assert access.user(pool, NAME).enabled
        assert SignInName.objects.filter(user=bob).count() == 2

    def test_second_factors_are_told_by_one_query(self, pool: UserPool, bob: User) -> None:
        factories.give_totp(pool, bob)
        row = access.user(pool, NAME)

        with CaptureQueriesContext(connection) as queries:
            held = factors.of(row)

        assert held == (EnrolledFactor("totp", "", enabled=True),)
        assert factors.preferred(row) == "totp"
        assert len(queries) == 1
