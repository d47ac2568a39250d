"""Migrations of operators and access keys."""
