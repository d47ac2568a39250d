"""What attributes a pool knows, of what type, and which values they take. Writing them is ``attributes``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from identity.foundation.errors import NO_PARAMETERS, DomainError, Invalid, Parameters, refuse
from pools.models import UserPool

VERIFIED = frozenset({"email_verified", "phone_number_verified"})
COLUMNS = (
    "email",
    "phone_number",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
)
LONGEST = 2048
COLUMN_BYTES = 2500
"""What an index of PostgreSQL holds of one text: columns that are searched are indexed."""
CUSTOM = "custom:"
"""How a custom attribute is called that clients may be let write; those of developers alone begin otherwise."""
MAX_CUSTOM = 50
CUSTOM_NAME = 20
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL has in no text: NUL, and halves of a surrogate pair."""
NUMBER = re.compile(r"-?[0-9]{1,308}")
"""A whole number. AWS: NumberAttributeConstraintsType, at most 2^1023."""
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
UNFIT = "Attributes did not conform to the schema: "
TYPES = ("String", "Number", "DateTime", "Boolean")
EMAIL_LENGTH = 320
# ASCII alone, and no encoded words: what a mail library would read as another address counts as another person here.
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL = re.compile(rf"(?=[^@]{{1,64}}@.{{1,255}}\Z)(?!.*=\?){ATOM}(?:\.{ATOM})*@{LABEL}(?:\.{LABEL})*")
PHONE = re.compile(r"\+[1-9][0-9]{4,14}")


def is_email(value: str) -> bool:
    """Say whether a value has an email address's shape."""
    return len(value) <= EMAIL_LENGTH and EMAIL.fullmatch(value) is not None


def is_phone(value: str) -> bool:
    """Say whether a value has an E.164 number's shape."""
    return PHONE.fullmatch(value) is not None


class Unfit(Invalid):
    """An attribute does not fit the schema. Amazon ends each with a line (amplify-js#5532), and tells all at once."""

    def __init__(
        self, name: str = "", text: str = Invalid.public, code: str = "", parameters: Parameters = NO_PARAMETERS
    ) -> None:
        """Say of an attribute what is wrong with it."""
        self.line = f"{name}: {text}\n"
        super().__init__(UNFIT + self.line, field=name, code=code or Invalid.class_code, parameters=parameters)

    def tell_too(self, others: Iterable[Unfit]) -> None:
        """Say in one text what is wrong with others too (amplify-flutter#509)."""
        self.message = UNFIT + "".join([self.line, *(each.line for each in others)])


def refuse_all_unfit(problems: Iterable[DomainError]) -> None:
    """Raise the first of these, as ``errors.refuse``; where it is of the schema, it tells all that are."""
    found = iter(problems)
    first = next(found, None)
    if isinstance(first, Unfit):
        first.tell_too(each for each in found if isinstance(each, Unfit))
    if first is not None:
        raise first


@dataclass(frozen=True, slots=True)
class Rule:
    """One attribute of a pool."""

    name: str
    type: str = "String"
    mutable: bool = True
    required: bool = False
    developer_only: bool = False
    least: int | None = None
    most: int | None = None

    def described(self) -> dict[str, Any]:
        """Return it as Cognito describes it: constraints are texts."""
        described: dict[str, Any] = {
            "name": self.name,
            "attribute_data_type": self.type,
            "developer_only_attribute": self.developer_only,
            "mutable": self.mutable,
            "required": self.required,
        }
        words = {"String": ("string", "length"), "Number": ("number", "value")}.get(self.type)
        if words:
            bounds = {f"min_{words[1]}": self.least, f"max_{words[1]}": self.most}
            described[f"{words[0]}_attribute_constraints"] = {
                name: str(bound) for name, bound in bounds.items() if bound is not None
            }
        return described


def _text(name: str, least: int = 0, most: int = LONGEST) -> Rule:
    return Rule(name, least=least, most=most)


STANDARD: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("sub", mutable=False, required=True, least=1, most=LONGEST),
        _text("name"),
        _text("given_name"),
        _text("family_name"),
        _text("middle_name"),
        _text("nickname"),
        _text("preferred_username"),
        _text("profile"),
        _text("picture"),
        _text("website"),
        _text("email"),
        Rule("email_verified", type="Boolean"),
        _text("gender"),
        _text("birthdate", 10, 10),
        _text("zoneinfo"),
        _text("locale"),
        _text("phone_number"),
        Rule("phone_number_verified", type="Boolean"),
        _text("address"),
        Rule("updated_at", type="Number", least=0),
    )
}


def rules(pool: UserPool) -> dict[str, Rule]:
    """Return every attribute of a pool by name: the standard twenty, then the pool's own."""
    known = dict(STANDARD)
    for name, given in pool.schema.items():
        known[name] = _stored(name, given)
    return known


def rule(pool: UserPool, name: str) -> Rule | None:
    """Return one attribute of a pool, None where it is not in the schema."""
    given = pool.schema.get(name)
    return _stored(name, given) if given is not None else STANDARD.get(name)


def _stored(name: str, given: Mapping[str, Any]) -> Rule:
    base = STANDARD.get(name) or Rule(name)
    return replace(base, **{key: value for key, value in given.items() if key != "name"})


def required(pool: UserPool) -> list[str]:
    """Return what the pool wants of each person, ``sub`` aside."""
    return [name for name, given in pool.schema.items() if given.get("required") and name != "sub"]


def read(given: list[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return a schema as it is stored, from the members that CreateUserPool takes. Only what differs is kept.

    What is named without ``mutable`` cannot be changed, standard attributes too.

    Raises:
        Invalid: a rule is broken.

    """
    stored = _by_name([*map(_read, given)])
    refuse(_too_many(stored))
    return stored


def read_custom(given: list[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return custom attributes as they are stored, from the members that AddCustomAttributes takes.

    Raises:
        Invalid: a rule is broken.

    """
    return _by_name([_custom(str(entry.get("name") or ""), entry) for entry in given])


def problem_of_addition(pool: UserPool, added: Mapping[str, Any]) -> Invalid | None:
    """Return what keeps attributes from being added to a pool's schema, None where nothing does."""
    for name in added:
        if name in pool.schema:
            text = f"{name}: Existing attribute already has name {name}."
            return Invalid(text, field="custom_attributes", code="attribute_exists")
    return next(_too_many({**pool.schema, **added}), None)


def _too_many(stored: Mapping[str, Any]) -> Iterator[Invalid]:
    if sum(":" in name for name in stored) > MAX_CUSTOM:
        yield Invalid(f"A pool has at most {MAX_CUSTOM} custom attributes.", field="schema")


def _by_name(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    stored: dict[str, dict[str, Any]] = {}
    for entry in entries:
        name = entry.pop("name")
        if name in stored:
            is_custom = name.startswith(CUSTOM)
            text = f"Duplicate custom attribute names {name} are not allowed in a user pool schema."
            raise Invalid(text if is_custom else f"Attribute {name} is given twice.", field="schema")
        stored[name] = entry
    return stored


def _read(entry: Mapping[str, Any]) -> dict[str, Any]:
    name = str(entry.get("name") or "")
    standard = STANDARD.get(name)
    return _standard(standard, entry) if standard else _custom(name, entry)


def _standard(rule: Rule, entry: Mapping[str, Any]) -> dict[str, Any]:
    if entry.get("attribute_data_type", rule.type) != rule.type:
        raise Invalid(
            f"You can not change AttributeDataType or set developerOnlyAttribute for standard schema "
            f"attribute {rule.name}",
            field="schema",
        )
    if entry.get("developer_only_attribute"):
        raise Invalid(
            f"You can not change AttributeDataType or set developerOnlyAttribute for standard schema "
            f"attribute {rule.name}",
            field="schema",
        )
    if rule.name == "sub":
        return {"name": "sub"}
    least, most = _bounds(rule, entry)
    return {
        "name": rule.name,
        "mutable": bool(entry.get("mutable")),
        "required": bool(entry.get("required", False)),
        "least": least,
        "most": most,
    }


def _custom(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    developer = bool(entry.get("developer_only_attribute"))
    # A prefix that is given stands behind Amazon's own (aws-cloudformation-user-guide#932).
    if not 1 <= len(name) <= CUSTOM_NAME or not re.fullmatch(r"(?:custom:)?[\w.\-]+", name):
        raise Invalid(
            "Custom attribute names hold 1 to 20 letters, digits, dots, dashes or underscores.",
            field="schema",
        )
    if entry.get("required"):
        raise Invalid("Required custom attributes are not supported currently.", field="schema")
    kind = entry.get("attribute_data_type") or "String"
    if kind not in TYPES:
        raise Invalid(f"Unknown attribute type {kind}.", field="schema")
    full = f"dev:custom:{name}" if developer else f"custom:{name}"
    least, most = _bounds(Rule(full, type=kind), entry)
    return {
        "name": full,
        "type": kind,
        "mutable": bool(entry.get("mutable")),
        "developer_only": developer,
        "least": least,
        "most": most,
    }


def _bounds(rule: Rule, entry: Mapping[str, Any]) -> tuple[int | None, int | None]:
    words = {"String": ("string", "length"), "Number": ("number", "value")}.get(rule.type)
    if not words:
        return None, None
    given = entry.get(f"{words[0]}_attribute_constraints") or {}
    least, most = rule.least, rule.most
    for member, side in ((f"min_{words[1]}", "least"), (f"max_{words[1]}", "most")):
        text = given.get(member)
        if text is None or text == "":
            continue
        if not NUMBER.fullmatch(str(text)):
            raise Invalid(f"Constraints of {rule.name} are not whole numbers.", field="schema")
        least, most = (int(text), most) if side == "least" else (least, int(text))
    if rule.type == "String" and (max(least or 0, most or 0) > LONGEST or min(least or 0, most or 0) < 0):
        raise Invalid(f"Lengths of {rule.name} lie between 0 and {LONGEST}.", field="schema")
    if least is not None and most is not None and least > most:
        wrong = "length shorter than it's min length" if rule.type == "String" else "value smaller than it's min value"
        raise Invalid(f"Attribute {rule.name} cannot have a max {wrong}", field="schema")
    return least, most


def problem(rule: Rule, value: str) -> Invalid | None:
    """Return what is wrong with a value that is to be stored, None where it fits the schema."""
    if rule.name == "email" and not is_email(value):
        return Invalid("Invalid email address format.", field="email", code="email")
    if rule.name == "phone_number" and not is_phone(value):
        return Invalid("Invalid phone number format.", field="phone_number", code="phone_number")
    return _unstorable(rule, value) or _broken(rule, value)


def _unstorable(rule: Rule, value: str) -> Invalid | None:
    if len(value) > LONGEST:
        return Unfit(rule.name, "Attribute value is not valid", "too_long", {"most": LONGEST})
    if UNSTORABLE.search(value):
        return Unfit(rule.name, "Attribute value is not valid", "unstorable")
    if value.isascii():  # as many bytes, in small letters too
        return None
    # In small letters it is indexed, and in some pools kept; those of Ⱥ, Ⱦ and İ are longer.
    small = value.lower() if rule.name in COLUMNS else ""
    if len(small) > LONGEST or (small and max(len(value.encode()), len(small.encode())) > COLUMN_BYTES):
        return Unfit(rule.name, f"String must be no longer than {COLUMN_BYTES} bytes", "too_large")
    return None


def _broken(rule: Rule, value: str) -> Invalid | None:
    if rule.type == "String":
        return _text_broken(rule, value)
    if rule.type == "Number":
        return _number_broken(rule, value)
    if rule.type == "Boolean" and value.lower() not in ("true", "false"):
        return Unfit(rule.name, "Attribute value is not a boolean", "boolean")
    if rule.type == "DateTime" and not _is_moment(value):
        return Unfit(rule.name, "Attribute value is not a date", "moment")
    return None


def _text_broken(rule: Rule, value: str) -> Invalid | None:
    if rule.name == "birthdate" and not _is_day(value):
        return Unfit(rule.name, "Birthdate is not a day of the form YYYY-MM-DD", "day")
    if rule.least is not None and len(value) < rule.least:
        return Unfit(
            rule.name, f"String must be at least {rule.least} characters long", "too_short", {"least": rule.least}
        )
    if rule.most is not None and len(value) > rule.most:
        return Unfit(
            rule.name, f"String must be no longer than {rule.most} characters", "too_long", {"most": rule.most}
        )
    return None


def _number_broken(rule: Rule, value: str) -> Invalid | None:
    if not NUMBER.fullmatch(value):
        return Unfit(rule.name, "Attribute value is not a number", "number")
    if rule.least is not None and int(value) < rule.least:
        return Unfit(rule.name, f"Number must be at least {rule.least}", "too_small", {"least": rule.least})
    if rule.most is not None and int(value) > rule.most:
        return Unfit(rule.name, f"Number must be no greater than {rule.most}", "too_great", {"most": rule.most})
    return None


def _is_day(value: str) -> bool:
    try:
        return bool(DAY.fullmatch(value)) and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _is_moment(value: str) -> bool:
    for reader in (datetime.fromisoformat, date.fromisoformat):
        try:
            reader(value)
        except ValueError:
            continue
        return True
    return False
