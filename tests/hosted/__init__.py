"""The login pages, over HTTP against a live installation."""
