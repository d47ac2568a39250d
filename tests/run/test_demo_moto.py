"""What stands in front of moto: it does as S3 does for programs and for pages, and no page changes what is not its own.

Each answer is asked for over HTTP, by boto3 where boto3 can ask it.
"""

from __future__ import annotations

import http.client
import io
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from identity.embedded.aws import moto, resources
from identity.embedded.processes import end, spawn
from tests import servers
from tests.interop.conftest import client, refused

pytestmark = [pytest.mark.run, pytest.mark.timeout(120)]

BUCKET = "photos"
ELSEWHERE = "https://evil.example"
HERE = "http://localhost:3000"
MADE_UP = ("AKIAMADEUP", "made up")
SIGNED = "AWS4-HMAC-SHA256 Credential={}/20261128/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=ab"
ASKING = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "Authorization, x-amz-date"}


@dataclass
class Storage:
    """moto with what the demo has in it, and keys that its STS gave out."""

    url: str
    keys: tuple[str, ...] = ()
    role: str = ""

    @cached_property
    def s3(self) -> Any:  # noqa: ANN401 - boto3's own
        """Return S3 by keys that were given out."""
        return client("s3", self.url, self.keys)

    @cached_property
    def iam(self) -> Any:  # noqa: ANN401 - boto3's own
        """Return IAM by any keys, as programs may use it."""
        return client("iam", self.url, MADE_UP)

    @cached_property
    def anyones(self) -> Any:  # noqa: ANN401 - boto3's own
        """Return S3 by keys that nobody gave out."""
        return client("s3", self.url, MADE_UP)

    def ask(self, method: str, path: str, *, by: str = "", service: str = "s3", **headers: str) -> requests.Response:
        """Ask with headers of a test's own, with the keys of this id if there is one."""
        signed = {"Authorization": SIGNED.format(by, service)} if by else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.request(method, self.url + path, headers={**signed, **named}, timeout=30)

    def raw(self, text: str, *then: str) -> bytes:
        """Send what no library sends; return all that comes back."""
        with socket.create_connection((urlsplit(self.url).hostname, urlsplit(self.url).port), timeout=30) as line:
            line.sendall(text.encode())
            heard = b""
            for more in then:
                heard += line.recv(1 << 16)
                line.sendall(more.encode())
            while some := line.recv(1 << 16):
                heard += some
        return heard

    def held(self) -> list[str]:
        """Return the keys in the bucket."""
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    """Start moto as the demo does, with its bucket, a private and a public photo."""
    part = moto.part(servers.free_port(), moto.EVERYTHING)
    process = spawn(part, output=subprocess.DEVNULL)
    try:
        until = monotonic() + 60
        while not part.ready():
            assert monotonic() < until
            sleep(0.05)
        found = Storage(f"http://127.0.0.1:{part.command[3]}")
        found.role = resources.make_role(found.iam, "Member", "{}", resources.member_policy(BUCKET))
        given = client("sts", found.url).assume_role_with_web_identity(
            RoleArn=found.role, RoleSessionName="anyone", WebIdentityToken="token"
        )["Credentials"]
        found.keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        resources.make_bucket(found.s3, BUCKET)
        found.s3.put_object(Bucket=BUCKET, Key="ada.png", Body=b"a photo")
        found.s3.put_object(Bucket=BUCKET, Key="public.png", Body=b"a photo", ACL="public-read")
        yield found
    finally:
        end(process, part)


@pytest.fixture
def untouched(storage: Storage) -> Iterator[None]:
    """See that a test changed nothing."""
    yield
    assert storage.held() == ["ada.png", "public.png"]
    assert [bucket["Name"] for bucket in storage.s3.list_buckets()["Buckets"]] == [BUCKET]
    assert storage.iam.get_role(RoleName="Member")["Role"]["Arn"] == storage.role


@pytest.mark.parametrize(
    "key",
    [*("a b", "ü/ö.png", "a+b", "a%2Fb", "100%", "%2525", "a//b", "/lead", "x/", "a?b#c", "a&b=c", "日本", "~'()*!")],
)
def test_a_photo_of_any_name_is_kept_as_s3_keeps_it(storage: Storage, key: str) -> None:
    s3, place = storage.s3, {"Bucket": BUCKET, "Key": f"{'' if key[0] == '/' else 'names/'}{key}"}
    s3.put_object(**place, Body=b"0123456789", ContentType="image/png")
    try:
        assert s3.head_object(**place)["ContentLength"] == 10
        part = s3.get_object(**place, Range="bytes=2-4")
        assert (part["Body"].read(), part["ContentRange"]) == (b"234", "bytes 2-4/10")
        presigned = {name: s3.generate_presigned_url(name, Params=place) for name in ("get_object", "put_object")}
        kept = requests.put(presigned["put_object"], b"anew", headers={"Origin": ELSEWHERE}, timeout=30)
        assert (kept.status_code, kept.headers["Access-Control-Allow-Origin"]) == (200, "*")
        read = requests.get(presigned["get_object"], headers={"Origin": ELSEWHERE}, timeout=30)
        assert (read.content, read.headers["Access-Control-Allow-Origin"]) == (b"anew", "*")
        assert place["Key"] in storage.held()
    finally:
        s3.delete_object(**place)
    assert place["Key"] not in storage.held()


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_in_chunks_with_its_checksum_behind_it_arrives(storage: Storage, *, chunked: bool) -> None:
    body = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
    how = ("Transfer-Encoding: chunked", f"{len(body):x}\r\n{body}\r\n0\r\n\r\n")
    length, sent = how if chunked else (f"Content-Length: {len(body)}", body)
    heard = storage.raw(
        f"PUT /{BUCKET}/chunks HTTP/1.1\r\nHost: localhost\r\nAuthorization: {SIGNED.format('AKIA', 's3')}\r\n"
        "Content-Encoding: aws-chunked\r\nx-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n"
        f"x-amz-trailer: x-amz-checksum-crc32\r\nx-amz-decoded-content-length: 5\r\n{length}\r\n\r\n{sent}"
    )
    assert heard.startswith(b"HTTP/1.1 200 ")
    assert storage.s3.get_object(Bucket=BUCKET, Key="chunks")["Body"].read() == b"hello"
    storage.s3.delete_object(Bucket=BUCKET, Key="chunks")


def test_large_uploads_and_streams_of_boto3_arrive_with_their_checksums(storage: Storage) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    s3 = storage.s3
    s3.upload_fileobj(Pipe(b"a" * 9_000_000), BUCKET, "stream")
    answer = s3.put_object(Bucket=BUCKET, Key="summed", Body=b"b" * 200_000, ChecksumAlgorithm="SHA256")
    summed = s3.get_object(Bucket=BUCKET, Key="summed", ChecksumMode="ENABLED")

    assert s3.head_object(Bucket=BUCKET, Key="stream")["ContentLength"] == 9_000_000
    assert summed["ChecksumSHA256"] == answer["ChecksumSHA256"]
    assert len(summed["Body"].read()) == 200_000
    removed = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "stream"}, {"Key": "summed"}]})
    assert len(removed["Deleted"]) == 2


def test_who_waits_to_be_told_to_go_on_is_told_once(storage: Storage) -> None:
    heard = storage.raw(
        f"PUT /{BUCKET}/asked HTTP/1.1\r\nHost: localhost\r\nAuthorization: {SIGNED.format('AKIA', 's3')}\r\n"
        "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n",
        "hello",
    )

    assert heard.count(b"HTTP/1.1 100 Continue") == 1
    assert b"HTTP/1.1 200 OK" in heard
    storage.s3.delete_object(Bucket=BUCKET, Key="asked")


@pytest.mark.parametrize("path", [f"/{BUCKET}", f"/{BUCKET}/ada.png", f"/{BUCKET}/missing", f"/{BUCKET}/a//%C3%BC"])
@pytest.mark.parametrize("origin", [ELSEWHERE, HERE, "null"])
def test_a_preflight_is_answered_whether_the_key_is_there_or_not(storage: Storage, path: str, origin: str) -> None:
    answer = storage.ask("OPTIONS", path, Origin=origin, **ASKING)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization, x-amz-date"
    assert answer.headers["Access-Control-Max-Age"] == "3000"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    ("path", "headers", "status", "reason"),
    [
        (f"/{BUCKET}/a", {"Origin": HERE, "Access-Control-Request-Method": "PATCH"}, 403, "not allowed"),
        ("/nowhere/a", {"Origin": HERE, **ASKING}, 403, "Bucket not found"),
        (f"/{BUCKET}/a", ASKING, 400, "Origin request header needed"),
        (f"/{BUCKET}/a", {"Origin": HERE}, 400, "Insufficient information"),
        ("/", {"Origin": ELSEWHERE, "Access-Control-Request-Method": "POST"}, 403, "CORSResponse"),
        ("/moto-api/reset", {"Origin": HERE, "Access-Control-Request-Method": "POST"}, 403, "Bucket not found"),
    ],
)
def test_a_preflight_that_no_rule_allows_is_refused(
    storage: Storage, path: str, headers: dict[str, str], status: int, reason: str
) -> None:
    answer = storage.ask("OPTIONS", path, **headers)

    assert answer.status_code == status
    assert reason in answer.text
    assert not [name for name in answer.headers if name.startswith("Access-Control-")]


def test_a_buckets_own_rules_decide_which_pages_may_read(storage: Storage) -> None:
    s3 = storage.s3
    s3.create_bucket(Bucket="own-rules")
    rules = [
        {"AllowedOrigins": ["https://*.example"], "AllowedMethods": ["GET"], "AllowedHeaders": ["X-Amz-*"]},
        {"AllowedOrigins": [HERE], "AllowedMethods": ["PUT"], "AllowedHeaders": ["*"]},
    ]
    wanted = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-amz-date"}
    try:
        unset = storage.ask("OPTIONS", "/own-rules/a", Origin=ELSEWHERE, **wanted)
        s3.put_bucket_cors(Bucket="own-rules", CORSConfiguration={"CORSRules": rules})
        fits = storage.ask("OPTIONS", "/own-rules/a", Origin=ELSEWHERE, **wanted)
        others = [
            storage.ask("OPTIONS", "/own-rules/a", **{"Origin": ELSEWHERE, **wanted, **other}).status_code
            for other in (
                {"Access-Control-Request-Headers": "authorization"},
                {"Access-Control-Request-Method": "PUT"},
                {"Origin": HERE},
            )
        ]
    finally:
        s3.delete_bucket(Bucket="own-rules")

    assert (unset.status_code, "not enabled" in unset.text) == (403, True)
    assert (fits.status_code, fits.headers["Access-Control-Allow-Origin"]) == (200, ELSEWHERE)
    assert fits.headers["Access-Control-Allow-Credentials"] == "true"
    assert others == [403, 403, 403]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/{BUCKET}/missing", 404),
        ("HEAD", f"/{BUCKET}/missing", 404),
        ("GET", f"/{BUCKET}/ada.png", 200),
        ("DELETE", f"/{BUCKET}/missing", 204),
        ("POST", f"/{BUCKET}/ada.png", 500),  # moto's own stumbling
    ],
)
def test_a_page_can_read_every_answer(storage: Storage, method: str, path: str, status: int) -> None:
    answer = storage.ask(method, path, by=storage.keys[0], Origin=ELSEWHERE)

    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag"


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "target",
    [
        *("/moto-api/reset", "//moto-api/reset", "/%6Doto-api/reset", "/MOTO-API/reset", "/moto-api%2Freset"),
        *("/./moto-api/reset", "/photos/../moto-api/reset", "/moto-api/reset?x", "/moto-api/reset-auth"),
        *("http://localhost/moto-api/reset", "http://moto_api/moto-api/reset", "/moto-api/", "/moto-api/data.json"),
        *("/latest/meta-data/iam/security-credentials/", "/favicon.ico", "/us-east-1_a/.well-known/jwks.json"),
        *(
            "/iam_us-east-1/?Action=DeleteRole&RoleName=Member",
            "/?Action=DeleteRole&RoleName=Member&Version=2010-05-08",
        ),
    ],
)
def test_motos_own_doors_are_closed_however_they_are_spelt(storage: Storage, method: str, target: str) -> None:
    heard = storage.raw(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")

    assert heard.startswith(b"HTTP/1.1 403 ")
    assert b"<Code>AccessDenied</Code>" in heard


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("service", ["moto_api", "motoapi", "motoapi.amazonaws.com", "lambda", "instance_metadata"])
@pytest.mark.parametrize("path", ["/", "/moto-api/reset"])
def test_no_service_but_the_demos_is_there(storage: Storage, service: str, path: str) -> None:
    answer = storage.ask("POST", path, by=storage.keys[0], service=service)

    assert answer.status_code in {403, 405, 501}


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("host", ["evil.example", "moto_api", "s3.amazonaws.com", "127.0.0.1.evil.example", "", "a]b"])
def test_a_name_that_a_name_server_may_point_here_is_refused(storage: Storage, host: str) -> None:
    for method in ("GET", "DELETE", "OPTIONS"):
        heard = storage.raw(
            f"{method} /{BUCKET}/ada.png HTTP/1.1\r\nHost: {host}\r\nOrigin: {HERE}\r\n"
            f"Access-Control-Request-Method: GET\r\nAuthorization: {SIGNED.format(storage.keys[0], 's3')}\r\n\r\n"
        )
        assert heard.startswith(b"HTTP/1.1 403 ")
        assert b"localhost and 127.0.0.1 alone" in heard
        assert b"Access-Control-" not in heard


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("PUT", f"/{BUCKET}/new"), ("DELETE", f"/{BUCKET}/ada.png"), ("DELETE", f"/{BUCKET}"), ("PUT", "/new")),
        *(("POST", f"/{BUCKET}?delete"), ("POST", f"/{BUCKET}"), ("POST", "/"), ("PUT", f"/{BUCKET}/public.png?acl")),
        *(("GET", f"/{BUCKET}"), ("GET", "/"), ("GET", f"/{BUCKET}/ada.png"), ("GET", f"/{BUCKET}/missing")),
        *(("GET", f"/{BUCKET}/public.png?acl"), ("PATCH", f"/{BUCKET}/ada.png"), ("TRACE", "/")),
    ],
)
def test_without_keys_nothing_changes_and_nothing_private_is_read(storage: Storage, method: str, path: str) -> None:
    for headers in ({}, {"Origin": ELSEWHERE}, {"Content-Type": "application/x-www-form-urlencoded"}):
        answer = storage.ask(method, path, **headers)

        assert answer.status_code == 403
        assert "<Code>AccessDenied</Code>" in answer.text


def test_a_refusal_of_head_has_no_body(storage: Storage) -> None:
    heard = storage.raw(f"HEAD /{BUCKET}/ada.png HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert heard.startswith(b"HTTP/1.1 403 ")
    assert heard.endswith(b"\r\n\r\n")


def test_without_keys_what_is_public_is_read(storage: Storage) -> None:
    assert storage.ask("GET", f"/{BUCKET}/public.png", Origin=ELSEWHERE).content == b"a photo"


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("headers", [{"Origin": ELSEWHERE}, {"Origin": HERE}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_page_cannot_make_keys_up(storage: Storage, headers: dict[str, str]) -> None:
    made_up = storage.anyones
    place = {"Bucket": BUCKET, "Key": "ada.png"}
    form = made_up.generate_presigned_post(**place)

    answers = [
        *(storage.ask(method, f"/{BUCKET}/ada.png", by=MADE_UP[0], **headers) for method in ("GET", "PUT", "DELETE")),
        requests.get(made_up.generate_presigned_url("get_object", Params=place), headers=headers, timeout=30),
        requests.post(form["url"], form["fields"], files={"file": b"evil"}, headers=headers, timeout=30),
    ]

    assert ["InvalidAccessKeyId" in answer.text for answer in answers] == [True] * 5
    assert {answer.status_code for answer in answers} == {403}


def test_a_form_uploads_with_keys_and_not_without(storage: Storage) -> None:
    form = storage.s3.generate_presigned_post(Bucket=BUCKET, Key="posted")
    page, photo = {"Origin": ELSEWHERE}, {"file": b"a photo" * 100_000}
    bare = {name: form["fields"][name] for name in ("key",)}

    refusal = requests.post(form["url"], bare, files=photo, headers=page, timeout=30)
    assert ("AccessDenied" in refusal.text, "posted" in storage.held()) == (True, False)
    assert requests.post(form["url"], form["fields"], files=photo, headers=page, timeout=30).status_code == 204
    assert storage.s3.get_object(Bucket=BUCKET, Key="posted")["Body"].read() == photo["file"]
    storage.s3.delete_object(Bucket=BUCKET, Key="posted")


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("service", "origin", "reads"),
    [
        *(("sts", HERE, True), ("sts", "http://demo.auth.localhost:8000", True), ("dynamodb", HERE, True)),
        *(("sts", ELSEWHERE, False), ("sts", "null", False), ("sts", "http://127.0.0.1.evil.example", False)),
        *(("dynamodb", ELSEWHERE, False), ("dynamodb", "null", False), ("iam", HERE, False), ("iam", ELSEWHERE, False)),
    ],
)
def test_the_other_services_answer_pages_of_this_machine(
    storage: Storage, service: str, origin: str, *, reads: bool
) -> None:
    forms = {
        "sts": {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": storage.role}
        | {"RoleSessionName": "page", "WebIdentityToken": "token"},
        "iam": {"Action": "DeleteRole", "Version": "2010-05-08", "RoleName": "Member"},
    }
    headers = {"Origin": origin}
    if service != "sts":
        headers["Authorization"] = SIGNED.format(storage.keys[0], service)
    if service == "dynamodb":
        told = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"}
        answer = requests.post(storage.url, "{}", headers=headers | told, timeout=30)
    else:
        answer = requests.post(storage.url, forms[service], headers=headers, timeout=30)

    assert answer.status_code == (200 if reads else 403), answer.text
    assert answer.headers.get("Access-Control-Allow-Origin") == (
        "*" if reads or (service == "iam" and origin == HERE) else None
    )


def test_programs_ask_every_service_by_any_keys(storage: Storage) -> None:
    """It enforces nothing, and says so; what it refuses are pages."""
    tables = client("dynamodb", storage.url, MADE_UP)
    resources.make_table(tables, "photos")
    tables.put_item(TableName="photos", Item={"identity_id": {"S": "ada"}, "key": {"S": "ü"}})

    assert tables.scan(TableName="photos")["Count"] == 1
    assert client("sts", storage.url, MADE_UP).get_caller_identity()["Account"]
    assert storage.anyones.get_object(Bucket=BUCKET, Key="ada.png")["ContentLength"] == 7
    with refused("NoSuchKey"):
        storage.anyones.get_object(Bucket=BUCKET, Key="missing")


@pytest.mark.usefixtures("untouched")
def test_motos_own_headers_count_for_nothing(storage: Storage) -> None:
    answer = storage.ask("GET", "/", by=storage.keys[0], x_moto_account_id="999999999999")

    assert f"<Name>{BUCKET}</Name>" in answer.text


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("length", "code"), [("5368709121", "EntityTooLarge"), ("-1", "BadRequest"), ("1e9", "BadRequest")]
)
def test_what_s3_finds_too_large_is_refused_before_it_is_read(storage: Storage, length: str, code: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(storage.url).port, timeout=30)
    connection.putrequest("PUT", f"/{BUCKET}/large")
    connection.putheader("Authorization", SIGNED.format(storage.keys[0], "s3"))
    connection.putheader("Content-Length", length)
    connection.endheaders()
    answer = connection.getresponse()

    assert answer.status == 400
    assert f"<Code>{code}</Code>" in answer.read().decode()
    connection.close()


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "body", [b"", b"--x", b"--x\r\n\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n"]
)
@pytest.mark.parametrize("boundary", ["x", ""])
def test_a_form_that_cannot_be_read_is_refused(storage: Storage, body: bytes, boundary: str) -> None:
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    answer = requests.post(f"{storage.url}/{BUCKET}", body, headers=kind, timeout=30)

    assert answer.status_code in {400, 403}
    assert "<Code>" in answer.text
