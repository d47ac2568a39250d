# pretend: pools/hosted/now.py
# breaks: TID251
"""Reads a clock."""

from datetime import UTC, datetime

NOW = datetime.now(UTC)
