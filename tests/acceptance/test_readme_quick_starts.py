"""README's quick starts for Python and the API are followed word by word, in a copy of the project.

The one for the admin is followed by a browser (`tests/browser/test_readme_admin.py`), the one for
containers by `test_container_roles.py`.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import wait_until
from tests.quick_start import README, QuickStart, blocks, following_readme, section

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[QuickStart]:
    if shutil.which("curl") is None:
        pytest.skip("curl is missing (Debian: apt install curl)")
    with following_readme(tmp_path) as followed:
        yield followed


def documents(text: str) -> Iterator[Any]:
    """Yield what several calls have printed one behind the other."""
    while text := text.strip():
        found, end = json.JSONDecoder().raw_decode(text)
        yield found
        text = text[end:]


def test_the_first_workflow_runs_from_python_and_over_rest(reader: QuickStart):
    [python] = blocks("From Python", "python")
    [rest] = blocks("Over REST", "sh")
    *_, finished = rest.splitlines()

    printed = reader.type_in(".venv/bin/python manage.py shell", python)
    task, steps, _ = documents(reader.follow(rest))

    assert re.search(r"^(pending|steps_in_process)", printed, re.MULTILINE), printed
    assert (task["name"], task["namespace"]) == ("brew", "tea")
    assert [step["name"] for step in steps] == ["boil_water", "pour"]

    def are_both_done() -> bool:
        found = json.loads(reader.follow(finished))
        return bool(found["pagination"]["total_count"] == 2)

    wait_until(are_both_done, within=60)
    one = finished.replace("tasks?namespace=tea&status=complete", f"tasks/{task['task_uuid']}")
    done = {step["name"]: step["attempts"] for step in json.loads(reader.follow(one))["steps"]}
    assert done == {"boil_water": 2, "pour": 1}


def test_every_command_that_readme_shows_exists():
    from django.core.management import get_commands

    shown = re.findall(r"manage\.py ([a-z_]+)", README)

    assert len(set(shown)) > 15
    assert set(shown) - set(get_commands()) == set()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make ([a-z-]+)", README))))
def test_every_target_of_make_that_readme_shows_exists(target):
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()

    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_file_that_readme_leads_to_exists():
    root = Path(__file__).parents[2]
    for text, folder in (
        (README, root),
        *((each.read_text(), each.parent) for each in (root / "docs").glob("*.md")),
    ):
        for path in re.findall(r"\]\((?!http|#)([^)#]+)", text):
            assert (folder / path).exists(), path


def test_the_quick_start_of_the_admin_can_be_followed_by_clicks():
    steps = section("In the admin")

    assert len(re.findall(r"^\d\. ", steps, re.MULTILINE)) == 4
