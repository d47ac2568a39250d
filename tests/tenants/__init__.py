"""Two tenants of one installation: what one holds opens, tells and changes nothing of the other's."""
