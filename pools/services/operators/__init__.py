"""Operators of the installation: accounts, access keys, how they sign in. Their pages are the console's."""
