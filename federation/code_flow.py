"""Signing in at a provider by an authorization code (RFC 6749 4.1): what all kinds of providers have in common.

A kind says what differs. Whom of ours somebody is, and what is shown to them, is asked elsewhere.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote

from federation import answers, token_requests
from federation.details import Details, Table
from federation.discovery import checked
from federation.published import Published
from federation.token_requests import Client, Tokens
from identity.foundation import outbound
from identity.foundation.errors import DomainError
from pools.ports import NO_WISHES, ExternalIdentity, OurSide, ProviderDocument, UpstreamRedirect, UpstreamWishes
from pools.ports.kinds import About

TOTAL = 5.0
"""Seconds that everything may take which is asked of a provider when somebody comes back."""


@dataclass(frozen=True, slots=True)
class Trip:
    """Somebody who came back, and the tokens that their code was traded for."""

    details: Details
    tokens: Tokens
    nonce: str = field(repr=False)
    answer: Mapping[str, str] = field(repr=False)
    wanted: Collection[str]
    """Claims that the pool has a use for."""


class CodeFlow(ABC):
    """A kind of provider."""

    about: ClassVar[About]
    table: ClassVar[Table]
    has_nonce: ClassVar[bool] = False
    """Its ID tokens name the trip."""
    has_verifier: ClassVar[bool] = True
    """It takes the proof of RFC 7636 that whoever redeems a code began the trip."""
    understands: ClassVar[tuple[str, ...]] = ()
    """Which wishes it takes."""

    def problems(self, details: Mapping[str, str]) -> Iterator[DomainError]:
        """Yield all that is wrong with details as they are given."""
        yield from self.table.problems(details)

    def check_details(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return a provider's details, completed.

        Raises:
            Invalid: they cannot be right.

        """
        return self.table.completed(details)

    def fetch(self, details: Mapping[str, str], *, in_job: bool = False) -> Mapping[str, str]:
        """Return nothing: what is published is held by the process that read it."""
        del details, in_job
        return {}

    def told(self, details: Mapping[str, str], ours: OurSide) -> Mapping[str, str]:
        """Return nothing: its details are all that there is."""
        del details, ours
        return {}

    def introduce(self, ours: OurSide) -> bytes:
        """Return nothing: a client is registered by hand."""
        del ours
        return b""

    def start(
        self, details: Mapping[str, str], ours: OurSide, *, state: str, wishes: UpstreamWishes = NO_WISHES
    ) -> UpstreamRedirect:
        """Return the way to the provider. Raises as :meth:`pools.ports.ProviderKind.start`."""
        verifier = secrets.token_urlsafe(48) if self.has_verifier else ""
        nonce = secrets.token_urlsafe(24) if self.has_nonce else ""
        session = token_requests.session(
            client_id=details["client_id"], redirect_uri=ours.callback, code_challenge_method="S256"
        )
        url, _ = session.create_authorization_url(
            self.address(details["authorize_url"]),
            state=state,
            scope=self.scope(details),
            code_verifier=verifier,
            **({"nonce": nonce} if nonce else {}),
            **self.more(details),
            **self.wishes(wishes),
        )
        promised = {"tells_issuer": "yes"} if self.tells_issuer(details) else {}
        kept = {"verifier": verifier, "nonce": nonce, **promised}
        return UpstreamRedirect(url, {name: value for name, value in kept.items() if value})

    def leave(self, details: Mapping[str, str], ours: OurSide, *, state: str, session: Mapping[str, str]) -> str:
        """Return where somebody signs out of the provider: there is no such place, unless a kind says so."""
        del details, ours, state, session
        return ""

    def finish(
        self,
        details: Mapping[str, str],
        ours: OurSide,
        redirect: UpstreamRedirect,
        answer: Mapping[str, str],
        *,
        wanted: Collection[str] = (),
    ) -> ExternalIdentity:
        """Return who came back, within :data:`TOTAL` seconds. Raises as :meth:`pools.ports.ProviderKind.finish`."""
        kept = redirect.kept
        code = answers.code(answer, issuers=self.issuers(details), must_tell="tells_issuer" in kept)
        with outbound.within(TOTAL):
            tokens = token_requests.redeem(
                self.address(details["token_url"]),
                Client(details["client_id"], self.secret(details), ours.callback),
                code,
                verifier=kept.get("verifier", ""),
                method=details.get("token_request_method", "POST"),
                error_of=self.error_of,
            )
            return self.identify(Trip(details, tokens, kept.get("nonce", ""), answer, wanted))

    def documents(self, details: Mapping[str, str]) -> Sequence[ProviderDocument]:
        """Return what this process knows of what the provider publishes."""
        return [document(what, url, held) for what, url, held in self.published(details)]

    def read_documents(self, details: Mapping[str, str]) -> Sequence[ProviderDocument]:
        """Ask for what the provider publishes, within :data:`TOTAL` seconds. Raises Overloaded."""
        with outbound.within(TOTAL):
            for _, url, held in self.published(details):
                held.ask(url)
        return self.documents(details)

    @abstractmethod
    def identify(self, trip: Trip) -> ExternalIdentity:
        """Return whom tokens are about. Raises as :meth:`finish`."""

    def address(self, url: str) -> str:
        """Return where a configured URL of the provider is asked for.

        Raises:
            OutsideUnavailable: it is not https, and the installation wants that.

        """
        return self.place(checked(url))

    # -- what differs between kinds ----------------------------------------------------------------------------------

    def place(self, url: str) -> str:
        """Return where a URL of the provider is: there, unless tests have a copy."""
        return url

    def scope(self, details: Details) -> str:
        """Return the scopes as the provider reads them."""
        return details["authorize_scopes"]

    def more(self, details: Details) -> Mapping[str, str]:
        """Return further parameters of the way there."""
        del details
        return {}

    def secret(self, details: Details) -> str:
        """Return our secret at the provider; empty where we have none."""
        return details.get("client_secret", "")

    def issuers(self, details: Details) -> Collection[str]:
        """Return what the provider may call itself; nothing where it has no name."""
        del details
        return ()

    def published(self, details: Details) -> Iterator[tuple[str, str, Published[Any]]]:
        """Yield what is read of the provider ahead of time: what it is, its address and who holds it."""
        del details
        yield from ()

    def tells_issuer(self, details: Details) -> bool:
        """Say whether the provider promises to name itself in its answers (RFC 9207)."""
        del details
        return False

    def error_of(self, told: token_requests.Told) -> tuple[str, str]:
        """Return the error in a token endpoint's answer, and its description."""
        return token_requests.error_of(told)

    def wishes(self, wishes: UpstreamWishes) -> dict[str, str]:
        """Return the parameters that hand on what is wished for."""
        given = {name: getattr(wishes, name) for name in self.understands}
        return {
            name: value for name, value in given.items() if value and not (name == "prompt" and "none" in value.split())
        }


def document(what: str, url: str, held: Published[Any]) -> ProviderDocument:
    """Return how reading what a provider publishes went lately."""
    state = held.state(url)
    return ProviderDocument(
        what, url, state.read_at, state.failed_at, problem=state.problem, parameters=state.parameters
    )


def attributes_url(details: Details, names: Collection[str]) -> str:
    """Return where a provider tells of a person: these names are put at its end, if its details say so."""
    added = names if details.get("attributes_url_add_attributes") == "true" else ()
    return details["attributes_url"] + ",".join(quote(name, safe="") for name in added)
