"""What carries messages out of the installation, one module a channel: each sends one message, or says why not."""
