"""Federation: speaks to other identity systems and to STS; owns no tables."""
