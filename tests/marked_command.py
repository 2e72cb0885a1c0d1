"""A `manage.py` command that starts processes of its own, on an embedded server of its own.

Every process below it inherits a mark in its environment, so a test can tell that none is left.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path

from tasker_project.embedded import postmaster
from tasker_project.embedded.launcher import EmbeddedServer
from tests.processes import PROJECT, wait_until

MANAGE = (sys.executable, "manage.py")


class MarkedCommand:
    """One running command with all that it started."""

    def __init__(
        self,
        root: Path,
        *arguments: str,
        terminal: int | None = None,
        program: Sequence[str] = MANAGE,
        folder: Path = PROJECT,
        **environment: str,
    ) -> None:
        """Start the command; on a terminal, `output` stays empty: the test reads that itself."""
        self.mark = f"COMMAND_TEST_MARK={uuid.uuid4()}"
        self.data = EmbeddedServer(root).data
        self.output = ""
        given = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "TASKER_"))}
        given |= {"TASKER_ENV": "test", "TASKER_LOG_LEVEL": "INFO", "TASKER_DATA_DIR": str(root)}
        given |= dict([self.mark.split("=", 1)])
        given["DJANGO_SETTINGS_MODULE"] = "tasker_project.settings"  # the tests' set the profile
        self.environment = {**given, **environment}
        self.child = subprocess.Popen(
            [*program, *arguments],
            env=self.environment,
            cwd=folder,
            stdin=terminal or subprocess.DEVNULL,
            stdout=terminal or subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        if self.child.stdout is None:
            return
        with self.child.stdout as lines:
            for line in lines:
                self.output += line

    def says(self, pattern: str, *, times: int = 1, within: float = 60.0) -> str:
        """Wait for the last of several lines like this and return what its group holds."""
        try:
            wait_until(lambda: len(re.findall(pattern, self.output)) >= times, within)
        except AssertionError:
            raise AssertionError(f"never said {pattern!r}:\n{self.output}") from None
        return str(re.findall(pattern, self.output)[-1])

    def is_gone(self) -> bool:
        """Tell whether neither a process nor the server is left."""
        return not self.processes() and not postmaster.is_running(self.data)

    def processes(self, *, named: str = "") -> list[int]:
        """Return the processes that carry the mark, dead ones left out."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                has_mark = os.fsencode(self.mark) in (entry / "environ").read_bytes().split(b"\0")
                if has_mark and named in (entry / "cmdline").read_text():
                    found.append(int(entry.name))
            except OSError:
                continue
        return [pid for pid in found if postmaster.is_alive(pid)]

    def end(self) -> None:
        """Kill whatever is left."""
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self.child.wait()
        self._reader.join(5)
