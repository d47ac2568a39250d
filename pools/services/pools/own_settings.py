"""Rows of settings that Cognito does not have: the wire neither takes nor tells them, operators choose them."""

from __future__ import annotations

from pools.services.pools.settings_table import Choice, Control, Described, Setting, Text


def own_switch(name: str, *, label: Text, help: Text) -> Setting:  # noqa: A002 - as in Choice
    """Return a switch that Cognito does not have, kept in a column of that name; off is what Cognito does."""
    return Setting(
        name=name,
        place=name,
        default=False,
        keep=bool,
        described=Described.NEVER,
        stays=True,
        is_on_wire=False,
        choice=Choice(control=Control.SWITCH, label=label, help=help),
    )
