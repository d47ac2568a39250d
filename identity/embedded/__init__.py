"""What ``make run`` starts beside us: PostgreSQL, Redis, TLS with a local CA, the demo's AWS.

Production never imports it.
"""
