"""What a refusal of ours carries, and nothing of which there are: those are ``errors``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar

Parameters = Mapping[str, str | int]
NO_PARAMETERS: Parameters = MappingProxyType({})
WORD = re.compile(r"OAuth|[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


class DomainError(Exception):
    """A refusal. ``message`` is the wire's and may be shown to anyone; ``detail`` goes to logs and audit only.

    ``code`` is the rule that is broken, else the class's own, and stays the same for good; ``parameters`` are the
    values that its words may name.
    """

    public = "The request could not be completed."
    class_code: ClassVar[str] = "domain_error"
    """The class's name as a code."""

    def __init_subclass__(cls) -> None:
        """Derive the code from the name: ``OAuthFlowRefused`` is ``oauth_flow_refused``."""
        cls.class_code = "_".join(WORD.findall(cls.__name__)).lower()

    def __init__(
        self, message: str | None = None, *, code: str = "", parameters: Parameters = NO_PARAMETERS, detail: str = ""
    ) -> None:
        """Keep what is said of it; without ``message`` the class's own is shown."""
        self.message = message or self.public
        self.code = code or self.class_code
        self.parameters = parameters
        self.detail = detail
        super().__init__(self.message)


def refuse(problems: Iterable[DomainError]) -> None:
    """Raise the first of these, if there is one; those behind it are not looked for."""
    for problem in problems:
        raise problem
