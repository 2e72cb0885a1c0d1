"""One place in the cluster of a run: which process is in it, and what was done to that process."""

from dataclasses import dataclass, field
from pathlib import Path

from tasker_project.processes import Child

READY_TEXT = "process.started"


@dataclass
class Member:
    """One place in the cluster; the process in it changes."""

    name: str
    mode: str
    child: Child | None = None
    starts: int = 0
    is_paused: bool = False
    is_stopping: bool = False
    logs: list[Path] = field(default_factory=list)
    _has_started: bool = False

    @property
    def kind(self) -> str:
        """One of orchestrator, worker, web."""
        return self.name.partition("-")[0]

    @property
    def is_up(self) -> bool:
        """Its process runs and nothing was done to it that has not ended."""
        return (
            self.child is not None
            and self.child.exit_code is None
            and not (self.is_paused or self.is_stopping)
        )

    @property
    def has_started(self) -> bool:
        """Its present process has said that it serves; its log is read until then."""
        if not self._has_started:
            self._has_started = READY_TEXT in self.logs[-1].read_text(errors="replace")
        return self._has_started

    def start_log(self, folder: Path) -> Path:
        """Return the log of its next process."""
        self.starts += 1
        self._has_started = self.is_stopping = self.is_paused = False
        self.logs.append(folder / f"{self.name}.{self.starts}.log")
        return self.logs[-1]
