"""The worker process: claims steps, runs their handlers on a bounded pool, reports the results.

`worker` wires it; `claiming`, `handler_pool`, `reporting` and `heartbeat` each hold one loop or
pool; `slots` is the state they share; `serving` decides which namespaces are served.
"""

from workers.worker.worker import (
    Worker,
    WorkerOptions,
    build_parts,
    run_worker,
    running_worker,
)

__all__ = ["Worker", "WorkerOptions", "build_parts", "run_worker", "running_worker"]
