"""The published questions about the worker of this process, answered with its real figures.

Without a running worker the checks say so and every count is 0. Imported by modules of handlers,
hence without the worker's own modules, which need Django's apps.
"""

from typing import TYPE_CHECKING

from orchestration import health, metrics
from orchestration.runtime.identity import tasker_version
from templates_registry.conf import registry_settings
from workers.conf import worker_settings
from workers.published.models import (
    ComponentHealth,
    FfiDispatchMetrics,
    HealthCheck,
    WorkerConfig,
    WorkerMetrics,
)

if TYPE_CHECKING:
    from workers.worker import Worker

POOL_CHECKS = ("database", "pool_utilization")


def running_worker() -> "Worker | None":
    """Return the worker of this process, None when there is none."""
    from workers.worker import running_worker

    return running_worker()


def get_health_check() -> HealthCheck:
    """Return the checks that the worker's probes show."""
    python = {"version": tasker_version(), "environment": registry_settings().environment}
    worker = running_worker()
    if worker is None:
        return HealthCheck(status=health.UNHEALTHY, is_running=False, python=python)
    found = health.current()
    return HealthCheck(
        status=found.status,
        is_running=not worker.process.is_stopping,
        components={
            name: _component(name, result.status) for name, result in found.results().items()
        },
        rust={"in_use": False},
        python={**python, "handlers": len(worker.handlers)},
    )


def get_metrics() -> WorkerMetrics:
    """Return what the worker has counted so far."""
    pool = health.pool_use()
    worker = running_worker()
    return WorkerMetrics(
        dispatch_channel_pending=waiting_steps(),
        database_pool_size=pool.size,
        database_pool_idle=pool.size - pool.in_use,
        environment=registry_settings().environment,
        steps_processed=metrics.STEPS_SUBMITTED.value,
        steps_succeeded=metrics.STEPS_SUCCEEDED.value,
        steps_failed=metrics.STEPS_FAILED.value,
        steps_in_progress=0 if worker is None else worker.slots.running,
    )


def get_dispatch_metrics() -> FfiDispatchMetrics:
    """Return how many claimed steps wait for a thread; none starves, since claims need slots."""
    return FfiDispatchMetrics(pending_count=waiting_steps())


def get_worker_config() -> WorkerConfig:
    """Return the settings under which a worker of this process runs."""
    settings = worker_settings()
    worker = running_worker()
    return WorkerConfig(
        environment=registry_settings().environment,
        supported_namespaces=list(
            settings.worker_namespaces if worker is None else worker.namespaces
        ),
        web_api_enabled=worker is not None and bool(worker.options.http_port),
        database_pool_size=health.pool_use().maximum,
        polling_interval_ms=settings.worker_poll_ms,
        max_concurrent_handlers=settings.max_concurrent_handlers,
        handler_timeout_ms=settings.default_step_timeout_seconds * 1000,
    )


def waiting_steps() -> int:
    """Return how many steps are claimed and not begun."""
    worker = running_worker()
    return sum(each.started_at is None for each in worker.slots.held()) if worker else 0


def _component(name: str, status: str) -> ComponentHealth:
    if name not in POOL_CHECKS:
        return ComponentHealth(name=name, status=status)
    pool = health.pool_use()
    return ComponentHealth(
        name=name, status=status, pool_size=pool.size, pool_idle=pool.size - pool.in_use
    )
