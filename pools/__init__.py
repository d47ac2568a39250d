"""Where people live: user pools and identity pools."""
