"""The SAML providers that a setting names."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from identity.environment import Environment
from identity.foundation.saml_issuers import SamlProvider

A, B = (f"arn:aws:iam::000000000000:saml-provider/{name}" for name in ("a", "b.B_-2"))
FILE = SamlProvider("/etc/cognate/idp.xml", "urn:amazon:webservices", "https://signin.aws.amazon.com/saml")


def told(**given: Any) -> Environment:
    """Return the settings of an environment that says this."""
    return Environment(**{"mode": "production", "base_url": "https://id.example.com", **given})


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (f"{A}=/etc/cognate/idp.xml", {A: FILE}),
        (
            f" {A} = https://idp.example/metadata?app=1 , urn:portal,https://portal.example/acs ;\n{B}={FILE.metadata}",
            {
                A: SamlProvider("https://idp.example/metadata?app=1", "urn:portal", "https://portal.example/acs"),
                B: FILE,
            },
        ),
        (f"{A}=/idp.xml,urn:portal", {A: SamlProvider("/idp.xml", "urn:portal")}),
        ("arn:aws-cn:iam::123456789012:saml-provider/x=/etc/cognate/idp.xml", None),
        (";;\n", {}),
    ],
)
def test_providers_are_read_by_their_arns(text: str, read: dict[str, SamlProvider] | None) -> None:
    assert told(saml_providers=text).saml_providers == (read if read is not None else {text.partition("=")[0]: FILE})


ENTRY = "entry 1 is not arn=metadata or arn=metadata,audience,recipient"
NO_PLACE = "the metadata of entry 1 are neither an address nor an absolute path"
NO_ARN = "does not begin with the ARN of a SAML provider in IAM"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (A, ENTRY),
        (f"{A}=", ENTRY),
        (f"{A}=/idp.xml,", ENTRY),
        (f"{A}=/idp.xml,a,b,c", ENTRY),
        (f"{A}=/idp.xml,two words", ENTRY),
        (f"{A}=idp.xml", NO_PLACE),
        (f"{A}=file:///idp.xml", NO_PLACE),
        (f"{A}=https://", NO_PLACE),
        (f"{A}=https://user@idp.example/", NO_PLACE),
        (f"{A}=https://[::1/", NO_PLACE),
        (f"{A}=http://idp.example/", f"the metadata of {A} are not at an https address"),
        (f"{A}=HTTP://idp.example/", f"the metadata of {A} are not at an https address"),
        (f"{A}=/idp.xml;{A}=/other.xml", "entry 2 is a provider that was named before"),
        (f"{A}=/idp.xml;corp=/idp.xml", f"entry 2 {NO_ARN}"),
        ("arn:aws:iam::000000000000:oidc-provider/a=/idp.xml", NO_ARN),
        ("arn:aws:iam:::saml-provider/a=/idp.xml", NO_ARN),
        (f"{A}/b=/idp.xml", NO_ARN),
        (f"{A}{'x' * 90}=/idp.xml", NO_ARN),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_line(text: str, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        told(saml_providers=text)

    (problem,) = caught.value.errors()
    assert problem["loc"] == ("saml_providers",)
    assert said in problem["msg"]
    assert "\n" not in problem["msg"]


def test_metadata_in_the_clear_are_for_development() -> None:
    found = told(mode="development", saml_providers=f"{A}=http://idp.example/")

    assert found.saml_providers[A].metadata == "http://idp.example/"
