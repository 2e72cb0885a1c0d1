"""Random workflows, outcomes and interleavings, held against a simple model of the engine."""

import pytest

for name in ("stage", "workers", "orchestrators", "machine"):
    pytest.register_assert_rewrite(f"{__name__}.{name}")
