"""What the tests of credentials share."""

import pytest

from orchestration.access.key_lookup import forget_keys


@pytest.fixture(autouse=True)
def _no_key_is_remembered() -> None:
    """Begin without keys that an earlier test looked up."""
    forget_keys()
