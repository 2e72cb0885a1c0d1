"""The admin's pages are no part of a process that shows none, and are checked all the same."""

import subprocess
import sys

import pytest
from django.conf import settings


def modules_after(statement):
    script = (
        f"import django, sys; django.setup(); {statement}; "
        "print(*[name for name in sys.modules if '.admin' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=settings.BASE_DIR,
    )
    return done.stdout.split()


@pytest.mark.parametrize("process", ["orchestration.orchestrator", "workers.worker"])
def test_a_process_without_pages_imports_no_page(process):
    found = modules_after(
        f"import {process}; from orchestration import checks; checks.refuse_bad_settings()"
    )

    assert [name for name in found if name.startswith(("orchestration.admin", "unfold."))] == []


@pytest.mark.parametrize(
    "door", ["import tasker_project.urls", "from django.core import checks; checks.run_checks()"]
)
def test_the_addresses_and_the_checks_bring_the_pages(door):
    assert "orchestration.admin.dlq" in modules_after(door)
