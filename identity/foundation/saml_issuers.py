"""The SAML providers that an installation trusts for identity pools, as a setting gives them.

Asks nobody, reads no file, and knows nothing of who uses them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from identity.foundation import origins
from identity.foundation.openid_issuers import entries

ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:saml-provider/[A-Za-z0-9._-]{1,128}")
"""IAM's form (API_CreateSAMLProvider)."""
LONGEST_ARN: Final = 128
"""Characters: no login could name a longer one (Amazon's IdentityProviderName)."""
AUDIENCE: Final = "urn:amazon:webservices"
RECIPIENT: Final = "https://signin.aws.amazon.com/saml"
"""What identity providers tell AWS. AWS: Configure SAML assertions for the authentication response."""
WORD = re.compile(r"[\x21-\x7e]{1,1024}")


@dataclass(frozen=True, slots=True)
class SamlProvider:
    """A provider that this installation trusts, and for what."""

    metadata: str
    """Where its metadata are: an address, or the absolute path of a file."""
    audience: str = AUDIENCE
    """For whom its assertions are."""
    recipient: str = RECIPIENT
    """Where its responses are sent: the application's address (ACS)."""


Providers = dict[str, SamlProvider]
"""By ARN."""


def read(given: object) -> object:
    """Return :data:`Providers` of a text: ``arn=metadata,audience,recipient``, ``;`` or a line's end between two.

    Raises:
        ValueError: an entry cannot be read; it is named by its number, and not quoted.

    """
    if not isinstance(given, str):
        return given
    found: Providers = {}
    for number, entry in enumerate(entries(given), start=1):
        arn, _, described = entry.partition("=")
        arn = arn.strip()
        if not ARN.fullmatch(arn) or len(arn) > LONGEST_ARN:
            raise ValueError(f"entry {number} does not begin with the ARN of a SAML provider in IAM")
        if arn in found:
            raise ValueError(f"entry {number} is a provider that was named before")
        found[arn] = provider(number, described)
    return found


def provider(number: int, described: str) -> SamlProvider:
    """Return what an entry says of a provider. Raises ValueError as :func:`read`."""
    parts = [part.strip() for part in described.split(",")]
    if not 1 <= len(parts) <= len(SamlProvider.__slots__) or not all(map(WORD.fullmatch, parts)):
        raise ValueError(f"entry {number} is not arn=metadata or arn=metadata,audience,recipient")
    metadata = parts[0]
    if not metadata.startswith("/"):
        try:
            address = urlsplit(metadata)
            origins.canonical(f"{address.scheme}://{address.netloc}")
        except ValueError:
            raise ValueError(f"the metadata of entry {number} are neither an address nor an absolute path") from None
    return SamlProvider(*parts)
