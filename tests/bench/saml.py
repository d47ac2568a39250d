"""What SAML costs: a response read, plain and encrypted, an assertion issued; and a federation's metadata.

By themselves, in this process, as bare arithmetic is. ``python -m tests.bench.saml`` measures these alone.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.bench.figures import Bare, bare

ENTITIES = 5000


class Row(NamedTuple):
    """A piece of work, and how many milliseconds of a core it should take at most."""

    measured: Bare
    reach: float


def rows() -> Iterator[Row]:
    """Measure each."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "identity.settings")
    os.environ.setdefault("MODE", "development")
    django.setup()
    from federation.saml import aggregates, apart, responses
    from tests.federation.saml import encryptor, issuer
    from tests.federation.saml.identity_provider import IdentityProvider, posted, rsa_key
    from tests.federation.saml.reader import expected

    signed = posted(IdentityProvider(signs=("assertion", "response")).response())
    encrypted = posted(IdentityProvider(encrypt=encryptor.Encryptor(), signs=("assertion", "response")).response())
    keys = [rsa_key(encryptor.OURS)]
    metadata = federation()
    work: list[tuple[str, Callable[[], object], float]] = [
        ("SAML response, signed", lambda: apart.run(lambda: responses.read(signed, expected())), 8),
        (
            "SAML response, signed and encrypted",
            lambda: apart.run(lambda: responses.read(encrypted, expected(keys=keys))),
            15,
        ),
        ("SAML assertion issued", issuer.issued, 5),
        (
            f"SAML metadata of {ENTITIES:,} entities, a job's",
            lambda: apart.run(lambda: aggregates.find(io.BytesIO(metadata), "https://idp2500.example")),
            1000,
        ),
    ]
    for name, one, reach in work:
        yield Row(bare(name, one), reach)


def federation() -> bytes:
    """Return the metadata of many identity providers."""
    from tests.hosted.saml_upstream import SamlProvider

    one = SamlProvider(entity_id="https://idp.example").metadata
    each = "".join(one.replace("https://idp.example", f"https://idp{number}.example") for number in range(ENTITIES))
    around = "md:EntitiesDescriptor"
    return f'<{around} xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{each}</{around}>'.encode()


def tell(row: Row) -> str:
    """Return a line of the report."""
    spent, missed = row.measured.milliseconds, "  MISSED" if row.measured.milliseconds > row.reach else ""
    return f"{row.measured.name:<44}{spent:>6.1f} ms of a core (reach {row.reach:.0f} ms){missed}"


if __name__ == "__main__":
    for found in rows():
        print(tell(found), flush=True)
