"""What a region of AWS may be called: it becomes part of hosts' names, and of the ids of pools.

Whether there is one of that name is AWS's to say.
"""

from __future__ import annotations

import re

PATTERN = r"[a-z]{2,4}(-[a-z]+){1,3}-\d{1,2}"
"""``eu-west-1``, ``us-gov-east-1``, ``us-isob-east-1``, ``eusc-de-east-1``: as every partition of AWS has them."""
LONGEST = 32


def is_region(text: str) -> bool:
    """Say whether a text can be a region's name."""
    return len(text) <= LONGEST and re.fullmatch(PATTERN, text) is not None
