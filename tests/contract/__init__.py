"""What the wire promises, whoever handles the operations: Amazon's model, errors, signatures."""
