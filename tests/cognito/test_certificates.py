"""GetSigningCertificate through boto3."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import NameOID

from identity.foundation import sealing
from pools.models import SigningCertificate
from pools.services import sealing_contexts
from tests.cognito.conftest import World


def test_a_pool_has_a_certificate_of_its_own_which_stays(new_world: Callable[..., World]) -> None:
    world, other = new_world(), new_world()

    def ask(of: World) -> str:
        found: str = of.idp.get_signing_certificate(UserPoolId=of.pool_id)["Certificate"]
        return found

    with ThreadPoolExecutor(4) as at_once:
        told = set(at_once.map(lambda _: ask(world), range(4)))

    assert told == {ask(world)}
    assert ask(other) not in told
    certificate = x509.load_der_x509_certificate(b64decode(told.pop(), validate=True))
    certificate.verify_directly_issued_by(certificate)
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == world.pool_id
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc > timedelta(days=3650)
    with world.live.orm():
        row = SigningCertificate.objects.get(pool__public_id=world.pool_id)
        assert sealing.unseal(row.sealed_private, place=sealing_contexts.certificate(row.id))
