"""Settings as tables: what a row says, and what is done with all rows. Writes no row, knows no protocol.

Which settings there are is in ``pool_settings``, ``client_settings`` and ``identity_pool_settings``. The wire API, the
console, the management API and ``docs/coverage.md`` read these tables, so that a setting is declared once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import structlog
from django.db.models import Model

from identity.foundation.errors import DomainError, Invalid, NotAvailable, refuse
from pools.services.pools.nested_values import set_at, value_at

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Text: TypeAlias = "str | _StrPromise"
log = structlog.get_logger(__name__)
Check = Callable[[Any, str], Iterable[DomainError]]
"""Yields what is wrong with a value, given the name of its setting."""


class Availability(StrEnum):
    """What a setting does in this release."""

    DONE = "done"
    KEPT_ONLY = "kept only"
    NOT_YET = "not yet"
    REFUSED = "refused"
    """For good: it means nothing here."""


class Described(Enum):
    """When Amazon describes a setting."""

    ALWAYS = "always"
    FILLED = "where it is not empty"
    GIVEN = "where it was given"
    NEVER = "never"


class Control(Enum):
    """How an operator chooses a value."""

    SWITCH = "switch"
    ONE_OF = "one of"
    TEXT = "text"
    SEVERAL_OF = "several of"
    LINES = "lines"
    DURATION = "duration"
    NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A setting that operators choose, in console and management API. Their value of it is the column's."""

    control: Control
    label: Text
    help: Text
    column: str = ""
    """Where it is kept, and what operators call it. Default: the setting's own column."""
    options: Mapping[str, Text] | None = None
    options_of: Callable[[Any], Mapping[str, Text]] | None = None
    """Returns the options of a row, where they hang on it."""
    least: int = 0
    most: int | None = None
    """The bounds of a number."""
    given_by: Callable[[Any, Any], dict[str, Any]] | None = None
    """Returns the settings that a choice gives a row, where it is not this one alone."""


def one_of(*values: object, text: str) -> Check:
    """Return a check that a value is one of these."""
    return lambda value, field: () if value in values else (Invalid(text, field=field),)


def between(least: int, most: int, text: str) -> Check:
    """Return a check of a number."""
    return lambda value, field: () if least <= int(value) <= most else (Invalid(text, field=field),)


def equal_to(*values: object) -> Callable[[object], bool]:
    """Return what says whether a value is one of these."""
    return lambda value: value in values


def unique(values: Iterable[str]) -> list[str]:
    """Keep a list's members, each once."""
    return list(dict.fromkeys(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting."""

    name: str
    """Amazon's name in snake case; a dot leads into a structure."""
    place: str | None = ""
    """A column, or behind a dot a member of a JSON column. Empty: its name in ``configuration``. None: nowhere."""
    default: Any = None
    """What holds where nothing is given; a function of what is given, where it hangs on that."""
    check: Check = lambda _, __: ()
    availability: Availability = Availability.DONE
    is_harmless: Callable[[Any], bool] = lambda _: False
    """Says of what is refused, or kept only, whether a value is as if nothing was given."""
    why: str = ""
    """Why it does less than at Amazon, in a sentence of ``docs/coverage.md``, where that is not plain."""
    refusal: str = ""
    """What whoever asks for what is refused for good is told to do."""
    words: tuple[str, str] | None = None
    """How Amazon writes a column that is false or true."""
    keep: Callable[[Any], Any] = lambda value: value
    """Returns what is kept of a value."""
    described: Described = Described.GIVEN
    describe: Callable[[Any], Any] | None = None
    """Returns what is described of a row. Default: the value that is kept."""
    is_fixed: bool = False
    """Cannot be changed once it was made."""
    stays: bool = False
    """Stays as it is where an update that replaces everything leaves it out."""
    zero_is_unset: bool = False
    """Zero is as if nothing was given."""
    is_on_wire: bool = True
    """Amazon has a word for it."""
    choice: Choice | None = None

    @property
    def path(self) -> list[str]:
        """Return the column in which it is kept, and the way inside it."""
        return (self.place or f"configuration.{self.name}").split(".")

    @property
    def is_column(self) -> bool:
        """Say whether it has a column of its own."""
        return self.place is not None and len(self.path) == 1

    @property
    def operators_name(self) -> str:
        """Return what operators call it: the name of its column."""
        if self.choice is not None and self.choice.column:
            return self.choice.column
        return self.path[0] if self.is_column else self.name

    def from_given(self, value: Any) -> Any:  # noqa: ANN401 - any setting's value
        """Return what is kept of a value that is given."""
        return value == self.words[1] if self.words else self.keep(value)

    def as_given(self, kept: Any) -> Any:  # noqa: ANN401 - any setting's value
        """Return the value that was given for what is kept."""
        return self.words[bool(kept)] if self.words else kept

    def is_default(self, kept: Any) -> bool:  # noqa: ANN401 - any setting's value
        """Say whether what is kept is what holds where nothing is given."""
        return kept is None or self.as_given(kept) == self.default

    def given_by(self, chosen: Any, row: Model) -> dict[str, Any]:  # noqa: ANN401 - any setting's value
        """Return the settings that an operator's choice gives a row."""
        own = self.choice.given_by if self.choice else None
        return own(chosen, row) if own else {self.name: self.as_given(chosen)}

    def unavailable(self, value: Any) -> Iterator[DomainError]:  # noqa: ANN401 - any setting's value
        """Yield a refusal, if a value asks for what this release has not, or none will have."""
        if self.availability is Availability.NOT_YET and not self.is_harmless(value):
            words = "".join(part.capitalize() for part in self.name.partition(".")[0].split("_"))
            yield NotAvailable(f"{words} is not available in this release.", field=self.name, code="not_yet")
        elif self.availability is Availability.REFUSED and not self.is_harmless(value):
            yield Invalid(self.refusal, field=self.name, code="refused")


Whole = bool | Collection[str]
"""Whether an update replaces all but what stays, or these settings, or what it names alone."""


class Rule(NamedTuple):
    """A rule between settings: it yields what is wrong with what is given for a row."""

    problems: Callable[[Given, Any], Iterator[DomainError]]
    about: frozenset[str]


def rule(problems: Callable[[Given, Any], Iterator[DomainError]], *about: str) -> Rule:
    """Return a rule between settings, by their names."""
    return Rule(problems, frozenset(about))


class Given(dict[str, Any]):
    """Values by setting: ``in`` says whether one is given, and one that is not has its default."""

    def __init__(self, table: Table, values: Mapping[str, Any]) -> None:
        """Keep the values."""
        super().__init__(values)
        self._table = table

    def __missing__(self, name: str) -> Any:  # noqa: ANN401 - any setting's value
        """Return the default."""
        default = self._table.rows[name].default
        return default(self) if callable(default) else deepcopy(default)


@dataclass(frozen=True)
class Table:
    """The settings of one kind of thing, and the rules between them in the order in which they are asked."""

    settings: Sequence[Setting]
    rules: Sequence[Rule] = ()
    derive: Callable[[Any, Given], None] | None = None
    """Sets the columns that follow from several settings."""
    derived: Sequence[str] = ()
    noted_in: str = "configuration"
    """The column that says of other columns that they were given."""
    filled: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Structures that are given whole, empty too: what is left out of one is as if this was given."""

    @cached_property
    def rows(self) -> dict[str, Setting]:
        """Return the settings by name."""
        return {setting.name: setting for setting in self.settings}

    @property
    def choices(self) -> dict[str, tuple[Setting, Choice]]:
        """Return what operators choose, by their names."""
        return {row.operators_name: (row, row.choice) for row in self.settings if row.choice is not None}

    @property
    def operators_names(self) -> dict[str, str]:
        """Return what operators call each setting."""
        return {setting.name: setting.operators_name for setting in self.settings}

    def read(self, given: Mapping[str, Any]) -> Given:
        """Return values by setting, from structures or by names with dots.

        Raises:
            Invalid: there is no such setting.

        """
        found, unknown = self._flat(given, "")
        if unknown:
            raise Invalid(f"Unknown settings: {', '.join(sorted(unknown))}", code="unknown_settings")
        return Given(self, found)

    def _flat(self, given: Mapping[str, Any], before: str) -> tuple[dict[str, Any], list[str]]:
        rows, found, unknown = self.rows, dict[str, Any](), list[str]()
        for key, value in given.items():
            name = f"{before}{key}"
            if value is None or (name in rows and rows[name].zero_is_unset and value == 0):
                continue
            if name in rows:
                found[name] = value
            elif isinstance(value, Mapping) and any(row.startswith(f"{name}.") for row in rows):
                inside, strange = self._flat({**deepcopy(self.filled.get(name, {})), **value}, f"{name}.")
                found |= inside
                unknown += strange
            else:
                unknown.append(name)
        return found, unknown

    def problems(self, given: Given, row: Model, *, names: Collection[str] | None = None) -> Iterator[DomainError]:
        """Yield all that is wrong with what is given for a row, or with these settings of it alone."""
        asked = [each for each in self.settings if each.name in given and (names is None or each.name in names)]
        wrong = set[str]()
        for setting, problems in (
            *((each, each.unavailable(given[each.name])) for each in asked),
            *((each, each.check(given[each.name], each.name)) for each in asked),
        ):
            for problem in problems:
                wrong.add(setting.name)
                yield problem
        for each in self.rules:
            if wrong.isdisjoint(each.about) and (names is None or not each.about.isdisjoint(names)):
                yield from each.problems(given, row)

    def problems_of_change(self, row: Model, changes: Given, *, whole: Whole = False) -> Iterator[DomainError]:
        """Yield all that is wrong with changes of a row; what they leave alone is not asked about."""
        for name in changes:
            if self.rows[name].is_fixed:
                yield Invalid("This cannot be changed any more.", field=name, code="fixed")
        names = {*changes, *([] if isinstance(whole, bool) else whole)}
        yield from self.problems(self.after(row, changes, whole=whole), row, names=None if whole is True else names)

    def apply(self, row: Model, given: Mapping[str, Any]) -> Given:
        """Put settings into a row that is not saved yet; what is not given is Amazon's default.

        Raises:
            DomainError: a setting breaks a rule, or asks for what this release has not.

        """
        values = self.read(given)
        refuse(self.problems(values, row))
        self._put(row, values, self.settings)
        return values

    def change(self, row: Model, changes: Given, *, whole: Whole = False) -> tuple[dict[str, Any], list[str]]:
        """Put changes that have no problem into a row; return the columns that are others now, and what was changed."""
        before, earlier = self.now(row), deepcopy({column: getattr(row, column) for column in self.columns})
        after = self.after(row, changes, whole=whole)
        self._put(row, after, [setting for setting in self.settings if not setting.is_fixed])
        columns = {column: getattr(row, column) for column in earlier if getattr(row, column) != earlier[column]}
        return columns, sorted(name for name in {*before, *after} if before.get(name) != after.get(name))

    def after(self, row: Model, changes: Mapping[str, Any], *, whole: Whole = False) -> Given:
        """Return a row's settings as they are after changes."""
        replaced = {row.name for row in self.settings if whole and not row.stays} if isinstance(whole, bool) else whole
        return Given(self, {**{name: kept for name, kept in self.now(row).items() if name not in replaced}, **changes})

    def now(self, row: Model) -> Given:
        """Return a row's settings as they would have to be given, but for what cannot change."""
        found = {}
        for setting in self.settings:
            if setting.place is None or setting.is_fixed:
                continue
            kept = value_at(row, setting.path)
            is_silent = setting.described is Described.GIVEN and not self.is_given(row, setting)
            if kept is not None and not (is_silent and setting.is_default(kept)):
                found[setting.name] = deepcopy(setting.as_given(kept))
        return Given(self, found)

    @property
    def columns(self) -> list[str]:
        """Return every column in which something is kept."""
        kept = [setting.path[0] for setting in self.settings if setting.place is not None]
        return list(dict.fromkeys([*kept, *self.derived, self.noted_in]))

    def is_given(self, row: Model, setting: Setting) -> bool:
        """Say whether a row's setting was given."""
        if not setting.is_column:
            return value_at(row, setting.path) is not None
        noted = getattr(row, self.noted_in)
        if isinstance(noted, list):
            return setting.name.partition(".")[0] in noted
        return value_at(row, [self.noted_in, *setting.name.split(".")]) is not None

    def _put(self, row: Model, given: Given, settings: Iterable[Setting]) -> None:
        notes = getattr(row, self.noted_in)
        for setting in settings:
            is_given = setting.name in given
            if setting.is_column:
                setattr(row, setting.path[0], setting.from_given(given[setting.name]))
                if setting.described is Described.GIVEN and isinstance(notes, dict):
                    set_at(notes, setting.name.split("."), given[setting.name] if is_given else None)
            elif setting.place is not None:
                kept = setting.from_given(given[setting.name]) if is_given else None
                set_at(getattr(row, setting.path[0]), setting.path[1:], kept)
        if isinstance(notes, list):
            noted = [each.name for each in settings if each.is_column and each.described is Described.GIVEN]
            setattr(row, self.noted_in, sorted({name.partition(".")[0] for name in noted if name in given}))
        if self.derive is not None:
            self.derive(row, given)

    def describe(self, row: Model) -> dict[str, Any]:
        """Return a row's settings in Amazon's structures, as it describes them: what was given, and its defaults."""
        found: dict[str, Any] = {}
        for setting in self.settings:
            kept = value_at(row, setting.path) if setting.place is not None else None
            if setting.describe is not None:
                value = setting.describe(row)
            else:
                value = deepcopy(setting.default) if kept is None else setting.as_given(kept)
            match setting.described:
                case Described.NEVER:
                    continue
                case Described.GIVEN if setting.is_default(kept) and not self.is_given(row, setting):
                    continue
                case Described.FILLED if not value:
                    continue
            *outer, name = setting.name.split(".")
            inside = found
            for part in outer:
                inside = inside.setdefault(part, {})
            inside[name] = value
        return found

    def without_effect(self, row: Model) -> list[str]:
        """Return the settings of a row that ask for what this release keeps and does not do."""
        now = self.now(row)
        kept = [each for each in self.settings if each.availability is Availability.KEPT_ONLY and each.name in now]
        return [each.name for each in kept if now[each.name] != each.default and not each.is_harmless(now[each.name])]

    def warn(self, row: Model) -> None:
        """Leave a line in the log if a row's settings are kept only."""
        if names := self.without_effect(row):
            log.warning("settings_without_effect", of=str(row), settings=names)
