"""The Django project above everything, and a small foundation below everything."""
