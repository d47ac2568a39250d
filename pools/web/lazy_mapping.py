"""Values that a template asks for by name: addresses and form tokens, made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping


class LazyMapping(Mapping[str, str]):
    """Values by name, made when a template asks."""

    def __init__(self, make: Callable[[str], str]) -> None:
        """Keep how they are made."""
        self._make = make

    def __getitem__(self, name: str) -> str:
        """Return one."""
        return self._make(name)

    def __iter__(self) -> Iterator[str]:
        """Names are not listed."""
        return iter(())

    def __len__(self) -> int:
        """Names are not counted, and the mapping is never empty."""
        return 1
