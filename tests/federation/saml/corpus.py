"""Every response that tests of the rules make, genuine and forged, for tests that ask something of all of them.

Each is made anew when it is asked for: they are of this moment. What our reader has to say of each is the tests' own,
beside which the tables stand.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from federation.saml import encryption, signatures
from tests.federation.saml import (
    test_encryption,
    test_forged_responses,
    test_response_rules,
    test_responses,
    test_signatures,
)
from tests.federation.saml import test_signature_wrapping as wrapping
from tests.federation.saml.encryptor import CBC, GCM, Encryptor
from tests.federation.saml.identity_provider import (
    Edit,
    Element,
    IdentityProvider,
    certificate,
    ec_key,
    posted,
    rsa_key,
)
from tests.federation.saml.reader import NOBODYS, UNASKED

Made = Element | bytes | str | IdentityProvider


@dataclass(frozen=True)
class Message:
    """A response, and what is expected otherwise than usual where it comes."""

    name: str
    """Its group, and its number: for whoever reads that a test failed."""
    make: Callable[[], Made]
    expected: Mapping[str, Any] = field(default_factory=dict)

    def answer(self) -> str:
        """Return the form field that a browser brings."""
        made = self.make()
        root = made.response() if isinstance(made, IdentityProvider) else made
        return root if isinstance(root, str) else posted(root)


def edited(edit: Edit) -> Callable[[], Element]:
    """Return what makes a response that was edited after it was signed."""

    def make() -> Element:
        root = IdentityProvider().response()
        edit(root)
        return root

    return make


def wrapped(wrap: Callable[[Element], Element], signed: str = "assertion") -> Callable[[], Element]:
    """Return what makes a response in which what was signed stands elsewhere."""
    return lambda: wrap(IdentityProvider(signs=(signed,)).response())


def constant(made: Made) -> Callable[[], Made]:
    """Return what makes one message."""
    return lambda: made


def called(function: Callable[..., bytes], *arguments: str) -> Callable[[], bytes]:
    """Return what makes a message by arguments."""
    return lambda: function(*arguments)


def genuine() -> Iterator[IdentityProvider]:
    """Yield what issues responses as they should be, each in another way."""
    encryptors = [Encryptor(method=method, transport=encryption.TRANSPORT) for method in (GCM, CBC)]
    for signs in test_responses.SIGNED:
        yield IdentityProvider(signs=signs)
        yield IdentityProvider(signs=signs, prefixes=["samlp", "saml"])
        yield from (IdentityProvider(signs=signs, encrypt=encryptor) for encryptor in encryptors)
    for method in sorted(encryption.SIZES):
        yield IdentityProvider(encrypt=Encryptor(method=method, beside=True))
    for transport, digest in itertools.product(
        (encryption.TRANSPORT_MGF1_SHA1, encryption.TRANSPORT), ("", *encryption.DIGESTS)
    ):
        yield IdentityProvider(encrypt=Encryptor(transport=transport, digest=digest))
    yield from (IdentityProvider(before=edit) for edit in test_responses.UNUSUAL)


Group = tuple[str, Callable[[], Made]]
"""What a message belongs to, and what makes it."""


def edited_afterwards() -> Iterator[Group]:
    """Yield what was signed once, and changed then."""
    cases = (*test_forged_responses.SIGNED_INFOS, *test_forged_responses.COSTLY, *test_signatures.CASES)
    secrets = map(test_forged_responses.by_secret, test_forged_responses.PUBLIC)
    edits = (*test_forged_responses.EDITS, *test_forged_responses.STORMS, *secrets)
    yield from (("the signature", edited(edit)) for edit, _ in cases)
    yield from (("after it was signed", edited(edit)) for edit in edits)


def other_documents() -> Iterator[Group]:
    """Yield what readers of XML read differently, and what is none."""
    module = test_forged_responses
    yield from (("void", called(module.void, path)) for path in module.VOID)
    for node, place in itertools.product(module.NODES, module.PLACES):
        yield "a name in parts", called(module.in_parts, node, place)
    for encoding, doctype, reference in itertools.product(module.UNICODE, module.DOCTYPES, ("", "&x;")):
        yield "a DOCTYPE", called(module.encoded, encoding, doctype, reference)
    yield from (("an encoding", called(module.encoded, encoding)) for encoding in module.ENCODINGS)
    yield from (("no response", constant(answer)) for answer, _ in module.NOTHING)


def moved() -> Iterator[Group]:
    """Yield what has its signed part elsewhere."""
    for signed, wrap, _ in wrapping.WRAPPED:
        yield from (("wrapped", wrapped(wrap(same_id), signed)) for same_id in (False, True))
    yield from (("at another place", wrapped(wrap)) for wrap, _ in wrapping.MISPLACED)


def by_a_provider() -> Iterator[Group]:
    """Yield what was signed as it is: by somebody else, by something weak, or by the provider, of something else."""
    yield from (("weak", constant(provider)) for provider, _ in test_forged_responses.WEAK)
    for edit, _ in test_response_rules.UNSIGNABLE:
        yield "by the provider, the response signed", constant(IdentityProvider(signs=("response",), before=edit))
    for edit, _ in test_response_rules.CASES:
        yield "by the provider", constant(IdentityProvider(before=edit))
        yield "by the provider, encrypted", constant(IdentityProvider(before=edit, encrypt=Encryptor()))
    refused = (*test_encryption.CASES, *test_responses.DECRYPTED)
    for encryptor in (*test_encryption.UNDECRYPTABLE, *(encryptor for encryptor, _ in refused)):
        yield "encrypted in another way", constant(IdentityProvider(encrypt=encryptor))


def elsewhere() -> Iterator[Message]:
    """Yield messages of which something else is expected than usual."""
    yield Message("nobody asked", constant(IdentityProvider(before=UNASKED)), NOBODYS)
    yield Message("nobody asked, and it says so", constant(IdentityProvider()), NOBODYS)
    yield Message("clear, where it must be encrypted", constant(IdentityProvider()), {"must_be_encrypted": True})
    several = {"certificates": [certificate(ec_key()), certificate(rsa_key(), years=(2001, 2002))]}
    yield Message("by the second certificate", constant(IdentityProvider()), several)
    for method in sorted(signatures.METHODS, key=str):
        key = ec_key() if method.name.startswith("ECDSA") else rsa_key()
        own = {"certificates": [certificate(key)]}
        yield Message(method.name, constant(IdentityProvider(key=key, method=method)), own)


def messages() -> Iterator[Message]:
    """Yield all of them."""
    yield from (Message(f"genuine {number}", constant(each)) for number, each in enumerate(genuine()))
    groups = itertools.chain(edited_afterwards(), other_documents(), moved(), by_a_provider())
    yield from (Message(f"{group} {number}", make) for number, (group, make) in enumerate(groups))
    yield from elsewhere()
