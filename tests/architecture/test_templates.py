"""Pages hold no script, style or handler of their own, as their policy says, nothing unescaped or untranslated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.source import PLANTED, ROOT

# The console's, which is Django's own, and that of a pool's pages.
TOKEN = r"\{%\s*csrf_token\s*%\}|<input\b[^>]*\bname=\"\{\{ token_field \}\}\"[^>]*\bvalue=\"\{\{ token"
BANNED = {
    "inline_style": re.compile(r"<style\b|\sstyle\s*=", re.IGNORECASE),
    "inline_script": re.compile(r"<script\b(?![^>]*\bsrc\s*=)", re.IGNORECASE),
    "inline_handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "script_url": re.compile(r"(?:href|src|action|formaction)\s*=\s*[\"']?\s*javascript:", re.IGNORECASE),
    "unescaped": re.compile(r"\|\s*safe\b|\{%\s*autoescape\s+off|\|\s*safeseq\b"),
    "foreign_origin": re.compile(
        r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)\s*=\s*[\"']?(?:https?:)?//", re.IGNORECASE
    ),
    "form_without_token": re.compile(
        r"<form\b(?=[^>]*\bmethod\s*=\s*[\"']?post\b)(?:(?!</form>|" + TOKEN + r").)*</form>",
        re.IGNORECASE | re.DOTALL,
    ),
}


# Not words of a page: what is translated, what a template does, classes, code, and names.
NOT_WORDS = re.compile(
    r"\{% block body_class %\}\w*|"
    r"\{% blocktranslate.*?\{% endblocktranslate %\}|\{% comment.*?\{% endcomment %\}|\{%.*?%\}|\{\{.*?\}\}"
    r"|<(code|kbd|script)\b.*?</\1>|<[^>]*>|&\w+;|\b(?:Cognate|OpenAPI)\b",
    re.DOTALL,
)
# Where one is right, and why.
ALLOWED = {
    "console/set_authenticator.html": {"unescaped"},  # the QR code, drawn by segno from our own text
    "hosted/saml_answer.html": {"form_without_token"},  # it goes to an application, which knows no token of ours
}


def pages() -> list[Path]:
    """Return the pages of browsers; mail has a style of its own."""
    return [path for path in sorted((ROOT / "templates").rglob("*.html")) if "messages" not in path.parts]


def wrongs(path: Path) -> set[str]:
    """Return what a template does that is banned. A script that holds data is none."""
    text = re.sub(r"<script\b[^>]*type=[\"']application/json[\"']", "<data", path.read_text())
    left = NOT_WORDS.sub("", text)
    return {name for name, shape in BANNED.items() if shape.search(text)} | (
        {"untranslated"} if re.search(r"[^\W\d_]{2,}", left) else set()
    )


def test_pages_hold_nothing_that_is_banned() -> None:
    found = {str(path.relative_to(ROOT / "templates")): wrongs(path) for path in pages()}

    assert {path: what for path, what in found.items() if what} == ALLOWED
    assert pages()


@pytest.mark.parametrize("name", [*BANNED, "untranslated"])
def test_a_planted_template_is_caught_for(name: str) -> None:
    assert wrongs(PLANTED / "templates" / f"{name}.html") == {name}


@pytest.mark.parametrize("folder", ["templates", "pools", "identity", "federation"])
def test_people_read_email_and_no_other_word_for_it(folder: str) -> None:
    kinds = {".py", ".html", ".js"}
    files = [
        path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in kinds and "migrations" not in path.parts
    ]

    found = [str(path) for path in files if re.search(r"\be-mail|(?<!e)mail address", path.read_text(), re.IGNORECASE)]

    assert found == []
    assert files
