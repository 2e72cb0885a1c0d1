"""schemathesis against the API at length: examples, borders, random requests; not run by default.

pytest -m benchmark tests/benchmarks/test_api_contract_large.py -s
"""

import pytest

from tests.contract import make_worlds, run_contract
from tests.credentials import key

MOST_CASES = 60
LEAST_IN_ALL = 2000


@pytest.mark.benchmark
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(3600)
def test_thousands_of_requests_find_nothing_that_is_not_documented(settings):
    settings.TASKER = {"environment": "test", "auth_enabled": True}

    run = run_contract(make_worlds(), credential=key(["*"]), most_cases=MOST_CASES)
    print(run)  # noqa: T201 the figure

    assert not run.findings, "\n".join([str(run), *run.findings])
    assert run.cases.total() >= LEAST_IN_ALL
    assert not [code for code in run.statuses if code >= 500]
