"""A file that somebody sends is never on a disk: no form of ours has one."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django import Settings


def form(*sizes: int) -> HttpRequest:
    """Return a form with files of these sizes."""
    files = {f"file{number}": SimpleUploadedFile("x", b"x" * size) for number, size in enumerate(sizes)}
    return RequestFactory().post("/login", {"username": "ana", **files})


@pytest.mark.parametrize("size", [10, settings.FILE_UPLOAD_MAX_MEMORY_SIZE + 1])
def test_a_file_of_any_size_is_not_on_a_disk(size: int, tmp_path: Path, settings: Settings) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "nowhere")  # writing there fails

    request = form(size)

    assert request.POST["username"] == "ana"
    assert not any(hasattr(file, "temporary_file_path") for file in request.FILES.values())


def test_a_form_with_many_files_is_refused() -> None:
    with pytest.raises(TooManyFilesSent):
        _ = form(1, 1).POST
