"""`manage.py bench profile` with few tasks: what it counts, on whichever server can tell."""

import json

import pytest

from tasker_project.bench.profile.server import EXTENSION
from tasker_project.embedded.binaries import newest_with

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(240)]
LOADS = ("saturated", "calm")


def test_profile_tells_what_a_step_costs_the_server(processes, tmp_path):
    stored = tmp_path / "profile.json"

    done = processes.run(
        *("bench", "profile", "--tasks", "400", "--samples", "3", "--json", str(stored)),
        within=220,
    )

    assert done.child.returncode == 0, done.output
    document = json.loads(stored.read_text())
    figures = document["figures"]
    for load in LOADS:
        assert figures[f"profile_{load}.steps"] > 0
        assert 0 < figures[f"profile_{load}.commits_per_step"] < 100
        assert 5 < figures[f"profile_{load}.rows_written_per_step"] < 100
        assert figures[f"profile_{load}.wal_bytes_per_step"] > 100
    titles = {listing["title"] for listing in document["listings"]}
    assert all(listed(titles, load, "rows of tables") for load in LOADS)
    if newest_with(EXTENSION) is None:
        assert "only functions are told apart" in done.output
        assert all(listed(titles, load, "functions") for load in LOADS)
    else:
        assert all(listed(titles, load, "statements") for load in LOADS)
        assert figures["profile_saturated.statements_per_step"] > 0
        texts = {row[0] for listing in document["listings"] for row in listing["rows"]}
        assert any("tasker_claim_steps" in text for text in texts)
        assert not any("bench profile" in text for text in texts)


def listed(titles, load, what):
    return any(title.startswith(load) and f": {what}, per step" in title for title in titles)
