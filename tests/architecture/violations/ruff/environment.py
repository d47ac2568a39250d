# pretend: pools/services/peek.py
# breaks: TID251
"""Reads the environment."""

import os

HOME = os.environ["HOME"]
