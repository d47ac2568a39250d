"""Measures of the main jobs, next to a floor measured in the same run. ``make bench``; never part of the tests."""
