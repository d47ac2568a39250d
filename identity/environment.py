"""Every setting: typed, with its default and one line of documentation.

The only reader of the environment. ``identity.settings`` makes Django's settings of it.
``docs/configuration.md`` is made from :class:`Environment`.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from identity.foundation import cores, openid_issuers, origins, server_urls
from identity.foundation.message_settings import MessageSettings
from identity.foundation.provider_settings import ProviderSettings
from identity.foundation.setting_files import FileSource
from identity.foundation.setting_types import Address, Count, Days, Endpoint, Host, OpenIdIssuers, Port, Region, Seconds

VAR = Path(__file__).resolve().parent.parent / "var"


class Environment(ProviderSettings, MessageSettings):
    """What the environment may say. Any ``NAME`` may also be given as ``NAME_FILE``, a path to its value."""

    model_config = SettingsConfigDict(env_prefix="", extra="ignore", case_sensitive=False, env_ignore_empty=True)

    mode: Literal["production", "development"] = Field(
        "production", description="`production` refuses to start with anything unsafe; `make run` sets `development`."
    )
    debug: bool = Field(False, description="Django's debug pages; refused in production.")
    demo: bool | None = Field(
        None, description="Sample pool, app and AWS endpoint. Default: on in development, never in production."
    )
    port: Port = Field(8000, description="HTTP port of `make run`.")
    tls_port: Port = Field(8443, description="HTTPS port of `make run`.")
    bind: Address = Field("127.0.0.1", description="Address that `make run` binds.")
    data_dir: Path = Field(VAR, description="Everything that the embedded services keep.")
    base_url: str = Field(
        "", description="The only source of issuer names and links. Default in development: `http://localhost:$PORT`."
    )
    console_url: str = Field(
        "", description="Where console and management API answer. Default: `BASE_URL`; its own origin in production."
    )
    region: Region = Field("us-east-1", description="Prefix of user pool ids.")
    account_id: str = Field("000000000000", pattern=r"^\d{12}$", description="Account number in ARNs.")
    database_url: Annotated[str, AfterValidator(server_urls.legible)] = Field(
        "",
        repr=False,
        description="PostgreSQL 15 or newer, as `postgresql://user:password@host:port/name?sslmode=verify-full`: as "
        "libpq reads it, with `%xx` for what a password has beside letters and digits. `tcp_user_timeout` is 15 s. A "
        "database of locale `C` knows no small letters beyond ASCII's, and finds people's names by those alone.",
    )
    web_database_url: Annotated[str, AfterValidator(server_urls.legible)] = Field(
        "",
        repr=False,
        description="The same with the web processes' own role, for `migrate` to make: it may change no audit row.",
    )
    database_prepares: bool = Field(
        True,
        description="Prepare the hot statements: planning is most of their cost. `false` behind a pooler that "
        "lends connections by the transaction and keeps none; PgBouncer does from 1.22 on.",
    )
    statement_seconds: Seconds = Field(
        30, ge=0, description="Longest statement and idle transaction, and a sixth more silence; 0 is no limit."
    )
    redis_url: Annotated[str, AfterValidator(server_urls.redis)] = Field(
        "",
        repr=False,
        description="Redis, as `redis://user:password@host:port/0`, `rediss://` with TLS, or `unix:///path`.",
    )
    redis_prefix: str = Field("cognate:", description="Put before each Redis key and before Celery's queue names.")
    secret_keys_file: Path | None = Field(
        None, description="Sealing keys with ids, newest first, a line each: `id base64-of-32-bytes`."
    )
    trusted_proxies: Annotated[list[IPv4Network | IPv6Network], NoDecode] = Field(
        [], description="Networks, comma-separated, whose X-Forwarded-For is believed."
    )
    web_workers: Count = Field(0, ge=0, description="Web processes; 0 is the number of usable cores.")
    web_threads: int = Field(24, ge=2, le=256, description="Threads of each web process.")
    web_nodes: Count = Field(1, ge=1, description="Machines running web processes, for the connection budget.")
    alive_file: Path | None = Field(
        None, description="Touched by a worker with each sweep, by beat with each task: for health checks."
    )
    worker_threads: Count = Field(
        8, ge=1, description="Threads of the Celery worker; bulk mail and housekeeping take a quarter each at most."
    )
    hash_waiters: Count = Field(12, ge=0, description="Password hashes that may wait in a process; more are refused.")
    hash_deadline: float = Field(1.0, gt=0, le=60, description="Seconds that a password hash may wait for its turn.")
    sts_endpoint_url: Endpoint = Field("", description="Where credentials come from. Unset: AWS.")
    sts_public_url: Endpoint = Field("", description="The STS as browsers reach it. Default: `STS_ENDPOINT_URL`.")
    guest_session_policy: Literal["aws", "s3", "off"] = Field(
        "aws", description="What guests are confined to in the enhanced flow: AWS's list of services, S3 only, nothing."
    )
    breached_passwords_url: Endpoint = Field(
        "",
        description="Where a new password is looked for among leaked ones: `https://api.pwnedpasswords.com/range`, or "
        "a copy of one's own (with its host in `OUTBOUND_PRIVATE_HOSTS`). Unset: nowhere.",
    )
    outbox_days: Days = Field(
        90, ge=31, description="Days that rows of sent messages stay, without content; they go by whole months."
    )
    sign_in_event_days: Days = Field(400, ge=31, description="Days that sign-in events stay; they go by whole months.")
    unknown_caller_audit_days: Days = Field(90, ge=1, description="Days that rows of unknown callers stay.")
    guest_days: Days = Field(90, ge=1, description="Days that guests of identity pools stay who never had credentials.")
    outbound_private: bool = Field(
        False, description="Allow outbound calls to private and loopback addresses; on in development."
    )
    outbound_private_hosts: Annotated[list[Host], NoDecode] = Field(
        [], description="Hosts, comma-separated, that outbound calls may reach at private addresses."
    )
    openid_providers: OpenIdIssuers = Field(
        {},
        description="OpenID providers whose people identity pools may take, by `OpenIdConnectProviderARNs`: "
        "`https://issuer=client_id,client_id`, with `;` or a line's end between two. ID tokens for other clients are "
        "refused. AWS: IAM OIDC identity providers.",
    )
    metrics_bind: Address = Field("", description="Client address that may read /metrics without being an operator.")
    metrics_dir: Path | None = Field(
        None, description="Folder in which a machine's processes count together; without it each counts for itself."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["json", "text"] = Field("json", description="Form of a log line; text in development.")
    wire_response_checks: bool = Field(False, description="Validate each wire answer by Amazon's model; on in tests.")

    @field_validator("trusted_proxies", "outbound_private_hosts", mode="before")
    @classmethod
    def split(cls, value: object) -> object:
        """Read a comma-separated list."""
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("openid_providers")
    @classmethod
    def others(cls, value: openid_issuers.Issuers, info: ValidationInfo) -> openid_issuers.Issuers:
        """Refuse issuers in the clear, and this installation's own, whose people identity pools take by another way."""
        base_url, region = info.data.get("base_url", ""), info.data.get("region", "")
        own = origins.canonical_or_as_given(base_url).partition("://")[2]
        for issuer in value:
            if issuer.startswith("http:") and not info.data.get("insecure_providers"):
                raise ValueError(f"{issuer} is not https")
            if f"{issuer.partition('://')[2]}/".startswith((f"{own}/", f"cognito-idp.{region}.amazonaws.com/")):
                raise ValueError(f"{issuer} is this installation's own: CognitoIdentityProviders name its user pools")
        return value

    @model_validator(mode="before")
    @classmethod
    def defaults_of_the_mode(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Fill in what development has by default."""
        if given.get("mode") == "development":
            port = given.get("port", 8000)
            given.setdefault("base_url", f"http://localhost:{port}")
            given.setdefault("messages", "captured")
            given.setdefault("demo", True)
            given.setdefault("outbound_private", True)
            given.setdefault("insecure_providers", True)
            given.setdefault("log_format", "text")
            given.setdefault("guest_session_policy", "s3")
        return given

    @model_validator(mode="after")
    def derived(self) -> Environment:
        """Fill in what follows from other settings."""
        self.data_dir = self.data_dir.resolve()
        self.base_url = origins.canonical_or_as_given(self.base_url)
        self.console_url = origins.canonical_or_as_given(self.console_url) or self.base_url
        self.demo = bool(self.demo) and self.mode == "development"
        self.web_workers = self.web_workers or cores.usable()
        self.secret_keys_file = self.secret_keys_file or self.data_dir / "secret_keys"
        self.sts_public_url = self.sts_public_url or self.sts_endpoint_url
        self.mail_channel = self.mail_channel or self.messages
        self.sms_channel = self.sms_channel or ("captured" if self.messages == "captured" else "none")
        self.ses_region = self.ses_region or self.region
        self.sns_region = self.sns_region or self.region
        self.eums_region = self.eums_region or self.region
        self.smtp_ehlo_name = self.smtp_ehlo_name or origins.ehlo_name(self.base_url)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read files named by ``NAME_FILE`` after the environment itself."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, FileSource(settings_cls, os.environ)


def configured() -> Environment:
    """Read the environment. What is wrong with it is one line, and the end of whatever reads it."""
    try:
        return Environment()  # type: ignore[call-arg]  # every field has its default
    except ValidationError as problem:
        # Neither the value nor what a check of pydantic's own says around it: it may be a password.
        first = problem.errors(include_input=False, include_url=False)[0]
        text = first["msg"].removeprefix("Value error, ")
        raise SystemExit(f"{str(first['loc'][0]).upper()}: {text}.") from None
    except SettingsError as problem:
        raise SystemExit(str(problem)) from None
