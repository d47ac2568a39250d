"""Against software that others wrote. ``make interop``."""
