# pretend: pools/cognito/operations/planted_users.py
"""Spells Amazon's name of a factor a second time."""

METHODS = {"SoftwareTokenMfaSettings": "SOFTWARE_TOKEN_MFA"}
