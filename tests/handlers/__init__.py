"""Small handlers that the tests' worker processes run."""
