# pretend: federation/shell.py
# breaks: S602
"""Runs what it is told."""

import subprocess


def run(what: str) -> None:
    """Run."""
    subprocess.run(what, shell=True, check=True)
