"""Storage: the hot statements, and the rules that the database itself holds."""
