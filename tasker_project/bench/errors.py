"""What can go wrong with a measurement."""


class BenchError(Exception):
    """A measurement could not be made; the text says which, why, and what to do."""
