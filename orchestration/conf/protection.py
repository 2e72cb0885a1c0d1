"""When new work is turned away: deep queues, late results, open circuit breakers."""

from dataclasses import dataclass
from enum import IntEnum

from templates_registry.conf import BreakerRule, cached, setting


class Tier(IntEnum):
    """How much there is to do; each but the first begins at the setting of its name."""

    NORMAL = 0
    WARNING = 1
    CRITICAL = 2
    OVERFLOW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionSettings:
    """Table of what protects the engine; attribute = name of the setting in lower case."""

    backpressure_enabled: bool = setting(True, "answer 503 to new tasks while the engine is behind")
    backpressure_refresh_seconds: int = setting(
        5, "age at which the verdict is renewed", unit="seconds", minimum=1, maximum=300
    )
    backpressure_stale_seconds: int = setting(
        30, "age at which the verdict no longer counts", unit="seconds", minimum=1, maximum=300
    )
    queue_warning: int = setting(
        1000,
        "work of a namespace from which health says degraded",
        minimum=1,
        profiles={"test": 100},
    )
    queue_critical: int = setting(
        5000,
        "work of a namespace from which tasks are refused for 30 s",
        minimum=1,
        profiles={"test": 500},
    )
    queue_overflow: int = setting(
        10_000,
        "work of a namespace from which tasks are refused for 60 s",
        minimum=1,
        profiles={"test": 1000},
    )
    orchestration_lag_seconds: int = setting(
        15,
        "age of the oldest orchestration message from which tasks are refused",
        unit="seconds",
        minimum=1,
        maximum=3600,
    )
    breaker_web_database: BreakerRule = setting(  # noqa: RUF009 - a tuple, nothing shared can change
        BreakerRule(5, 60, 30, 2), "breaker around the database of API and admin", minimum=1
    )
    breaker_messaging: BreakerRule = setting(  # noqa: RUF009
        BreakerRule(3, 60, 15, 2), "breaker around sends and reads of queues", minimum=1
    )
    breaker_task_readiness: BreakerRule = setting(  # noqa: RUF009
        BreakerRule(10, 60, 30, 3), "breaker around the look for waiting tasks", minimum=1
    )

    def tier_of(self, work: int) -> Tier:
        """Return how much so many messages and waiting tasks of a namespace are."""
        tiers = (self.queue_warning, self.queue_critical, self.queue_overflow)
        return Tier(sum(work >= each for each in tiers))


protection_settings = cached(ProtectionSettings)
