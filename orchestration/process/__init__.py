"""What every orchestrator and worker process is made of, besides its own loops."""

from orchestration.process.presence import Presence, process_row
from orchestration.process.process import Process
from orchestration.process.self_checks import breaker_states, install_health

__all__ = ["Presence", "Process", "breaker_states", "install_health", "process_row"]
