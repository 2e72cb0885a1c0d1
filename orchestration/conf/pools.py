"""How many executors a process has, and when a pool of them grows or shrinks."""

from dataclasses import dataclass

from templates_registry.conf import Range, cached, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """Table of the executor pools; attribute = name of the setting in lower case."""

    pool_requests: Range = setting(  # noqa: RUF009 - a range is a tuple, nothing shared can change
        Range(1, 5), "executors of an orchestrator for task requests", minimum=1, maximum=64
    )
    pool_results: Range = setting(  # noqa: RUF009
        Range(2, 10), "executors of an orchestrator for results", minimum=1, maximum=64
    )
    pool_discovery: Range = setting(  # noqa: RUF009
        Range(1, 4), "executors of an orchestrator for waiting tasks", minimum=1, maximum=64
    )
    pool_scale_seconds: int = setting(
        5, "time over which the use of a pool is measured", unit="seconds", minimum=1, maximum=300
    )
    pool_target_utilization: float = setting(
        0.75, "share of the time that executors shall be busy", minimum=0.1, maximum=0.95
    )
    pool_up_cooldown_seconds: int = setting(
        10, "rest after a pool has grown", unit="seconds", minimum=0, maximum=3600
    )
    pool_down_cooldown_seconds: int = setting(
        60, "rest after a pool has shrunk", unit="seconds", minimum=0, maximum=3600
    )


pool_settings = cached(PoolSettings)
