"""What a kind of identity provider says of itself: all that its file has to say for pools, pages and console.

Data alone. What a kind does is :class:`pools.ports.ProviderKind`; rules, pages and forms read this and name no kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from django.utils.functional import Promise

Text = str | Promise
"""Words for people, translated when they are shown."""


class Control(Enum):
    """How a detail is typed."""

    TEXT = "text"
    ADDRESS = "address"
    SECRET = "secret"  # noqa: S105 - a kind of field
    FILE = "file"
    """Lines of a file, which are secret: nobody is told them again."""
    LINES = "lines"
    """Lines of a file that anybody may see."""
    SWITCH = "switch"
    """Its value is ``true``, or it is not there."""
    ONE_OF = "one of"


SEALED = frozenset({Control.SECRET, Control.FILE})


@dataclass(frozen=True, slots=True)
class Detail:
    """A detail of a provider, as its form asks for it."""

    name: str
    label: Text
    help: Text = ""
    control: Control = Control.TEXT
    is_required: bool = True
    initial: str = ""
    options: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class About:
    """What a kind says of itself."""

    type: str
    """Amazon's name of it."""
    slug: str
    """Its name in addresses."""
    label: Text
    about: Text
    """Whose people come by it, for operators."""
    where: Text
    """Where its details are found, and where the redirect URI has to be entered."""
    details: tuple[Detail, ...]
    endpoints: tuple[Detail, ...] = ()
    """Details that a provider tells of itself where it can."""
    mapping: Mapping[str, str] = field(default_factory=dict)
    """Attributes of a pool, and the claims that usually hold them."""
    subject_claim: str = ""
    """The claim that says who somebody is, to which Cognito maps ``username`` by itself."""
    is_social: bool = False
    """Whether a pool has one of it at most, by the kind's own name, which knows people by their subject alone."""
    has_levels: bool = False
    """Whether it understands an AcrMapping."""
    callback: str = "oauth2/idpresponse"
    """Where its providers send people back, below a pool's address."""
    signed_out: str = "oauth2/idplogout"
    """Where they send who signed out there."""
    introduction: str = ""
    """Where they find the document by which they know a pool; empty where there is none."""
    unasked_detail: str = ""
    """The detail that says whether people may come whom nobody sent there; nobody may where there is none."""
    sign_out_detail: str = ""
    """The detail that says whether who signs out here is sent there to do so too; else the provider's switch does."""
    fetched_from: str = ""
    """The detail that is the address of what it publishes and we keep, and read again every few hours."""
    button: Text = ""
    """What its rules want on the button that leads there; else that is the provider's name."""
    mark: str = ""
    """The template of the mark that its rules want on that button."""

    @property
    def secrets(self) -> frozenset[str]:
        """Return the details that are kept sealed."""
        return frozenset(each.name for each in self.details if each.control in SEALED)

    @property
    def untold(self) -> frozenset[str]:
        """Return those of them that Amazon does not describe: whoever writes back what is described lacks them."""
        return frozenset(each.name for each in self.details if each.control is Control.FILE)
