"""Password hashes of another system, through boto3: who brings one along signs in as ever, and has one of ours then."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pools.models import AuditEvent, OutboxMessage, Password, User, UserImportChunk, UserImportLine
from tests import importer as imports
from tests.cognito.conftest import PASSWORD, World, refused
from tests.importer import AT_THE_CAP, CHEAP, Importer, counted
from tests.live import Live
from tests.srp_client import Client

WRONG = "Incorrect username or password."
OTHER = "Another-horse-8"
ALGORITHMS = sorted(CHEAP)
FLOWS = [
    *("ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH"),
    *("ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"),
]
HIDING = {"ExplicitAuthFlows": FLOWS, "PreventUserExistenceErrors": "ENABLED"}


@pytest.fixture(scope="module")
def world(live: Live) -> World:
    """Return a pool whose client signs in by password and by SRP."""
    return World(live, client=HIDING)


@pytest.fixture(scope="module")
def importer(world: World) -> Importer:
    """Return what imports into it."""
    return Importer(world.idp, world.pool_id)


def moved(importer: Importer, hashing: str = "BCRYPT", encoded: str = "") -> str:
    """Import one person with a hash; return the name."""
    name = f"moved-{secrets.token_hex(4)}"
    job = importer.run_hashes(hashing, {name: encoded or CHEAP[hashing](PASSWORD)})
    assert counted(job) == ("Succeeded", 1, 0, 0)
    return name


def by_srp(world: World, name: str, password: str = PASSWORD) -> dict[str, Any]:
    """Sign in by SRP; return whatever comes back."""
    client = Client(password)
    challenge = world.anyone.initiate_auth(
        ClientId=world.client_id,
        AuthFlow="USER_SRP_AUTH",
        AuthParameters={"USERNAME": name, "SRP_A": f"{client.public:x}"},
    )
    found: dict[str, Any] = world.anyone.respond_to_auth_challenge(
        ClientId=world.client_id,
        ChallengeName="PASSWORD_VERIFIER",
        ChallengeResponses=client.answer(world.pool_id, challenge["ChallengeParameters"]),
    )
    return found


def kept(world: World, name: str) -> Password:
    """Return what is kept of somebody's password."""
    with world.live.orm():
        return Password.objects.get(user__pool__public_id=world.pool_id, user__username=name)


def failures(world: World) -> list[tuple[int, str]]:
    """Return the lines that made no user, by number."""
    with world.live.orm():
        rows = UserImportLine.objects.filter(job__pool__public_id=world.pool_id, skipped=False)
        return list(rows.order_by("number").values_list("number", "reason"))


@pytest.mark.parametrize("hashing", ALGORITHMS)
@pytest.mark.parametrize("made", [CHEAP, AT_THE_CAP], ids=["cheap", "at-the-cap"])
def test_who_brings_a_hash_along_signs_in_by_password_and_then_by_srp(
    world: World, importer: Importer, hashing: str, made: dict[str, Callable[[str], str]]
) -> None:
    encoded = made[hashing](PASSWORD)
    name = moved(importer, hashing, encoded)
    before = kept(world, name)
    user = world.user(name)

    assert user["UserStatus"] == "CONFIRMED"
    with refused("NotAuthorizedException", WRONG):
        by_srp(world, name)
    with refused("NotAuthorizedException", WRONG):
        world.sign_in(name, OTHER)
    assert kept(world, name).argon2 == before.argon2 == f"{hashing}:{encoded}"
    assert before.sealed_verifier is None
    assert world.tokens(name)["AccessToken"]

    after = kept(world, name)
    assert after.argon2.startswith("$argon2id$")
    assert after.argon2 != encoded
    assert after.changed_at == before.changed_at
    assert by_srp(world, name)["AuthenticationResult"]["AccessToken"]
    assert world.tokens(name)["AccessToken"]
    assert kept(world, name).argon2 == after.argon2  # the second sign-in found it, and left it
    assert world.user(name) == user
    with refused("NotAuthorizedException", WRONG):
        world.sign_in(name, OTHER)


@pytest.mark.parametrize("kind", ["2a", "2b", "2y"])
def test_bcrypt_is_taken_as_it_is_written_anywhere(world: World, importer: Importer, kind: str) -> None:
    name = moved(importer, "BCRYPT", imports.of_bcrypt(PASSWORD, kind=kind))

    assert world.tokens(name)["AccessToken"]


def test_an_administrators_sign_in_by_password_is_a_first_one_too(world: World, importer: Importer) -> None:
    name = moved(importer)

    signed_in = world.idp.admin_initiate_auth(
        UserPoolId=world.pool_id,
        ClientId=world.client_id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
    )

    assert signed_in["AuthenticationResult"]["AccessToken"]
    assert by_srp(world, name)["AuthenticationResult"]["AccessToken"]


def test_a_first_sign_in_tells_nobody_and_changes_nothing_else(new_world: Callable[..., World]) -> None:
    world = new_world()
    name = moved(Importer(world.idp, world.pool_id))
    with world.live.orm():
        user = User.objects.get(pool__public_id=world.pool_id, username=name)
        audited = AuditEvent.objects.filter(subject=str(user.sub)).count()

    tokens = world.tokens(name)

    with world.live.orm():
        assert User.objects.get(pk=user.pk).epoch == user.epoch
        assert AuditEvent.objects.filter(subject=str(user.sub)).count() == audited
        assert not OutboxMessage.objects.filter(pool_id=user.pool_id).exists()
    assert world.refresh(tokens["RefreshToken"])["AccessToken"]


def test_a_line_without_a_hash_makes_somebody_who_has_to_choose_a_password(world: World, importer: Importer) -> None:
    job = importer.run_hashes("ARGON2ID", {"with": imports.of_argon2id(PASSWORD), "without": ""})

    assert counted(job) == ("Succeeded", 2, 0, 0)
    assert (world.user("with")["UserStatus"], world.user("without")["UserStatus"]) == ("CONFIRMED", "RESET_REQUIRED")
    with world.live.orm():
        assert not Password.objects.filter(user__pool__public_id=world.pool_id, user__username="without").exists()
    assert world.tokens("with")["AccessToken"]
    world.anyone.forgot_password(ClientId=world.client_id, Username="without")
    code = world.code(importer.address("without"))
    world.anyone.confirm_forgot_password(
        ClientId=world.client_id, Username="without", ConfirmationCode=code, Password=PASSWORD
    )
    assert world.tokens("without")["AccessToken"]


BCRYPT, SALT, DIGEST = imports.of_bcrypt(PASSWORD), "00" * 16, "11" * 32
PHC = imports.of_argon2id(PASSWORD)
OVER = "password_hash costs more than {} may: {}."
NONE = "password_hash is no hash of {}."


@pytest.mark.parametrize(
    ("hashing", "texts", "cap"),
    [
        ("BCRYPT", [BCRYPT.replace("$04$", "$13$"), BCRYPT.replace("$04$", "$31$")], "a cost of 12"),
        (
            "SCRYPT",
            [f"131072$8$1${SALT}${DIGEST}", f"16$9$1${SALT}${DIGEST}", f"16$1$2${SALT}${DIGEST}"],
            "N=65536, r=8, p=1",
        ),
        (
            "ARGON2ID",
            [PHC.replace("m=8,", "m=19457,"), PHC.replace("t=1,", "t=3,"), PHC.replace("m=8,t=1,p=1", "m=16,t=1,p=2")],
            "m=19456, t=2, p=1",
        ),
        ("PBKDF2_SHA256", [imports.of_pbkdf2(PASSWORD).replace("$10$", "$600001$")], "600,000 rounds"),
    ],
)
def test_a_hash_over_the_cap_fails_its_user_alone(
    new_world: Callable[..., World], hashing: str, texts: list[str], cap: str
) -> None:
    world = new_world()
    hashes = {f"u{number}": text for number, text in enumerate(texts)}

    job = Importer(world.idp, world.pool_id).run_hashes(hashing, {**hashes, "fine": CHEAP[hashing](PASSWORD)})

    assert counted(job) == ("Succeeded", 1, 0, len(texts))
    assert failures(world) == [(number, OVER.format(hashing, cap)) for number, _ in enumerate(texts, start=2)]
    assert world.tokens("fine")["AccessToken"]


@pytest.mark.parametrize("hashing", ALGORITHMS)
def test_what_is_no_hash_of_the_jobs_algorithm_fails_its_user_and_is_not_told(
    new_world: Callable[..., World], hashing: str
) -> None:
    world = new_world()
    fine = CHEAP[hashing](PASSWORD)
    others = [made(PASSWORD) for name, made in CHEAP.items() if name != hashing]
    texts = [*others, PASSWORD, f"{hashing}:{fine}", fine[:-1] + "!", fine + "x" * 200, "$", "=1+1", "x" * 300]

    job = Importer(world.idp, world.pool_id).run_hashes(
        hashing, {f"u{number}": text for number, text in enumerate(texts)}
    )

    assert counted(job) == ("Failed", 0, 0, len(texts))
    assert failures(world) == [(number, NONE.format(hashing)) for number, _ in enumerate(texts, start=2)]


def test_a_job_that_names_an_algorithm_wants_the_column(importer: Importer) -> None:
    job = importer.run(importer.file(importer.line("nobody")), "SCRYPT")

    assert counted(job) == ("Failed", 0, 0, 0)
    assert job["CompletionMessage"] == "The header has no column password_hash."


def test_the_columns_other_name_is_taken_too(world: World, importer: Importer) -> None:
    name = f"moved-{secrets.token_hex(4)}"
    line = importer.line(name, password_hash=CHEAP["BCRYPT"](PASSWORD))
    file = importer.file(line, more=["password_hash"]).replace(b",password_hash\n", b",cognito:password_hash\n", 1)
    assert b"cognito:password_hash" in file

    assert counted(importer.run(file, "BCRYPT")) == ("Succeeded", 1, 0, 0)

    assert world.tokens(name)["AccessToken"]


def test_a_job_that_names_none_takes_no_column_of_hashes(importer: Importer) -> None:
    job = importer.run_hashes("", {"nobody": BCRYPT})

    assert counted(job) == ("Failed", 0, 0, 0)
    assert job["CompletionMessage"] == "The header has a column password_hash, and the job names no algorithm."


def test_the_algorithm_is_told_of_a_job_that_names_one_and_the_column_never(world: World, importer: Importer) -> None:
    assert "password_hash" not in importer.columns
    plain, made = importer.create(), importer.create("PBKDF2_SHA256")
    assert imports.put(made["PreSignedUrl"], importer.file(more=["password_hash"])) == (200, "")
    listed = importer.idp.list_user_import_jobs(UserPoolId=world.pool_id, MaxResults=2)["UserImportJobs"]
    started = importer.start(made)

    told = [each.get("PasswordHashingAlgorithm") for each in (made, importer.job(made["JobId"]), listed[0], started)]
    assert told == ["PBKDF2_SHA256"] * 4
    for each in (plain, importer.job(plain["JobId"]), listed[1]):
        assert "PasswordHashingAlgorithm" not in each
    with refused("InvalidParameterException"):
        importer.create("MD5")
    importer.ended(made["JobId"])


def test_a_job_that_is_stopped_tells_its_algorithm(new_world: Callable[..., World]) -> None:
    world = new_world()
    importer = Importer(world.idp, world.pool_id)
    job = importer.create("BCRYPT")
    lines = (importer.line(f"u{number}", password_hash=BCRYPT) for number in range(4_000))
    imports.put(job["PreSignedUrl"], importer.file(*lines, more=["password_hash"]))
    importer.start(job)

    stopped = world.idp.stop_user_import_job(UserPoolId=world.pool_id, JobId=job["JobId"])["UserImportJob"]

    assert (stopped["Status"], stopped["PasswordHashingAlgorithm"]) == ("Stopping", "BCRYPT")
    importer.ended(job["JobId"])


def test_a_password_that_was_imported_is_changed_right_after_the_first_sign_in(
    world: World, importer: Importer
) -> None:
    name = moved(importer, "SCRYPT")
    tokens = world.tokens(name)

    with refused("NotAuthorizedException"):
        world.anyone.change_password(
            AccessToken=tokens["AccessToken"], PreviousPassword="Wrong-horse-1", ProposedPassword=OTHER
        )
    world.anyone.change_password(AccessToken=tokens["AccessToken"], PreviousPassword=PASSWORD, ProposedPassword=OTHER)

    assert world.refresh(tokens["RefreshToken"])["AccessToken"]
    assert by_srp(world, name, OTHER)["AuthenticationResult"]["AccessToken"]
    with refused("NotAuthorizedException", WRONG):
        world.sign_in(name)


def test_an_administrator_sets_another_before_anybody_signed_in(world: World, importer: Importer) -> None:
    name = moved(importer)

    world.idp.admin_set_user_password(UserPoolId=world.pool_id, Username=name, Password=OTHER, Permanent=True)

    assert by_srp(world, name, OTHER)["AuthenticationResult"]["AccessToken"]
    with refused("NotAuthorizedException", WRONG):
        world.sign_in(name)


def test_an_imported_password_that_was_ended_lets_nobody_in(world: World, importer: Importer) -> None:
    name = moved(importer)
    world.idp.admin_reset_user_password(UserPoolId=world.pool_id, Username=name)

    with refused("NotAuthorizedException", WRONG):
        world.sign_in(name)

    assert kept(world, name).argon2.startswith("BCRYPT:")


def test_two_first_sign_ins_at_once_are_both_let_in(world: World, importer: Importer) -> None:
    name = moved(importer, "PBKDF2_SHA256", imports.of_pbkdf2(PASSWORD, rounds=200_000))

    with ThreadPoolExecutor(2) as threads:
        tokens = list(threads.map(lambda _: world.tokens(name), range(2)))

    assert all(world.refresh(each["RefreshToken"])["AccessToken"] for each in tokens)
    assert by_srp(world, name)["AuthenticationResult"]["AccessToken"]


def test_a_second_factor_is_asked_for_after_an_imported_password(live: Live) -> None:
    world = World(live, client=HIDING)
    world.mfa("OPTIONAL")
    name = moved(Importer(world.idp, world.pool_id))
    app = world.enrol(world.tokens(name)["AccessToken"])
    again = f"BCRYPT:{imports.of_bcrypt(PASSWORD)}"
    with live.orm():
        rows = Password.objects.filter(user__pool__public_id=world.pool_id, user__username=name)
        rows.update(argon2=again, sealed_verifier=None)

    challenge = world.sign_in(name)

    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert kept(world, name).argon2.startswith("$argon2id$")
    code = world.respond(challenge, name, SOFTWARE_TOKEN_MFA_CODE=app.code())
    assert code["AuthenticationResult"]["AccessToken"]


@pytest.mark.parametrize(
    ("password", "tried"),
    [
        ("Long-horse-1" * 8, "Long-horse-1" * 8),
        ("Long-horse-1" * 8, "Long-horse-1" * 7),  # bcrypt takes 72 bytes: what follows never counted
        ("ä" * 40, "ä" * 36),
    ],
)
def test_a_password_longer_than_bcrypt_takes_is_cut_as_it_was_then(
    world: World, importer: Importer, password: str, tried: str
) -> None:
    name = moved(importer, "BCRYPT", imports.of_bcrypt(password))

    assert world.tokens(name, tried)["AccessToken"]

    with refused("NotAuthorizedException", WRONG):
        world.sign_in(name, tried[:-1])
    if password != tried:
        with refused("NotAuthorizedException", WRONG):
            world.sign_in(name, password)  # ours takes all of it: what was typed first is the password


@pytest.mark.parametrize("hashing", ALGORITHMS)
def test_no_password_is_too_odd_to_be_refused(world: World, importer: Importer, hashing: str) -> None:
    name = moved(importer, hashing)

    for tried in ("ü" * 200, "x" * 256):
        with refused("NotAuthorizedException", WRONG):
            world.sign_in(name, tried)
    for tried in ("Nul-\x00-horse-1", "\ud800"):
        with refused("SerializationException"):
            world.sign_in(name, tried)


def test_an_imported_password_need_not_fit_the_policy_and_is_remembered_as_any_other(live: Live) -> None:
    policy = {"MinimumLength": 12, "PasswordHistorySize": 3}
    world = World(live, pool={"Policies": {"PasswordPolicy": policy}}, client=HIDING)
    name = moved(Importer(world.idp, world.pool_id), "BCRYPT", imports.of_bcrypt("short"))
    token = world.tokens(name, "short")["AccessToken"]
    first, second = "First-horse-of-all", "Second-horse-of-all"

    def change(previous: str, proposed: str) -> None:
        world.anyone.change_password(AccessToken=token, PreviousPassword=previous, ProposedPassword=proposed)

    change("short", first)
    change(first, second)
    with refused("PasswordHistoryPolicyViolationException"):
        change(second, first)


def test_a_file_with_hashes_goes_with_its_job_and_is_sealed_before(world: World, importer: Importer) -> None:
    job = importer.create("BCRYPT")
    encoded = imports.of_bcrypt(PASSWORD)
    name = f"moved-{secrets.token_hex(4)}"
    imports.put(job["PreSignedUrl"], importer.file(importer.line(name, password_hash=encoded), more=["password_hash"]))

    with world.live.orm():
        [chunk] = UserImportChunk.objects.filter(job__public_id=job["JobId"])
    assert encoded.encode() not in bytes(chunk.sealed)

    importer.start(job)
    importer.ended(job["JobId"])
    with world.live.orm():
        assert not UserImportChunk.objects.filter(job__public_id=job["JobId"]).exists()
        told = AuditEvent.objects.filter(subject=job["JobId"]).order_by("id").values_list("tag", "detail")
        created = dict(told)["import_created"]
        assert created == {"name": "move", "hashing": "BCRYPT"}
        assert encoded not in str(list(told))
    world.tokens(name)
    said = world.live.log("web") + world.live.log("worker")
    assert "pools.tasks.import_users" in said  # the logs were read
    assert encoded not in said
    assert PASSWORD not in said
