"""Which published package the names stand for."""

from workers.compat import COMPAT_VERSION

__version__ = COMPAT_VERSION


def get_version() -> str:
    """Return the version of the published package whose names these are."""
    return COMPAT_VERSION


version = get_version


def get_rust_version() -> str:
    """Return a text in the published shape that says what is really running."""
    return f"tasker-py {COMPAT_VERSION} names, rustc not in use: Tasker for Django"


def health_check() -> bool:
    """Say that calls arrive; there is no native part that could fail."""
    return True
