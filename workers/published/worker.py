"""`Worker`: the published way to run a worker inside one's own program."""

import threading
from typing import ClassVar, Self

from workers.errors.runtime import WorkerNotInitializedError
from workers.published import bootstrap
from workers.published.event_bridge import EventBridge
from workers.published.models import BootstrapConfig, BootstrapResult


class Worker:
    """The worker of this process, at most one."""

    _instance: ClassVar["Worker | None"] = None
    _lock: ClassVar[threading.RLock] = threading.RLock()

    def __init__(self) -> None:
        """Prepare; `start` is what people call."""
        self._result: BootstrapResult | None = None

    @classmethod
    def start(
        cls, handler_packages: list[str] | None = None, config: BootstrapConfig | None = None
    ) -> "Worker":
        """Start the worker with the handlers of these packages too, or return the one that runs."""
        with cls._lock:
            if cls._instance is None or not bootstrap.is_worker_running():
                worker = cls()
                EventBridge.instance().start()
                worker._result = bootstrap.start_worker(
                    config or BootstrapConfig(), handlers=handler_packages or ()
                )
                cls._instance = worker
            return cls._instance

    def stop(self) -> None:
        """Stop the worker and wait for its end; without effect on a stopped one."""
        cls = type(self)
        with cls._lock:
            if cls._instance is not self:
                return
            cls._instance = None
            bootstrap.stop_worker()
            EventBridge.instance().stop()

    @classmethod
    def instance(cls) -> "Worker | None":
        """Return the running worker, or None."""
        return cls._instance

    @classmethod
    def reset_instance(cls) -> None:
        """Stop the running worker, if there is one; for tests."""
        if (worker := cls._instance) is not None:
            worker.stop()

    @property
    def worker_id(self) -> str:
        """The name that is shown and recorded."""
        return self.bootstrap_result.worker_id

    @property
    def is_running(self) -> bool:
        """Say whether steps are being claimed."""
        return type(self)._instance is self and bootstrap.get_worker_status().running

    @property
    def bootstrap_result(self) -> BootstrapResult:
        """What starting the worker gave; raises WorkerNotInitializedError before that."""
        if self._result is None:
            raise WorkerNotInitializedError("The worker was not started; call Worker.start().")
        return self._result

    def __enter__(self) -> Self:
        """Return the running worker."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop the worker."""
        self.stop()
