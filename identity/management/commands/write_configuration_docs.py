"""Writes docs/configuration.md from the settings themselves; ``--check`` says whether it is current."""

from __future__ import annotations

from typing import get_args

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from identity.management.document_command import DocumentCommand
from identity.settings import Environment

HEAD = """# Configuration

Made from `identity/settings.py` by `manage.py write_configuration_docs`; do not edit.

Everything is set by environment variables. Any `NAME` may be given as `NAME_FILE`, the path of a file that holds the
value, as container secrets come. Lists are separated by commas. An empty variable counts as unset.

| variable | default | meaning |
| --- | --- | --- |
"""


def default(name: str, field: FieldInfo) -> str:
    """Return a default as people would write it."""
    if name == "data_dir":
        return "`./var`"
    value = field.default
    if value in (None, "", PydanticUndefined) or value == []:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def choices(field: FieldInfo) -> str:
    """Return the values that a setting may have, where they are few."""
    given = [value for value in get_args(field.annotation) if isinstance(value, str) and value]
    return f" One of {', '.join(f'`{value}`' for value in given)}." if given else ""


class Command(DocumentCommand):
    """Write the page, or check it."""

    help = __doc__ or ""
    document = "configuration.md"

    def text(self) -> str:
        """Return the whole page."""
        rows = [
            f"| `{name.upper()}` | {default(name, field)} | {field.description}{choices(field)} |"
            for name, field in Environment.model_fields.items()
        ]
        return HEAD + "\n".join(rows) + "\n"
