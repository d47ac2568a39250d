"""User pools and their app clients: how they are set up, their keys, attributes and password rules. Nobody in them."""
