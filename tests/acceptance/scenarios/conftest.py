"""Clusters of real processes: one shared by the tests of a module, or one of a test's own.

A test that kills or starts processes takes `own_cluster`, any other the shared `engine`. Both end
with the invariants of engine.md 4.5, and with at most one accepted result per step.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from orchestration.testing import linear
from tests import crashing
from tests.clusters import Cluster, assert_one_accepted_result
from tests.conftest import purge_queues
from tests.factories.ticks import assert_invariants
from tests.processes import Processes


@pytest.fixture(scope="module")
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Open the test database to a whole module, and leave it empty.

    Takes the place of pytest-django's fixture: each of its tests either rolls back, so that no
    process sees a thing, or truncates tables under the processes that the module shares.
    """
    with django_db_blocker.unblock():
        yield
        call_command("flush", verbosity=0, interactive=False)  # permissions and groups come back
        purge_queues()


@pytest.fixture(scope="module")
def shared_cluster(db: None) -> Iterator[Cluster]:
    """Return one orchestrator and one worker that all tests of a module use."""
    cluster = Cluster(Processes())
    cluster.register(linear())
    try:
        cluster.orchestrator()
        cluster.worker("test", "--slots", "4")
        yield cluster
    finally:
        cluster.processes.end_all()


@pytest.fixture
def engine(shared_cluster: Cluster) -> Iterator[Cluster]:
    """Return the running cluster; the invariants hold when the test is over."""
    yield shared_cluster
    assert_invariants()
    assert_one_accepted_result()


@pytest.fixture
def own_cluster(processes: Processes) -> Iterator[Cluster]:
    """Return a cluster without processes; the invariants hold when the test is over."""
    cluster = Cluster(processes)
    cluster.register(linear())
    yield cluster
    assert_invariants()
    assert_one_accepted_result()


@pytest.fixture
def crashes() -> Iterator[crashing.Crashes]:
    """Return a driver of turns that break; the invariants hold when the test is over."""
    with crashing.started() as found:
        yield found
    assert_invariants()
    assert_one_accepted_result()


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """Return the folder by which a test holds handlers back (tests/handlers/shapes.py)."""
    folder = tmp_path / "gate"
    folder.mkdir()
    return folder
