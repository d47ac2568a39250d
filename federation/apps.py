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
        from federation import logins, oidc, saml_applications, saml_provider, sts
        from federation.channels import eums, ses, smtp, sns
        from federation.social import amazon, apple, facebook, google
        from pools import ports
        from pools.services.messages import destinations, mailbox

        ports.credential_issuers.register(ports.STS, sts.SecurityTokenService())
        for provider, verifier in logins.VERIFIERS.items():
            ports.login_verifiers.register(provider, verifier)
        for protocol, issuers in logins.ISSUER_VERIFIERS.items():
            ports.issuer_verifiers.register(protocol, issuers)
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
        ports.application_protocols.register(ports.SAML, saml_applications.SamlApplications())
        channels: dict[str, ports.Channel] = {
            "smtp": smtp.Smtp(),
            "ses": ses.Ses(),
            "sns": sns.Sns(),
            "eums": eums.Eums(),
            destinations.CAPTURED: mailbox.Mailbox(),
        }
        for name, channel in channels.items():
            ports.channels.register(name, channel)
