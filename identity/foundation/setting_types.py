"""Kinds of values that settings have: addresses, hosts, ports, bounded numbers. What each is for, the settings say."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from identity.foundation import addresses, openid_issuers, origins, regions, saml_issuers, server_urls

Endpoint = Annotated[str, AfterValidator(origins.endpoint)]
Host = Annotated[str, AfterValidator(origins.machine)]
Address = Annotated[str, AfterValidator(addresses.configured)]
Region = Annotated[str, Field(pattern=f"^{regions.PATTERN}$", max_length=regions.LONGEST)]
Port = Annotated[int, Field(ge=1, le=server_urls.HIGHEST_PORT)]
Count = Annotated[int, Field(le=1024)]
Days = Annotated[int, Field(le=36_500)]
OpenIdIssuers = Annotated[openid_issuers.Issuers, NoDecode, BeforeValidator(openid_issuers.read)]
SamlProviders = Annotated[saml_issuers.Providers, NoDecode, BeforeValidator(saml_issuers.read)]
Seconds = Annotated[int, Field(le=2_000_000)]  # PostgreSQL counts milliseconds in 32 bits
