"""Two tenants of one house: what one holds opens, tells and changes nothing of the other's."""
