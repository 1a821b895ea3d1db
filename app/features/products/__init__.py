"""A catalogue: the example to read first."""
