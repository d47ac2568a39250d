"""Console, mailbox and management API over live HTTP, and in Chromium."""
