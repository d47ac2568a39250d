"""The login pages of a pool: an adapter over the sign-in machine, sign-up and recovery. Decides nothing itself.

One GET page and one POST form a step, complete without JavaScript. What the browser came for stays in the URL.
"""
