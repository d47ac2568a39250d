# pretend: pools/services/peeking.py
"""Reads the environment past the settings."""

import os

REGION = os.environ.get("REGION", "us-east-1")
