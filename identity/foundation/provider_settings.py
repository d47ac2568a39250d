"""The settings of whom an installation trusts to sign people in.

OpenID providers are not here: ``identity.environment`` compares them with the installation's own addresses.
"""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from identity.foundation import saml_issuers
from identity.foundation.setting_types import Endpoint, SamlProviders


class ProviderSettings(BaseSettings):
    """The part of the environment that says whom people may come from."""

    insecure_providers: bool = Field(
        default=False, description="Allow identity providers whose addresses are not https; on in development."
    )
    social_providers_url: Endpoint = Field(
        "", description="Where copies of Google, Facebook, Amazon and Apple are, each under its host's name; for tests."
    )
    saml_providers: SamlProviders = Field(
        {},
        description="SAML providers whose people identity pools may take, by `SamlProviderARNs`: "
        "`arn=metadata,audience,recipient`, with `;` or a line's end between two. Metadata are an https address or the "
        "absolute path of a file; audience and recipient are those of the application that people sign in to, by "
        "default `urn:amazon:webservices` and `https://signin.aws.amazon.com/saml`. AWS: IAM SAML identity providers.",
    )

    @field_validator("saml_providers")
    @classmethod
    def private(cls, value: saml_issuers.Providers, info: ValidationInfo) -> saml_issuers.Providers:
        """Refuse metadata in the clear: whoever changed them on their way would be the provider."""
        for arn, provider in value.items():
            if provider.metadata.lower().startswith("http:") and not info.data.get("insecure_providers"):
                raise ValueError(f"the metadata of {arn} are not at an https address")
        return value
