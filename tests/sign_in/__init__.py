"""The sign-in machine, and the tokens it ends in."""
