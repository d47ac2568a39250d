"""Tests of what browser-facing adapters share."""
