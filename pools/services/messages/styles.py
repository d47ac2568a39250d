"""Writes a mail's styles into its elements, since many mail programs read no style sheet.

Imported by whoever delivers: what it needs weighs 2 MiB, which a web process does without.
"""

from __future__ import annotations

import css_inline
import structlog

log = structlog.get_logger(__name__)
INLINER = css_inline.CSSInliner(keep_style_tags=True, keep_at_rules=True, load_remote_stylesheets=False)


def inlined(page: str, *, pool: str) -> str:
    """Return a page with its styles in its elements; as it was, where they cannot be read: the log names the pool."""
    try:
        return INLINER.inline(page)
    except css_inline.InlineError as problem:
        # The operator's own template: a style that nobody can read costs looks, not people their codes.
        log.warning("mail_not_inlined", pool=pool, problem=str(problem))
        return page
