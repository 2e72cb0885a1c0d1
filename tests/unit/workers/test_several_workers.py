"""`run_worker --processes`: the command line of each worker, and who may start them."""

import sys

import pytest
from django.core.management import CommandError, call_command

from workers.management.commands.run_worker import _command_of


@pytest.mark.parametrize(("first_port", "ports"), [(8081, [8081, 8082]), (0, [0, 0])])
def test_each_worker_has_a_name_and_a_port_of_its_own(monkeypatch, first_port, ports):
    monkeypatch.setattr(sys, "orig_argv", ["python", "manage.py", "run_worker", "--processes=2"])

    for number, port in enumerate(ports, start=1):
        assert _command_of(number, 9, name="w", first_port=first_port) == [
            *(sys.executable, "manage.py", "run_worker", "--processes=2"),
            *("--processes=1", f"--worker-id=w-{number}", f"--http-port={port}", "--parent-fd=9"),
        ]


def test_another_program_does_not_become_the_parent_of_several():
    with pytest.raises(CommandError, match="a parent of their own"):
        call_command("run_worker", processes=2)
