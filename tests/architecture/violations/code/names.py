# pretend: pools/services/utils.py
"""Everything that found no room."""
