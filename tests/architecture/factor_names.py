"""Where a second factor may be named: its own files, and the tables that list factors. Anywhere else is a branch."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.architecture.source import Source

NAMES = re.compile(
    r"totp|software_?token|sms_?mfa|sms_enabled|factors\.sms\b|factors import (?:.*\b)?sms\b|\bsms\.kind", re.IGNORECASE
)
OWN = "the factor's own file"
WIRE = "Amazon's names of it"
STORED = "its table, or what is kept by it"
POOL = "the pool's setting that lets people have it"
WORDS = "what is said of its codes"
OPERATORS = "an operator's authenticator, which is no factor of a pool"
LISTED = {
    "pools/services/sign_in/factors/__init__.py": "the table of all factors",
    "pools/services/sign_in/factors/sms.py": OWN,
    "pools/services/sign_in/factors/totp.py": OWN,
    "pools/hosted/authenticator.py": OWN,
    "pools/hosted/text_messages.py": OWN,
    "pools/cognito/operations/factors.py": OWN,
    "pools/cognito/operations/user_pools.py": WIRE,
    "pools/cognito/challenges.py": WIRE,
    "pools/services/user_imports/work.py": "a column of files that are imported",
    "pools/services/people/recovery_routes.py": "what is a second factor recovers nothing",
    "pools/cognito/faults.py": WIRE,
    "identity/management/coverage_tables.py": WIRE,
    "identity/foundation/errors.py": WORDS,
    "pools/hosted/wording.py": WORDS,
    "pools/models/__init__.py": STORED,
    "pools/models/account_rows.py": STORED,
    "pools/models/bulk_user_rows.py": STORED,
    "pools/models/factor.py": STORED,
    "pools/models/user.py": STORED,
    "pools/models/hot.py": STORED,
    "pools/models/session.py": STORED,
    "pools/services/housekeeping.py": STORED,
    "pools/services/sealing_contexts.py": STORED,
    "pools/models/user_pool.py": POOL,
    "pools/services/audit.py": POOL,
    "pools/services/pools/pool_choices.py": POOL,
    "pools/services/pools/pool_rules.py": POOL,
    "pools/services/pools/second_factor_settings.py": POOL,
    "pools/services/pools/user_pools.py": POOL,
    "identity/demo/seed.py": POOL,
    "identity/console/sign_in.py": OPERATORS,
    "identity/console/wording.py": OPERATORS,
    "identity/models.py": OPERATORS,
    "identity/settings.py": OPERATORS,
    "pools/services/operators/operator_sign_in.py": OPERATORS,
    "pools/services/operators/operators.py": OPERATORS,
    "identity/logs.py": "words that mark a secret in a log",
}
"""By file, the reason. One that names no factor any more must leave the list."""


def factor_names(source: Source) -> Iterator[str]:
    """A second factor is one file: no other names it, but the tables that list factors."""
    if not source.is_product or source.is_migration or source.path in LISTED:
        return
    for at, line in enumerate(source.text.splitlines(), 1):
        if NAMES.search(line):
            yield f"line {at} names a factor"
