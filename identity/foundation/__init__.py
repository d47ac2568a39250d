"""What everything stands on: errors, names, time, sealing, limits, the way out. Knows nothing of pools."""
