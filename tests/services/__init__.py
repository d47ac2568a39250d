"""Services on real PostgreSQL: the directory, codes, passwords, messages, and what races do to them."""
