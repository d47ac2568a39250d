"""Mail and SMS: composed, limited, queued in the outbox, delivered. When one is due, the caller knows."""
