"""`manage.py run_orchestrator`: moves tasks on until it is asked to stop."""

import argparse
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from django.core.management.base import CommandParser

from orchestration import health
from orchestration.access.checks import check_groups
from orchestration.conf import engine_settings, pool_settings
from orchestration.orchestrator import build_parts
from orchestration.process import (
    Presence,
    Process,
    breaker_states,
    install_health,
    process_row,
)
from orchestration.process.command import ProcessCommand, chosen
from orchestration.runtime.executor_pool import ExecutorPool
from orchestration.runtime.identity import identify_process
from orchestration.runtime.loop import Loop, run_until_idle
from orchestration.runtime.supervisor import Part
from templates_registry.conf import Range

log = logging.getLogger(__name__)

POOLS = ("results", "requests", "discovery")
LARGEST_POOL = 64


class Command(ProcessCommand):
    """Runs an orchestrator."""

    help = "Run the loops of the engine: results, requests, due work, discovery, sweep."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options of an orchestrator."""
        super().add_arguments(parser)
        parser.add_argument(
            "--pool",
            type=pool,
            action="append",
            default=[],
            metavar="NAME=MIN-MAX",
            help=f"executors of a pool ({', '.join(POOLS)}); may be repeated",
        )

    def run(self, options: dict[str, Any]) -> int:
        """Build the process from options and settings and run it."""
        settings = engine_settings()
        process = Process(
            identify_process("orchestrator"),
            mode=chosen(options["mode"], settings.mode),
            http_port=chosen(options["http_port"], settings.orchestrator_http_port),
        )
        return process.run(
            partial(_run_once if options["once"] else _wire_parts, process, options),
            statement_timeout_ms=settings.engine_statement_timeout_ms,
        )


def _wire_parts(process: Process, options: dict[str, Any]) -> list[Part]:
    """Register the orchestrator and return its parts, wired to listener and probes."""
    settings = engine_settings()
    for each in check_groups():
        log.warning("access.group_unknown", extra={"check": each.id, "error": each.msg})
    parts = _build_parts(process, options)
    for part in parts:
        part.stop_seconds = chosen(options["grace_seconds"], settings.shutdown_grace_seconds)
    describe = partial(_describe, [part for part in parts if isinstance(part, ExecutorPool)])
    presence = Presence(process, process_row(process), report=describe)
    presence.register()
    heartbeat = presence.loop(heartbeat_seconds=settings.heartbeat_seconds)
    process.on_stopping = heartbeat.wake
    process.on_end = presence.leave
    process.more_status = describe
    process.listen(_wakes(parts), drain=lambda: _wake_all([heartbeat, *parts]))
    install_health(
        process,
        {
            "database": health.check_database,
            "orchestration_database": health.check_schema,
            **health.engine_checks(is_orchestrator=True),
        },
        required=("database", "orchestration_database"),
        more_info=describe,
    )
    return [heartbeat, *parts]


def _run_once(process: Process, options: dict[str, Any]) -> list[Part]:
    """Work off what is there in this thread, then ask the process to end."""
    run_until_idle(_build_parts(process, options))
    process.shutdown.ask()
    return []


def _build_parts(process: Process, options: dict[str, Any]) -> list[Loop | ExecutorPool]:
    settings = replace(engine_settings(), mode=process.mode)
    bounds = replace(pool_settings(), **{f"pool_{name}": size for name, size in options["pool"]})

    def poll_seconds() -> float:
        if options["idle_seconds"] is not None:
            return float(options["idle_seconds"])
        return process.poll_seconds(poll_ms=settings.orchestrator_poll_ms)

    return build_parts(
        process.identity, settings=settings, bounds=bounds, poll_seconds=poll_seconds
    )


def _describe(pools: Sequence[ExecutorPool]) -> dict[str, object]:
    """Return what a person, and the checks of other processes, ask about an orchestrator."""
    return {
        "executor_pools": {each.name: each.size.describe() for each in pools},
        "circuit_breaker_state": breaker_states("orchestrator"),
    }


def _wakes(parts: Sequence[Loop | ExecutorPool]) -> dict[str, Callable[[], None]]:
    """Return for each channel the function that wakes the parts waiting on it."""
    by_channel: dict[str, list[Loop | ExecutorPool]] = defaultdict(list)
    for part in parts:
        for channel in part.wake_on:
            by_channel[channel].append(part)
    return {channel: partial(_wake_all, woken) for channel, woken in by_channel.items()}


def _wake_all(parts: Sequence[Loop | ExecutorPool]) -> None:
    for part in parts:
        part.wake()


class Bounds(NamedTuple):
    """Bounds given on the command line."""

    name: str
    size: Range


def pool(text: str) -> Bounds:
    """Read `NAME=MIN-MAX` or `NAME=N`."""
    name, _, size = text.partition("=")
    least, _, most = size.partition("-")
    if name not in POOLS or not least.isdecimal() or not (most or least).isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not one of {', '.join(POOLS)} with =MIN-MAX")
    bounds = Range(int(least), int(most or least))
    if not 1 <= bounds.minimum <= bounds.maximum <= LARGEST_POOL:
        raise argparse.ArgumentTypeError(f"{text} is not within 1 to {LARGEST_POOL}")
    return Bounds(name, bounds)
