"""Programs of others that sign people in, unmodified: see that they do so here."""
