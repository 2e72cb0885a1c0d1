"""What is kept for how long, and how it is deleted (api-and-operations.md 8.6)."""

from dataclasses import dataclass

from templates_registry.conf import cached, setting

CENTURY_DAYS = 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """Table of retention; attribute = name of the setting in lower case."""

    retention_task_days: int = setting(
        0, "age of finished tasks; 0 = kept", unit="days", minimum=0, maximum=CENTURY_DAYS
    )
    retention_dlq_days: int = setting(
        365, "age of closed DLQ entries; 0 = kept", unit="days", minimum=0, maximum=CENTURY_DAYS
    )
    retention_archive_days: int = setting(
        30, "age of archived messages; 0 = kept", unit="days", minimum=0, maximum=CENTURY_DAYS
    )
    purge_batch_count: int = setting(500, "tasks per transaction", minimum=1, maximum=10_000)
    purge_interval_hours: int = setting(
        0,
        "pause after which an orchestrator purges by itself; 0 = never",
        unit="hours",
        minimum=0,
        maximum=720,
    )


retention_settings = cached(RetentionSettings)
