"""The one place that signs people in."""
