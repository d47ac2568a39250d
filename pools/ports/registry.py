"""Answers by name."""

from __future__ import annotations

from typing import Generic, TypeVar

from identity.foundation.errors import Misuse

Answer = TypeVar("Answer")


class Registry(Generic[Answer]):
    """Answers by name."""

    def __init__(self, what: str) -> None:
        """Start empty."""
        self.what = what
        self._answers: dict[str, Answer] = {}

    def register(self, name: str, answer: Answer) -> None:
        """Keep an answer; a name has one."""
        if name in self._answers:
            raise Misuse(f"{self.what} {name} is registered twice")
        self._answers[name] = answer

    def withdraw(self, name: str) -> None:
        """Forget an answer."""
        del self._answers[name]

    def get(self, name: str) -> Answer | None:
        """Return the answer of that name, if there is one."""
        return self._answers.get(name)

    def __getitem__(self, name: str) -> Answer:
        """Return the answer of that name, which must be there."""
        found = self._answers.get(name)
        if found is None:
            raise Misuse(f"no {self.what} is registered as {name}")
        return found

    def names(self) -> tuple[str, ...]:
        """Return the names."""
        return tuple(self._answers)
