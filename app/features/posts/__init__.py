"""Short texts that people like."""
