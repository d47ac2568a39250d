# pretend: pools/web/planted_annotated.py
# breaks: No circles
"""The other half, which only an annotation names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pools.web import planted_annotating as planted_annotating
