"""Settings whose values are in files, as container secrets come. Which there are, ``identity.environment`` says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsError


class FileSource(PydanticBaseSettingsSource):
    """Read the value of ``NAME`` from the file that ``NAME_FILE`` names, as container secrets come."""

    def __init__(self, settings_cls: type[BaseSettings], environ: Mapping[str, str]) -> None:
        """Look for names in this environment."""
        super().__init__(settings_cls)
        self.environ = environ

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ANN401 - pydantic's signature
        """Return the content of the named file, or nothing."""
        del field
        variable = f"{field_name.upper()}_FILE"
        path = self.environ.get(variable)
        if field_name == "secret_keys_file" or not path:
            return None, field_name, False
        try:
            return Path(path).read_text().strip(), field_name, False
        except OSError as problem:
            raise SettingsError(f"{variable}: {path} cannot be read: {problem.strerror}.") from None
        except UnicodeDecodeError:
            raise SettingsError(f"{variable}: {path} is no text.") from None

    def __call__(self) -> dict[str, Any]:
        """Return every value that a file gives."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}
