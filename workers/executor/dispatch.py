"""One dispatch: the handler is called once, and whatever comes of it becomes an outcome."""

from typing import Any, NamedTuple

from workers.context import StepContext
from workers.executor import outcome as outcomes
from workers.executor.execution import Execution
from workers.executor.invocation import invoke
from workers.executor.outcome import Outcome
from workers.executor.plan import Plan
from workers.executor.watchdog import Watchdog
from workers.results import StepHandlerResult, failure_from_exception, to_result


class Dispatch(NamedTuple):
    """One call of the handler, prepared."""

    execution: Execution
    plan: Plan
    handler: Any
    context: StepContext

    @property
    def is_atomic(self) -> bool:
        """Whether the handler's writes and its report are one transaction."""
        return bool(getattr(self.handler, "atomic", False))

    def call(self, watchdog: Watchdog, *, policy: str) -> Outcome:
        """Call the handler and say what came of it; never raises."""
        execution = self.execution
        found = invoke(self.handler, self.context, execution=execution, watchdog=watchdog)
        if found.is_timed_out:
            execution.is_timed_out = execution.is_interrupted = True
            return outcomes.timed_out(
                execution.claim.name, timeout_seconds=execution.timeout_seconds
            )
        error = found.error
        if error is None:
            try:
                return Outcome(to_result(found.value), handler_version=self._version)
            except Exception as refused:  # noqa: BLE001 - a foreign model_dump raises anything
                error = refused
        return self.failed(error, policy=policy)

    def failed(self, error: BaseException, *, policy: str) -> Outcome:
        """Say what an exception of the handler means; some handlers know better themselves."""
        self.execution.error = error
        result = self._explained(error)
        if result is None:
            result = failure_from_exception(
                error,
                is_functional=bool(getattr(self.handler, "is_functional", False)),
                policy=policy,
            )
        return Outcome(result, handler_version=self._version)

    def _explained(self, error: BaseException) -> StepHandlerResult | None:
        explain = getattr(self.handler, "explain_exception", None)
        if not callable(explain):
            return None
        try:
            found = explain(error)
        except Exception:  # noqa: BLE001 - foreign code; the general rule applies
            return None
        return found if isinstance(found, StepHandlerResult) else None

    @property
    def _version(self) -> str:
        return str(getattr(self.handler, "handler_version", "1.0.0"))
