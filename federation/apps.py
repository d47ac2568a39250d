"""Registers federation's answers to ``pools.ports``."""

from __future__ import annotations

from django.apps import AppConfig


class FederationConfig(AppConfig):
    """Federation as an app. It owns no tables."""

    name = "federation"
    label = "federation"
    verbose_name = "Federation"

    def ready(self) -> None:
        """Register who answers what pools ask of the outside."""
        from federation import logins, oidc, saml_applications, saml_provider
        from federation.social import amazon, apple, facebook, google
        from pools import ports
        from pools.services.messages import destinations, mailbox

        ports.credential_issuers.register_place(ports.STS, "federation.sts.SecurityTokenService")
        for provider, verifier in logins.VERIFIERS.items():
            ports.login_verifiers.register(provider, verifier)
        for protocol, issuers in logins.ISSUER_VERIFIERS.items():
            ports.issuer_verifiers.register(protocol, issuers)
        for protocol, assertions in logins.ASSERTION_VERIFIERS.items():
            ports.assertion_verifiers.register(protocol, assertions)
        kinds: tuple[ports.ProviderKind, ...] = (
            oidc.OpenIdConnect(),
            google.Google(),
            facebook.Facebook(),
            amazon.LoginWithAmazon(),
            apple.SignInWithApple(),
            saml := saml_provider.Saml(),
        )
        for kind in kinds:
            ports.provider_kinds.register(kind.about.type, kind)
        ports.sign_out_protocols.register(saml.about.type, saml)
        ports.application_protocols.register(ports.SAML_APPLICATIONS, saml_applications.SamlApplications())
        ports.channels.register(destinations.CAPTURED, mailbox.Mailbox())
        # By name alone: what they speak weighs some MiB, and most processes send nothing.
        channels = {
            "smtp": "federation.channels.smtp.Smtp",
            "ses": "federation.channels.ses.Ses",
            "sns": "federation.channels.sns.Sns",
            "eums": "federation.channels.eums.Eums",
        }
        for name, place in channels.items():
            ports.channels.register_place(name, place)
