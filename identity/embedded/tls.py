"""A certificate authority of this machine's own, and the certificate that ``make run`` serves HTTPS with.

The authority can sign for ``localhost`` and the loopback addresses alone (name constraints), so that trusting
it in a browser gives nobody power over other sites.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from identity.foundation import clock

NAMES = ("localhost", "auth.localhost", "*.auth.localhost")
ADDRESSES = ("127.0.0.1", "::1")
AUTHORITY_LIVES = timedelta(days=3650)
CERTIFICATE_LIVES = timedelta(days=397)
RENEW_BEFORE = timedelta(days=30)


class Files(NamedTuple):
    """Where everything is kept."""

    authority: Path
    authority_key: Path
    certificate: Path
    key: Path


def files(data_dir: Path) -> Files:
    """Return the places in a data folder."""
    folder = data_dir / "tls"
    return Files(data_dir / "ca.pem", folder / "ca.key", folder / "server.pem", folder / "server.key")


def prepare(data_dir: Path) -> Files:
    """Make the authority and the certificate where they are missing or end soon."""
    kept = files(data_dir)
    kept.key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    renewed = False
    if not (kept.authority_key.exists() and lasts(kept.authority)):
        make_authority(kept)
        renewed = True
    if renewed or not (kept.key.exists() and lasts(kept.certificate)):
        make_certificate(kept)
    return kept


def lasts(path: Path) -> bool:
    """Say whether the certificate is there and stays good for a while."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return False
    return certificate.not_valid_after_utc - RENEW_BEFORE > clock.now()


def make_authority(kept: Files) -> None:
    """Write a new authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Cognate local authority")])
    constraints = x509.NameConstraints(
        permitted_subtrees=[x509.DNSName("localhost"), *(x509.IPAddress(ip_network(address)) for address in ADDRESSES)],
        excluded_subtrees=None,
    )
    certificate = (
        draft(name, name, key.public_key(), clock.now() + AUTHORITY_LIVES)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(constraints, critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_key(kept.authority_key, key)
    kept.authority.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def make_certificate(kept: Files) -> None:
    """Write a new certificate, signed by the authority."""
    authority = x509.load_pem_x509_certificate(kept.authority.read_bytes())
    authority_key = serialization.load_pem_private_key(kept.authority_key.read_bytes(), password=None)
    if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
        raise TypeError("The local authority's key is not of the kind that it was made of.")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [*map(x509.DNSName, NAMES), *(x509.IPAddress(ip_address(address)) for address in ADDRESSES)]
    certificate = (
        draft(name, authority.subject, key.public_key(), clock.now() + CERTIFICATE_LIVES)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    write_key(kept.key, key)
    kept.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def draft(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, until: datetime
) -> x509.CertificateBuilder:
    """Return a certificate with all but its extensions."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # A day back: clocks of browsers in other virtual machines differ.
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(until)
    )


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """Return what the key is for."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a private key that its owner alone may read."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
