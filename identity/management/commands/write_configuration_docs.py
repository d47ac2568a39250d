"""Writes docs/configuration.md from the settings themselves; ``--check`` says whether it is current."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from identity.environment import Environment
from identity.foundation.message_settings import MessageSettings
from identity.foundation.provider_settings import ProviderSettings
from identity.management.document_command import DocumentCommand

HEAD = """# Configuration

Made from `identity/environment.py` and what it builds on by `manage.py write_configuration_docs`; do not edit.

Everything is set by environment variables. Any `NAME` may be given as `NAME_FILE`, the path of a file that holds the
value, as container secrets come. Lists are separated by commas. An empty variable counts as unset.

"""
COLUMNS = "| variable | default | meaning |\n| --- | --- | --- |\n"
MESSAGES = "\n## Mail and SMS\n\nHow they go together is in [messages.md](messages.md).\n\n"


def default(name: str, field: FieldInfo) -> str:
    """Return a default as people would write it."""
    if name == "data_dir":
        return "`./var`"
    value = field.default
    if value in (None, "", PydanticUndefined) or value in ([], {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def choices(field: FieldInfo) -> str:
    """Return the values that a setting may have, where they are few."""
    given = [value for value in get_args(field.annotation) if isinstance(value, str) and value]
    return f" One of {', '.join(f'`{value}`' for value in given)}." if given else ""


def table(fields: Mapping[str, FieldInfo]) -> str:
    """Return a row for each setting."""
    rows = (
        f"| `{name.upper()}` | {default(name, field)} | {field.description}{choices(field)} |\n"
        for name, field in fields.items()
    )
    return COLUMNS + "".join(rows)


class Command(DocumentCommand):
    """Write the page, or check it."""

    help = __doc__ or ""
    document = "configuration.md"

    def text(self) -> str:
        """Return the whole page."""
        of_messages, of_providers = MessageSettings.model_fields, ProviderSettings.model_fields
        apart = of_messages.keys() | of_providers.keys()
        others = {name: field for name, field in Environment.model_fields.items() if name not in apart}
        return HEAD + table({**others, **of_providers}) + MESSAGES + table(of_messages)
