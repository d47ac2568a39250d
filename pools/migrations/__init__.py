"""Migrations of everything that lives in pools."""
