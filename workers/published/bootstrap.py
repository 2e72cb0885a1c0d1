"""The five published functions that start, watch and stop the worker of this process.

They see a worker started by `run_worker` too, but stop only what `bootstrap_worker` started.
Imported by modules of handlers, hence without the engine's models, which need Django's apps.
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import django
from django.apps import apps

from orchestration import health
from templates_registry.conf import registry_settings
from workers.errors.runtime import WorkerAlreadyRunningError, WorkerNotInitializedError
from workers.published.models import BootstrapConfig, BootstrapResult, WorkerStatus
from workers.published.observability import running_worker

if TYPE_CHECKING:
    from workers.published.in_process import InProcessWorker

DEFAULT_NAMESPACE = "default"
_lock = threading.Lock()
_started: "InProcessWorker | None" = None


def bootstrap_worker(config: BootstrapConfig | None = None) -> BootstrapResult:
    """Start a worker on threads of this process and return when it is ready."""
    return start_worker(config or BootstrapConfig())


def start_worker(config: BootstrapConfig, *, handlers: Sequence[str] = ()) -> BootstrapResult:
    """Start a worker that also has the handlers of these modules.

    Raises WorkerAlreadyRunningError when there is one, WorkerBootstrapError when it cannot work.
    """
    global _started
    if not apps.ready:
        django.setup()
    from workers.published.in_process import InProcessWorker

    with _lock:
        if is_worker_running():
            raise WorkerAlreadyRunningError("A worker is running in this process; stop it first.")
        worker = InProcessWorker(
            worker_id=config.worker_id or "",
            namespaces=[] if config.namespace == DEFAULT_NAMESPACE else [config.namespace],
            handlers=handlers,
        )
        worker.start()
        _started = worker
    return BootstrapResult(
        success=True,
        handle_id=worker.handle_id,
        worker_id=worker.worker_id,
        status="started",
        message=f"Worker {worker.worker_id} is running",
    )


def stop_worker() -> str:
    """Stop the worker and wait for its end; raises WorkerNotInitializedError without one."""
    global _started
    with _lock:
        _required().stop()
        _started = None
    return "Worker system stopped"


def transition_to_graceful_shutdown() -> str:
    """Let the worker finish what it has; raises WorkerNotInitializedError without one."""
    _required().ask_to_stop()
    return "Worker system transitioned to graceful shutdown"


def get_worker_status() -> WorkerStatus:
    """Return how the worker of this process is."""
    worker = running_worker()
    if worker is None:
        return WorkerStatus(running=False, error="No worker is running in this process")
    pool = health.pool_use()
    return WorkerStatus(
        running=not worker.process.is_stopping,
        environment=registry_settings().environment,
        worker_core_status=worker.process.operational_state,
        web_api_enabled=bool(worker.options.http_port),
        supported_namespaces=worker.namespaces,
        database_pool_size=pool.size,
        database_pool_idle=pool.size - pool.in_use,
    )


def is_worker_running() -> bool:
    """Say whether a worker lives in this process."""
    return running_worker() is not None


def _required() -> "InProcessWorker":
    if _started is None:
        raise WorkerNotInitializedError("No worker was started by bootstrap_worker here.")
    return _started
