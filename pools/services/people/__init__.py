"""The people of a pool: accounts, attributes, names, groups, passwords. How they sign in is ``sign_in``."""
