"""schemathesis against every call of the API: a small run; the large one is in `benchmarks`."""

import pytest

from tests.access_table import TABLE
from tests.contract import make_worlds, run_contract
from tests.credentials import key


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(600)
def test_random_requests_find_nothing_that_is_not_documented(settings):
    settings.TASKER = {"environment": "test", "auth_enabled": True}

    run = run_contract(
        make_worlds(), credential=key(["*"]), most_cases=4, phases=("examples", "fuzzing")
    )

    assert not run.findings, "\n".join([str(run), *run.findings])
    assert run.cases.total() > 100
    called = {call for call in TABLE if call[1].startswith("/v1/") and call[1] != "/v1/schema"}
    assert len(run.operations) > len(called) * 0.7, sorted(run.operations)
