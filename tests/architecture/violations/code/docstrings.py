# pretend: pools/services/nameless.py
from __future__ import annotations
