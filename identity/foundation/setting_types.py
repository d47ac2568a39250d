"""Kinds of values that settings have: addresses, hosts, ports, bounded numbers. What each is for, the settings say."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from identity.foundation import addresses, origins, regions, server_urls

Endpoint = Annotated[str, AfterValidator(origins.endpoint)]
Host = Annotated[str, AfterValidator(origins.machine)]
Address = Annotated[str, AfterValidator(addresses.configured)]
Region = Annotated[str, Field(pattern=f"^{regions.PATTERN}$", max_length=regions.LONGEST)]
Port = Annotated[int, Field(ge=1, le=server_urls.HIGHEST_PORT)]
Count = Annotated[int, Field(le=1024)]
Days = Annotated[int, Field(le=36_500)]
Seconds = Annotated[int, Field(le=2_000_000)]  # PostgreSQL counts milliseconds in 32 bits
