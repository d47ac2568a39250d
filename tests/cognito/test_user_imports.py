"""Users from a CSV file, through boto3 and a plain PUT, over the live installation and its worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.cognito.conftest import PASSWORD, World, named, refused
from tests.importer import ROLE, counted, put
from tests.importer import Importer as PoolsImporter


class Importer(PoolsImporter):
    """A pool of a test's own, whose users come from files."""

    def __init__(self, world: World) -> None:
        """Ask for the columns."""
        super().__init__(world.idp, world.pool_id)
        self.world = world


@pytest.fixture(scope="module")
def importer(world: World) -> Importer:
    """Return the module's own."""
    return Importer(world)


def test_the_header_names_each_attribute_in_amazons_order(new_world: Callable[..., World]) -> None:
    schema = [{"Name": "team", "AttributeDataType": "String", "Mutable": True}]

    world = new_world(pool={"Schema": schema})

    header = world.idp.get_csv_header(UserPoolId=world.pool_id)["CSVHeader"]

    assert header == [
        *("name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture"),
        *("website", "email", "email_verified", "gender", "birthdate", "zoneinfo", "locale", "phone_number"),
        *("phone_number_verified", "address", "updated_at", "custom:team", "cognito:mfa_enabled", "cognito:username"),
    ]


def test_a_file_makes_users_who_choose_their_passwords_by_their_address(new_world: Callable[..., World]) -> None:
    world = new_world(pool={"AliasAttributes": ["email"]})
    importer = Importer(world)
    lines = [
        importer.line("ada", name="Lovelace\\, Ada", birthdate="12/10/1815", updated_at="1700000000"),
        importer.line("eve", name='=HYPERLINK("https://evil.example")'),
    ]

    job = importer.run(importer.file(*lines))

    assert counted(job) == ("Succeeded", 2, 0, 0)
    assert job["CompletionMessage"] == "Import Job Completed Successfully."
    assert job["StartDate"] <= job["CompletionDate"]
    ada = world.user(importer.address("ada"))
    assert (ada["Username"], ada["UserStatus"], ada["Enabled"]) == ("ada", "RESET_REQUIRED", True)
    told = named(ada["UserAttributes"])
    del told["sub"]
    assert told == {
        "name": "Lovelace, Ada",
        "birthdate": "1815-12-10",
        "updated_at": "1700000000",
        "email": importer.address("ada"),
        "email_verified": "true",
    }
    with refused("PasswordResetRequiredException"):
        world.sign_in("ada")
    world.anyone.forgot_password(ClientId=world.client_id, Username="ada")
    world.anyone.confirm_forgot_password(
        ClientId=world.client_id,
        Username="ada",
        Password=PASSWORD,
        ConfirmationCode=world.code(importer.address("ada")),
    )
    assert world.tokens("ada")["AccessToken"]


def test_what_a_line_says_is_kept_to_the_letter(new_world: Callable[..., World]) -> None:
    schema = [{"Name": "path", "AttributeDataType": "String", "Mutable": True}]
    importer = Importer(new_world(pool={"Schema": schema}))
    given = {
        "name": "a\tb",
        "given_name": r"\N",
        "family_name": r"C:\new\table",
        "nickname": r'\. "quoted" \x41 \101',
        "profile": "a\x0b\x7f\u2028b",
        "custom:path": r"\\server\ä\ud800 " + '"{}"',
    }

    job = importer.run(importer.file(importer.line(r"ada\n", email=importer.address("ada"), **given)))

    assert counted(job) == ("Succeeded", 1, 0, 0)
    ada = importer.world.user(r"ada\n")
    assert ada["Username"] == r"ada\n"
    assert named(ada["UserAttributes"]).items() >= given.items()


def test_lines_that_make_no_user_are_counted_and_the_others_do(importer: Importer) -> None:
    there = importer.world.person()
    lines = [
        importer.line("fine-1"),
        importer.line(there),
        importer.line("fine-1"),
        importer.line("no address", email=""),
        importer.line("unproven", email_verified="FALSE"),
        importer.line("spam", email="no address"),
        importer.line("mfa", cognito__mfa_enabled="TRUE"),
        importer.line(""),
        "too,few",
        "x" * 16_001,
        importer.line("fine-2"),
    ]

    job = importer.run(importer.file(*lines))

    assert counted(job) == ("Succeeded", 2, 2, 7)
    assert importer.world.user("fine-2")["UserStatus"] == "RESET_REQUIRED"


def test_an_alias_that_another_has_fails_and_leaves_the_name_free(new_world: Callable[..., World]) -> None:
    world = new_world(pool={"AliasAttributes": ["email"]})
    importer = Importer(world)
    world.person("first", email="shared@example.com")

    job = importer.run(importer.file(importer.line("second", email="shared@example.com"), importer.line("third")))

    assert counted(job) == ("Succeeded", 1, 0, 1)
    assert importer.run(importer.file(importer.line("second")))["ImportedUsers"] == 1


def test_where_addresses_sign_in_the_name_is_the_address(new_world: Callable[..., World]) -> None:
    world = new_world(pool={"UsernameAttributes": ["email"]})
    importer = Importer(world)
    line = importer.line("ada@example.com", email="ada@example.com")

    job = importer.run(importer.file(line, line, importer.line("not an address", email="eve@example.com")))

    assert counted(job) == ("Succeeded", 1, 1, 1)
    ada = world.user("ada@example.com")
    assert ada["Username"] == named(ada["UserAttributes"])["sub"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The header has no column name."),
        (b"\n\n", "The header has no column name."),
        (b"name,email\n", "The header has no column given_name."),
        (b"\xef\xbb\xbfname\n", "The file begins with a byte order mark."),
        (b"\xff\n", "The file is not UTF-8."),
        (b"{header},email\n", "The header has the column email twice."),
    ],
)
def test_a_file_of_other_columns_fails_as_a_whole(importer: Importer, body: bytes, message: str) -> None:
    job = importer.run(body.replace(b"{header}", ",".join(importer.columns).encode()))

    assert counted(job) == ("Failed", 0, 0, 0)
    assert job["CompletionMessage"] == message


def test_a_file_of_which_nothing_is_taken_fails(importer: Importer) -> None:
    job = importer.run(importer.file(importer.line("mfa", cognito__mfa_enabled="TRUE")))

    assert counted(job) == ("Failed", 0, 0, 1)
    assert job["CompletionMessage"] == "Too many users have failed or been skipped during the import."


def test_who_has_codes_by_sms_asked_for_has_them_after_an_import(new_world: Callable[..., World]) -> None:
    importer = Importer(new_world())
    world = importer.world
    on = {"MfaConfiguration": "OPTIONAL", "SmsMfaConfiguration": {}}
    world.idp.set_user_pool_mfa_config(UserPoolId=world.pool_id, **on)

    job = importer.run(
        importer.file(
            importer.line("ada", phone_number="+12065550142", cognito__mfa_enabled="TRUE"),
            importer.line("bob", phone_number="+12065550143"),
            importer.line("numberless", cognito__mfa_enabled="TRUE"),
        )
    )

    assert counted(job) == ("Succeeded", 2, 0, 1)
    assert world.user("ada")["UserMFASettingList"] == ["SMS_MFA"]
    assert "UserMFASettingList" not in world.user("bob")


@pytest.mark.parametrize(("mode", "asks"), [("OFF", False), ("OPTIONAL", False), ("ON", True)])
def test_a_line_that_says_nothing_of_mfa_means_what_the_pool_requires(
    new_world: Callable[..., World], mode: str, asks: bool
) -> None:
    """AWS: cognito-user-pools-using-import-tool, whose column may be blank."""
    world = new_world()
    if mode != "OFF":
        world.idp.set_user_pool_mfa_config(UserPoolId=world.pool_id, MfaConfiguration=mode, SmsMfaConfiguration={})
    importer = Importer(world)

    number = {"phone_number": "+12065550100", "phone_number_verified": "TRUE"}
    done = importer.run(importer.file(importer.line("ada", cognito__mfa_enabled="", **number)))

    assert counted(done) == ("Succeeded", 1, 0, 0)
    assert ("MFAOptions" in world.user("ada")) == asks


def test_a_job_starts_once_with_a_file_and_stops_only_while_it_runs(importer: Importer) -> None:
    world, job = importer.world, importer.create()
    assert counted(job) == ("Created", 0, 0, 0)
    assert job.keys() & {"StartDate", "CompletionDate", "CompletionMessage"} == set()
    assert job == importer.job(job["JobId"])
    with refused("PreconditionNotMetException", "No CSV file was uploaded for the user import job."):
        importer.start(job)
    with refused("PreconditionNotMetException", "The user import job is Created."):
        world.idp.stop_user_import_job(UserPoolId=world.pool_id, JobId=job["JobId"])

    assert put(job["PreSignedUrl"], b"not this one") == (200, "")
    assert put(job["PreSignedUrl"], importer.file(importer.line("once"))) == (200, "")
    assert importer.start(job)["Status"] == "Pending"

    assert counted(importer.ended(job["JobId"])) == ("Succeeded", 1, 0, 0)
    with refused("PreconditionNotMetException", "The user import job is Succeeded."):
        importer.start(job)
    assert put(job["PreSignedUrl"], b"late")[0] == 409


def test_each_operation_tells_the_same_of_a_job(importer: Importer) -> None:
    idp, pool_id = importer.world.idp, importer.world.pool_id
    given = {"UserPoolId": pool_id, "JobName": "move", "CloudWatchLogsRoleArn": ROLE}

    made = idp.create_user_import_job(**given)["UserImportJob"]
    named_by = {"UserPoolId": pool_id, "JobId": made["JobId"]}
    assert put(made["PreSignedUrl"], importer.file(importer.line("told"))) == (200, "")
    described = idp.describe_user_import_job(**named_by)["UserImportJob"]
    started = idp.start_user_import_job(**named_by)["UserImportJob"]

    assert made.items() >= given.items()
    assert described == made
    assert {**started, "Status": "Created"} == {**made, "StartDate": started["StartDate"]}
    importer.ended(made["JobId"])


def test_a_pool_that_verifies_no_address_imports_nobody(new_world: Callable[..., World]) -> None:
    importer = Importer(new_world(pool={"AutoVerifiedAttributes": []}))
    job = importer.create()
    put(job["PreSignedUrl"], importer.file())

    with refused("PreconditionNotMetException"):
        importer.start(job)


def test_jobs_are_listed_newest_first(new_world: Callable[..., World]) -> None:
    importer = Importer(new_world())
    made = [importer.create()["JobId"] for _ in range(3)]
    ask = importer.world.idp.list_user_import_jobs

    first = ask(UserPoolId=importer.world.pool_id, MaxResults=2)
    rest = ask(UserPoolId=importer.world.pool_id, MaxResults=2, PaginationToken=first["PaginationToken"])

    assert [job["JobId"] for job in first["UserImportJobs"] + rest["UserImportJobs"]] == made[::-1]
    assert "PaginationToken" not in rest


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
        lambda url: url.replace("expires=", "expires=9"),
        lambda url: url.partition("?")[0],
        lambda url: url.replace("/import-", "/import-x"),
    ],
)
def test_nothing_is_taken_at_an_address_that_was_not_signed(importer: Importer, change: Callable[[str], str]) -> None:
    job = importer.create()

    status, answer = put(change(job["PreSignedUrl"]), importer.file())

    assert status == 403
    assert "<Code>AccessDenied</Code>" in answer
    with refused("PreconditionNotMetException"):
        importer.start(job)


def test_what_is_no_upload_is_refused_in_the_words_of_s3(importer: Importer) -> None:
    url = importer.create()["PreSignedUrl"]

    assert put(url, b"", method="POST") == (405, put(url, b"", method="POST")[1])
    assert "<Code>MethodNotAllowed</Code>" in put(url, b"", method="POST")[1]
    status, answer = put(url, b"x" * (1 << 21))
    assert (status, "<Code>InvalidRequest</Code>" in answer) == (400, True)
    status, answer = put(url, b"\n" * 600_000)
    assert (status, "<Code>EntityTooLarge</Code>" in answer) == (400, True)
    for size in (10, 3 << 20):
        status, answer = put(url, iter([b"x" * size]))  # in chunks, without its length
        assert (status, "<Code>MissingContentLength</Code>" in answer) == (411, True)


def test_a_file_larger_than_any_other_body_is_taken_as_it_comes(new_world: Callable[..., World]) -> None:
    importer = Importer(new_world())
    filler = "x" * 2_000
    lines = [importer.line(f"u{number}", address=filler) for number in range(1_300)]
    body = importer.file(*lines)
    assert len(body) > 2_600_000

    assert counted(importer.run(body)) == ("Succeeded", 1_300, 0, 0)
    job = importer.create()
    put(job["PreSignedUrl"], body)
    importer.start(job)
    assert counted(importer.ended(job["JobId"]))[2] == 1_300


def test_while_users_are_imported_their_pool_keeps_its_rules(new_world: Callable[..., World]) -> None:
    importer = Importer(new_world())
    job = importer.create()
    put(job["PreSignedUrl"], importer.file(*(importer.line(f"u{number}") for number in range(60_000))))
    importer.start(job)

    with refused("UserImportInProgressException"):
        importer.world.idp.delete_user_pool(UserPoolId=importer.world.pool_id)
    with refused("UserImportInProgressException"):
        importer.world.idp.update_user_pool(UserPoolId=importer.world.pool_id)
    with refused("UserImportInProgressException"):
        importer.world.idp.add_custom_attributes(UserPoolId=importer.world.pool_id, CustomAttributes=[{"Name": "x"}])
    stopped = importer.world.idp.stop_user_import_job(UserPoolId=importer.world.pool_id, JobId=job["JobId"])

    assert stopped["UserImportJob"]["Status"] == "Stopping"
    ended = importer.ended(job["JobId"])
    assert ended["Status"] == "Stopped"
    assert ended["ImportedUsers"] < 60_000
    importer.world.idp.delete_user_pool(UserPoolId=importer.world.pool_id)


def test_of_two_jobs_one_runs_at_a_time(new_world: Callable[..., World]) -> None:
    importer = Importer(new_world())
    jobs = [importer.create() for _ in range(2)]
    for job in jobs:
        put(job["PreSignedUrl"], importer.file(*(importer.line(f"u{number}") for number in range(2_000))))
    outcomes: list[str] = []

    def start(job: dict[str, Any]) -> None:
        try:
            outcomes.append(importer.start(job)["Status"])
        except importer.world.idp.exceptions.PreconditionNotMetException as problem:
            outcomes.append(problem.response["Error"]["Message"])

    threads = [threading.Thread(target=start, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["Another user import job of the user pool is under way.", "Pending"]
