"""`manage.py run_orchestrator`: moves tasks on until it is asked to stop."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from orchestration import health
from orchestration.conf import engine_settings
from orchestration.orchestrator import build_loops
from orchestration.process import Presence, Process, install_health, process_row
from orchestration.process.command import ProcessCommand, chosen
from orchestration.runtime.identity import identify_process
from orchestration.runtime.loop import Loop, run_until_idle
from orchestration.runtime.supervisor import Part


class Command(ProcessCommand):
    """Runs an orchestrator."""

    help = "Run the loops of the engine: results, requests, due work, discovery, sweep."

    def run(self, options: dict[str, Any]) -> int:
        """Build the process from options and settings and run it."""
        settings = engine_settings()
        process = Process(
            identify_process("orchestrator"),
            mode=chosen(options["mode"], settings.mode),
            http_port=chosen(options["http_port"], settings.orchestrator_http_port),
        )
        return process.run(
            partial(_run_once if options["once"] else _build_parts, process, options),
            statement_timeout_ms=settings.engine_statement_timeout_ms,
        )


def _build_parts(process: Process, options: dict[str, Any]) -> list[Part]:
    """Register the orchestrator and return its parts, wired to listener and probes."""
    settings = engine_settings()
    loops = _build_loops(process, options)
    for loop in loops:
        loop.stop_seconds = chosen(options["grace_seconds"], settings.shutdown_grace_seconds)
    presence = Presence(process, process_row(process))
    presence.register()
    heartbeat = presence.loop(heartbeat_seconds=settings.heartbeat_seconds)
    process.on_stopping = heartbeat.wake
    process.on_end = presence.leave
    process.listen(_wakes(loops), drain=lambda: _wake_all([heartbeat, *loops]))
    install_health(
        process,
        {"database": health.check_database, "orchestration_database": health.check_schema},
        required=("database", "orchestration_database"),
    )
    return [heartbeat, *loops]


def _run_once(process: Process, options: dict[str, Any]) -> list[Part]:
    """Work off what is there in this thread, then ask the process to end."""
    run_until_idle(_build_loops(process, options))
    process.shutdown.ask()
    return []


def _build_loops(process: Process, options: dict[str, Any]) -> list[Loop]:
    settings = replace(engine_settings(), mode=process.mode)

    def poll_seconds() -> float:
        if options["idle_seconds"] is not None:
            return float(options["idle_seconds"])
        return process.poll_seconds(poll_ms=settings.orchestrator_poll_ms)

    return build_loops(process.identity, settings=settings, poll_seconds=poll_seconds)


def _wakes(loops: Sequence[Loop]) -> dict[str, Callable[[], None]]:
    """Return for each channel the function that wakes the loops waiting on it."""
    by_channel: dict[str, list[Loop]] = defaultdict(list)
    for loop in loops:
        for channel in loop.wake_on:
            by_channel[channel].append(loop)
    return {channel: partial(_wake_all, woken) for channel, woken in by_channel.items()}


def _wake_all(loops: Sequence[Loop]) -> None:
    for loop in loops:
        loop.wake()
