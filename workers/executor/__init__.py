"""One claim in, one report out: what runs between `claim_steps` and `report_steps`.

The interface that `worker.py` drives:

    executor = Executor(worker_id=…, settings=worker_settings(), on_done=…, is_stopping=…)
    execution = executor.begin(claim)     # loop thread, before the pool gets it
    pool.submit(executor.run, execution)  # pool thread; returns when this thread is free again
    execution.claim                       # (claim.workflow_step_uuid, claim.state_version)
    execution.cancel()                    # the claim is gone: the handler sees `cancelled`, its
                                          # result is dropped
    execution.is_overdue                  # its timeout is reported, but the thread has not ended
    execution.is_running                  # `run` has not returned yet: the slot is taken
    executor.close()                      # ends the watchdog thread

`on_done(execution, report)` is called exactly once for each execution, from the pool thread or,
when the handler is overdue, from the watchdog thread; it must be quick and must not raise.
`report is None` means that there is nothing to send: the report was stored in the handler's own
transaction (`atomic=True`; `execution.is_stored`), the claim was lost (`execution.is_cancelled`),
or the worker is stopping and the step yielded a checkpoint (`execution.is_unfinished`: release it).

A handler never raises through `run`. The database is touched only by atomic handlers and
checkpoints.
"""

from workers.executor.execution import Execution
from workers.executor.run import Executor

__all__ = ["Execution", "Executor"]
