"""Accounts that people make for themselves, until they are confirmed. Signing in afterwards is ``sign_in``."""
