# pretend: pools/hosted/planted_page.py
"""Shows a page by the column of one factor."""


def is_offered(pool: object) -> bool:
    """Say whether the pool lets people have a second factor."""
    return bool(pool.totp_enabled)
