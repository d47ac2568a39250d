"""The steps between an attempt and its end: when each applies, what it asks, how it checks. None calls another."""
