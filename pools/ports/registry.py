"""Answers by name."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

from django.utils.module_loading import import_string

from identity.foundation.errors import Misuse

Answer = TypeVar("Answer")


class Registry(Generic[Answer]):
    """Answers by name."""

    def __init__(self, what: str) -> None:
        """Start empty."""
        self.what = what
        self._answers: dict[str, Answer] = {}
        self._places: dict[str, str] = {}
        self._lock = threading.Lock()

    def register(self, name: str, answer: Answer) -> None:
        """Keep an answer; a name has one."""
        self._refuse_second(name)
        self._answers[name] = answer

    def register_place(self, name: str, place: str) -> None:
        """Keep where the class of an answer is (``package.module.Class``): imported, and made, when first asked for."""
        self._refuse_second(name)
        self._places[name] = place

    def withdraw(self, name: str) -> None:
        """Forget an answer."""
        if self._places.pop(name, None) is None:
            del self._answers[name]

    def get(self, name: str) -> Answer | None:
        """Return the answer of that name, if there is one."""
        if name in self._places:
            self._make(name)
        return self._answers.get(name)

    def __getitem__(self, name: str) -> Answer:
        """Return the answer of that name, which must be there."""
        found = self.get(name)
        if found is None:
            raise Misuse(f"no {self.what} is registered as {name}")
        return found

    def names(self) -> tuple[str, ...]:
        """Return the names."""
        return (*self._answers, *self._places)

    def _refuse_second(self, name: str) -> None:
        if name in self._answers or name in self._places:
            raise Misuse(f"{self.what} {name} is registered twice")

    def _make(self, name: str) -> None:
        with self._lock:  # of threads that ask at once, one makes it
            if name in self._places:
                self._answers[name] = import_string(self._places[name])()
                del self._places[name]
