"""How long something took, as a person reads it: `350ms`, `1m 2.050s`, `2h 5m`."""

from datetime import datetime, timedelta

from orchestration.queries.task_graph import GraphStep, TaskHead

_MILLISECOND = timedelta(milliseconds=1)


def duration_text(duration: timedelta) -> str:
    """Return a duration; whole milliseconds count, and only below one hour."""
    total_ms = duration // _MILLISECOND
    if total_ms <= 0:
        return "0s"
    if total_ms < 1000:
        return f"{total_ms}ms"
    seconds, rest_ms = divmod(total_ms, 1000)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    fraction = f".{rest_ms:03}" if rest_ms and not hours else ""
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else ""]
    parts.append(f"{seconds}{fraction}s" if seconds or fraction else "")
    return " ".join(part for part in parts if part)


def elapsed(task: TaskHead) -> str:
    """Return how long a task took, or has taken so far."""
    return duration_text((task.completed_at or task.seen_at) - task.created_at)


def step_duration(step: GraphStep) -> str | None:
    """Return how long the last attempt of a finished step took, None for an unfinished one."""
    if step.completed_at is None:
        return None
    began_at: datetime = step.last_attempted_at or step.created_at
    return duration_text(step.completed_at - began_at)
