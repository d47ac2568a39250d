# pretend: pools/services/guess.py
# breaks: TID251
"""Makes codes that can be foreseen."""

import random

CODE = random.randrange(10**6)
