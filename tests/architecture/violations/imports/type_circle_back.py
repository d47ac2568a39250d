# pretend: pools/web/planted_circle_back.py
# breaks: No circles
"""The other half, which only an annotation names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pools.web import planted_circle as planted_circle
