"""The steps between an attempt and its end. Each knows when it applies, what it asks and how it checks. None calls another."""
