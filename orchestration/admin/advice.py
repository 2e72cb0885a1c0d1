"""What to do next, from the figures of the dashboard: plain rules, the most pressing first."""

from collections.abc import Iterable, Iterator, Mapping

from orchestration.health import UNHEALTHY, CheckResult
from orchestration.queries.dashboard import SlowStep, Tiles

FAILING_SHARE = 0.2
SLOW_MS = 30_000
FEW_ATTEMPTS = 5


def recommendations(
    tiles: Tiles, slow_steps: Iterable[SlowStep], checks: Mapping[str, CheckResult]
) -> list[str]:
    """Return sentences that say what is wrong and what helps."""
    return [*_engine(tiles), *_checks(checks), *_steps(slow_steps)]


def _engine(tiles: Tiles) -> Iterator[str]:
    if not tiles.orchestrators and tiles.running + tiles.waiting:
        yield "No orchestrator lives: tasks do not move on. Start manage.py run_orchestrator."
    if not tiles.workers and tiles.running:
        yield "No worker lives: steps wait in their queues. Start manage.py run_worker."
    if tiles.blocked:
        yield f"{_count(tiles.blocked, 'task')} blocked by failures: read why, repair, retry."
    if tiles.dlq_pending:
        yield f"{_count(tiles.dlq_pending, 'investigation')} pending in the DLQ."


def _count(number: int, noun: str) -> str:
    return f"1 {noun} is" if number == 1 else f"{number} {noun}s are"


def _checks(checks: Mapping[str, CheckResult]) -> Iterator[str]:
    for name, found in checks.items():
        if found.status == UNHEALTHY and name != "orchestration_system":
            yield f"{name}: {found.message}."


def _steps(slow_steps: Iterable[SlowStep]) -> Iterator[str]:
    for each in slow_steps:
        name = f"{each.namespace}/{each.template}, step {each.step}"
        if each.attempts >= FEW_ATTEMPTS and each.failures / each.attempts > FAILING_SHARE:
            yield f"{name}: {each.failures} of {each.attempts} attempts failed."
        if each.mean_ms > SLOW_MS:
            seconds = round(each.mean_ms / 1000)
            yield f"{name}: takes {seconds} s on average; split it, or run it in parallel."
