"""When a task counts as forgotten, and what the detector then may do (engine.md 12)."""

from dataclasses import dataclass

from templates_registry.conf import cached, setting

WEEK_MINUTES = 10_080


@dataclass(frozen=True, slots=True, kw_only=True)
class StalenessSettings:
    """Table of the staleness detector; attribute = name of the setting in lower case."""

    staleness_enabled: bool = setting(True, "look for tasks that stopped moving")
    staleness_dry_run: bool = setting(False, "look only: log what would be done")
    staleness_notify: bool = setting(True, "tell channel task_staleness_detected")
    staleness_interval_seconds: int = setting(
        300,
        "pause between two looks",
        unit="seconds",
        minimum=5,
        maximum=86400,
        profiles={"test": 60, "production": 600},
    )
    staleness_batch_count: int = setting(100, "tasks per look", minimum=1, maximum=10_000)
    stale_waiting_dependencies_minutes: int = setting(
        60,
        "limit of waiting_for_dependencies where the template names none",
        unit="minutes",
        minimum=1,
        maximum=WEEK_MINUTES,
        profiles={"test": 5, "production": 120},
    )
    stale_waiting_retry_minutes: int = setting(
        30,
        "limit of waiting_for_retry where the template names none",
        unit="minutes",
        minimum=1,
        maximum=WEEK_MINUTES,
        profiles={"test": 2, "production": 60},
    )
    stale_steps_in_process_minutes: int = setting(
        30,
        "limit of steps_in_process where the template names none",
        unit="minutes",
        minimum=1,
        maximum=WEEK_MINUTES,
        profiles={"test": 5, "production": 60},
    )
    max_task_lifetime_hours: int = setting(
        0,
        "age of the oldest task that is not over, where the template names none; 0 = no limit",
        unit="hours",
        minimum=0,
        maximum=8760,
    )


staleness_settings = cached(StalenessSettings)
