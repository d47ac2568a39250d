"""Addresses in settings go through real parsers, and no message about them tells a password."""

from __future__ import annotations

import runpy
from types import SimpleNamespace
from typing import Any

import pytest
from kombu import Connection
from kombu.transport.redis import Channel
from redis.connection import parse_url

from identity import broker
from identity.environment import Environment, configured
from identity.foundation import origins, server_urls
from identity.settings import BASE_DIR

SECRET = "hunter2"


def told(**given: Any) -> Environment:
    """Return the settings of an environment that says this beside the tests' own."""
    return Environment(**given)


WATCHED = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 15_000}
OURS = "-c statement_timeout=30000 -c idle_in_transaction_session_timeout=30000"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", {"HOST": "localhost", "NAME": "cognate", "USER": "", "PASSWORD": "", "PORT": ""}),
        ("postgresql://u:p@db:5433/name", {"HOST": "db", "PORT": "5433", "NAME": "name", "USER": "u", "PASSWORD": "p"}),
        ("postgres://u@db", {"HOST": "db", "NAME": "cognate", "USER": "u", "PASSWORD": ""}),
        ("postgresql://u:p#q@db/n", {"PASSWORD": "p#q", "HOST": "db", "NAME": "n"}),
        ("postgresql://u:p%23q%2Fr%40s%3At%3Fu%25%20@db/n", {"PASSWORD": "p#q/r@s:t?u% ", "HOST": "db"}),
        ("postgresql://a%40b:p:q?r@db/n", {"USER": "a@b", "PASSWORD": "p:q?r", "HOST": "db"}),
        ("postgresql://u:p+q@db/n%20m", {"PASSWORD": "p+q", "NAME": "n m"}),
        ("postgresql://u:p@%2Fvar%2FRun%2FPostgreSQL/n", {"HOST": "/var/Run/PostgreSQL", "PORT": ""}),
        ("postgresql://u:p@/n?host=/My%20projects%20%C3%A9/s", {"HOST": "/My projects \u00e9/s"}),
        ("postgresql://u:p@[2001:db8::1]:5432/n", {"HOST": "2001:db8::1", "PORT": "5432"}),
        ("postgresql://u:p@a:1,[::1]:2,/n", {"HOST": "a,::1,", "PORT": "1,2,"}),
    ],
)
def test_a_database_is_read_as_libpq_reads_it(url: str, expected: dict[str, str]) -> None:
    found = server_urls.database(url, 30)

    assert {name: found[name] for name in expected} == expected
    assert found["OPTIONS"] == {"prepare_threshold": None, "connect_timeout": 5, **WATCHED, "options": OURS}


def test_a_connection_that_prepares_plans_once_for_any_parameters() -> None:
    options = server_urls.database("postgresql://u:p@db/n", 30, prepares=True)["OPTIONS"]

    assert options["options"] == f"{OURS} -c plan_cache_mode=force_generic_plan"
    assert options["prepare_threshold"] is None  # of Django's own statements


def test_options_of_a_database_reach_it_and_none_makes_a_transaction_endless() -> None:
    url = (
        "postgresql://u:p@db/n?sslmode=verify-full&connect_timeout=3&target_session_attrs=read-write"
        "&tcp_user_timeout=9000&options=-c%20search_path%3Dours%20-c%20statement_timeout%3D0"
    )

    options = server_urls.database(url, 30)["OPTIONS"]

    assert options == {
        "prepare_threshold": None,
        "connect_timeout": "3",
        **WATCHED,
        "tcp_user_timeout": "9000",
        "sslmode": "verify-full",
        "target_session_attrs": "read-write",
        "options": f"-c search_path=ours -c statement_timeout=0 {OURS}",  # of two the last holds
    }


@pytest.mark.parametrize(("longest", "silent"), [(0, 0), (1, 2), (30, 35), (600, 700)])
def test_a_silent_database_is_waited_for_a_little_longer_than_a_statement_may_take(longest: int, silent: int) -> None:
    assert server_urls.database("", longest)["SILENT_SECONDS"] == silent


@pytest.mark.parametrize("name", ["DATABASE_URL", "WEB_DATABASE_URL"])
@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{SECRET}@{SECRET}@db/n",
        f"postgresql://u:{SECRET}/{SECRET}@db/n",
        f"postgresql://u:1/{SECRET}@db/n",
        f"postgresql://u:{SECRET}%zz@db/n",
        f"postgresql://u:{SECRET} x@db/n",
        f"postgresql://u:{SECRET}@db:port/n",
        f"postgresql://u:{SECRET}@db:70000/n",
        f"postgresql://u:{SECRET}@[::1/n",
        f"postgresql://u:{SECRET}@db/n?unheard={SECRET}",
        f"mysql://u:{SECRET}@db/n",
        f"host=db password={SECRET}",
    ],
)
def test_what_no_database_has_is_one_line_without_any_of_it(
    name: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, url)

    with pytest.raises(SystemExit) as refused:
        configured()

    assert str(refused.value).startswith(f"{name}: ")
    assert len(str(refused.value).splitlines()) == 1
    assert SECRET not in str(refused.value)
    assert refused.value.__suppress_context__


NO_ENDPOINT = [
    f"https://u:{SECRET}@sts.example",
    f"https://sts.example/?{SECRET}",
    f"https://sts.example/#{SECRET}",
    f"https://sts.example:{SECRET}",
    f"https://{SECRET} .example",
    f"https://{SECRET}..example",
    f"{SECRET}.example",
    f"ftp://{SECRET}.example",
    "https://sts.example:70000",
    "https://sts.example:0",
    "https://[::1",
    "https://",
]
NO_HOST = [
    f"smtp://{SECRET}",
    f"{SECRET}:587",
    f"u@{SECRET}",
    f"{SECRET} x",
    f"{SECRET}..example",
    "[::1]",
    "1.2.3.400",
]
NO_NUMBER = ["0x1", "1.5", "-1", "99999999999", SECRET, "1e400", "nan", "inf"]
PORTS = ["0", "65536"]
WRONG = {
    **dict.fromkeys(
        ("STS_ENDPOINT_URL", "STS_PUBLIC_URL", "BREACHED_PASSWORDS_URL", "SOCIAL_PROVIDERS_URL"), NO_ENDPOINT
    ),
    "OPENID_PROVIDERS": [
        SECRET,
        f"{SECRET}=x",
        f"https://user:{SECRET}@id.example=x",
        f"https://id.example={SECRET} x",
    ],
    "SAML_PROVIDERS": [
        SECRET,
        f"{SECRET}=x",
        f"arn:aws:iam::000000000000:saml-provider/x={SECRET}",
        f"arn:aws:iam::000000000000:saml-provider/x=https://user:{SECRET}@idp.example/",
        f"arn:aws:iam::000000000000:saml-provider/x=/idp.xml,{SECRET} x",
    ],
    **dict.fromkeys(("SES_ENDPOINT_URL", "SNS_ENDPOINT_URL", "EUMS_ENDPOINT_URL", "SNS_STS_ENDPOINT_URL"), NO_ENDPOINT),
    "SOCIAL_PROVIDERS_URL": NO_ENDPOINT,
    **{name: [SECRET, "us-east-1.example"] for name in ("SES_REGION", "SNS_REGION", "EUMS_REGION")},
    **{name: [f"{SECRET} x"] for name in ("EUMS_ORIGINATION_IDENTITY", "EUMS_CONFIGURATION_SET")},
    "SMTP_HOST": NO_HOST,
    "OUTBOUND_PRIVATE_HOSTS": [f"good.example,{host}" for host in NO_HOST],
    **{name: [*NO_HOST, "localhost", "10.0.0.0/8"] for name in ("BIND", "METRICS_BIND")},
    "TRUSTED_PROXIES": ["10.0.0.1/8", f"10.0.0.0/8,{SECRET}", "10.0.0.0/33"],
    "SMTP_EHLO_NAME": [f"{SECRET}/x", "two words"],
    "REDIS_URL": [f"redis://:{SECRET}/{SECRET}@db", f"redis://:{SECRET}@db:port", f"http://{SECRET}"],
    **{name: [*NO_NUMBER, *PORTS] for name in ("PORT", "TLS_PORT", "SMTP_PORT")},
    **{
        name: ["no", *NO_NUMBER]
        for name in map(str.upper, Environment.model_fields)
        if name.endswith(("_DAYS", "_SECONDS", "_WORKERS", "_THREADS", "_NODES", "_WAITERS"))
    },
    "HASH_DEADLINE": ["0", "-1", "1e400", "nan", "inf", SECRET],
    "REGION": [SECRET],
    "ACCOUNT_ID": [SECRET, "1"],
    "MODE": [SECRET],
    "SMTP_SECURITY": [SECRET],
    "DEBUG": [SECRET],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_setting_cannot_be_is_one_line_with_its_name_and_no_secret(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in WRONG[name]:
        monkeypatch.setenv(name, value)

        with pytest.raises(SystemExit) as refused:
            configured()

        said = str(refused.value)
        assert said.startswith(f"{name}: "), value
        assert len(said.splitlines()) == 1
        assert SECRET not in said
        assert refused.value.__suppress_context__


def test_a_folder_that_cannot_be_made_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_DIR", "/dev/null/metrics")

    with pytest.raises(SystemExit) as refused:
        runpy.run_path(str(BASE_DIR / "identity" / "settings.py"))

    assert str(refused.value) == "METRICS_DIR: /dev/null/metrics cannot be made: Not a directory."


def test_every_setting_that_is_an_address_or_a_number_is_in_the_table() -> None:
    kinds = ("_URL", "_HOST", "_HOSTS", "PORT", "BIND", "_PROXIES", "_NAME")
    numbers = {name.upper() for name, field in Environment.model_fields.items() if field.annotation in {int, float}}
    named = {name for name in map(str.upper, Environment.model_fields) if name.endswith(kinds)}
    elsewhere = {"BASE_URL", "CONSOLE_URL", "DATABASE_URL", "WEB_DATABASE_URL"}

    assert (named | numbers) - elsewhere <= set(WRONG)


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("sts_endpoint_url", "HTTPS://STS.Example.com.:443/", "https://sts.example.com"),
        ("sts_endpoint_url", "http://10.0.0.1:8080/sts/v1/", "http://10.0.0.1:8080/sts/v1"),
        ("sts_public_url", "https://[::1]:8443", "https://[::1]:8443"),
        ("breached_passwords_url", "https://b\u00fccher.example/Range/", "https://xn--bcher-kva.example/Range"),
        ("smtp_host", "Mail.Example.com.", "mail.example.com"),
        ("smtp_host", "::1", "::1"),
        ("smtp_host", "mail_1", "mail_1"),
        (
            "outbound_private_hosts",
            " Search.Internal , 2001:DB8::1,10.0.0.1",
            ["search.internal", "2001:db8::1", "10.0.0.1"],
        ),
        ("bind", "0.0.0.0", "0.0.0.0"),
        ("metrics_bind", "::ffff:10.0.0.1", "10.0.0.1"),
    ],
)
def test_an_address_of_a_setting_has_one_form(name: str, given: str, kept: object) -> None:
    assert getattr(told(**{name: given}), name) == kept


REDIS = [
    ("redis://db:1234/2", {"host": "db", "port": 1234, "db": 2}),
    ("redis://db", {"host": "db", "port": 6379}),
    ("redis://[::1]:6379/0", {"host": "::1", "port": 6379, "db": 0}),
    ("redis://:p#q@db/0", {"host": "db", "password": "p#q"}),
    ("redis://u:p%23%2F%40%3A%25@db/0", {"host": "db", "username": "u", "password": "p#/@:%"}),
    ("rediss://:p@db:1/0", {"host": "db", "password": "p"}),
    ("unix:///My projects \u00e9/#1/redis.sock", {"path": "/My projects \u00e9/#1/redis.sock"}),
    ("unix://u:p%2F@/run/100%25.sock?db=3", {"path": "/run/100%.sock", "username": "u", "password": "p/", "db": 3}),
]


@pytest.mark.parametrize(("url", "expected"), REDIS)
def test_redis_is_the_same_to_its_client_and_to_celery(url: str, expected: dict[str, object]) -> None:
    made = server_urls.redis(url)

    found = parse_url(made)  # type: ignore[no-untyped-call]
    # What Celery's transport would connect to, without connecting.
    with Connection(server_urls.celery(made), ssl=broker.tls(made) or False) as connected:
        channel = object.__new__(Channel)
        channel.connection = SimpleNamespace(client=connected, default_port=6379)  # type: ignore[assignment]
        theirs = channel._connparams()  # type: ignore[attr-defined]

    assert {name: found.get(name) for name in expected} == expected
    assert {name: theirs.get(name) for name in expected if name != "db"} == {
        name: value for name, value in expected.items() if name != "db"
    }
    assert int(theirs["db"]) == expected.get("db", 0)
    # Kombu's own default is to believe any certificate.
    assert url.startswith("rediss") is (str(theirs.get("ssl_cert_reqs")) == "2")


def test_no_password_is_in_what_settings_say_of_themselves() -> None:
    made = told(
        database_url=f"postgresql://u:{SECRET}@db/n",
        web_database_url=f"postgresql://w:{SECRET}@db/n",
        redis_url=f"redis://:{SECRET}@db",
        smtp_password=SECRET,
    )

    assert SECRET not in repr(made)
    assert SECRET not in str(made)


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://name:443", "https://name"),
        ("http://name:80/", "http://name"),
        ("https://name:80", "https://name:80"),
        ("HTTPS://ID.Example.COM.:8443/", "https://id.example.com:8443"),
        ("https://b\u00fccher.example", "https://xn--bcher-kva.example"),
        ("https://B\u00dcCHER.example:443", "https://xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://[2001:DB8:0:0::1]:443", "https://[2001:db8::1]"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://web_1", "https://web_1"),
    ],
)
def test_an_origin_has_one_form_in_issuers_links_and_hosts(given: str, origin: str) -> None:
    made = told(base_url=given, console_url=given)

    assert (made.base_url, made.console_url) == (origin, origin)
    assert origins.of(f"{origin}/some/page?with=query#and") == origin


def test_what_is_no_origin_is_left_for_the_checks_to_name() -> None:
    assert told(base_url="https://exa mple").base_url == "https://exa mple"
    assert [origins.of(url) for url in ("null", "", "https://", "https://[::1", "//x", "https://a:b")] == [""] * 6


@pytest.mark.parametrize(
    ("base_url", "given", "greeting"),
    [
        ("https://id.example.com:8443", "", "id.example.com"),
        ("https://b\u00fccher.example", "", "xn--bcher-kva.example"),
        ("https://192.0.2.1", "", "[192.0.2.1]"),
        ("https://[2001:db8::1]:8443", "", "[IPv6:2001:db8::1]"),
        ("", "", ""),
        ("https://id.example.com", "mail.example.org", "mail.example.org"),
    ],
)
def test_mail_servers_are_greeted_by_the_name_in_the_settings(base_url: str, given: str, greeting: str) -> None:
    assert told(base_url=base_url, smtp_ehlo_name=given).smtp_ehlo_name == greeting
