"""The language of marks finds what is not translated, and nothing else."""

from __future__ import annotations

import pytest

from tests.pseudo_language import untranslated


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<p>⟦Sign in⟧</p>", []),
        ("<p>Sign in</p>", ["Sign in"]),
        ("<p>⟦Sign in⟧ now</p>", ["now"]),
        ("<p>⟦Type <kbd>Ann</kbd> to confirm⟧</p>", []),
        ("<p>Type <kbd>Ann</kbd> ⟦to confirm⟧</p>", ["Type"]),
        ("<p>⟦Ann⟧ · 12 – …</p>", []),
        ("<button aria-label='Close'>×</button>", ["Close"]),
        ("<img alt='A code'><br><p>⟦x⟧</p>", ["A code"]),
        ("<input placeholder='jo@example.com'>", []),
        ("<title>⟦Sign in⟧ – Photos</title>", []),
        ("<svg><title>QR code</title></svg>", ["QR code"]),
        ("<style>p { color: red }</style><code>client_id</code><bdi>Ann</bdi>", []),
    ],
)
def test_what_is_not_translated_is_found(page: str, found: list[str]) -> None:
    assert untranslated(page, ["Photos"]) == found


def test_a_mark_that_is_not_closed_is_a_fault() -> None:
    with pytest.raises(AssertionError):
        untranslated("<p>⟦Sign in</p>")
