"""A worker put together: which function runs on which loop or thread, and in which order they stop.

    notification -> listener -> claim loop -> handler thread -> report loop

No rule of the domain stands here. Parts stop from the last to the first: claims end at once, then
handlers get their grace, then the last reports are stored, while heartbeats go on until the end.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from orchestration import health, metrics
from orchestration.conf import engine_settings, pool_settings
from orchestration.messaging.messages import ready_channel
from orchestration.process import Presence, Process, breaker_states, install_health, process_row
from orchestration.process.following import follow_parent
from orchestration.queries.steps import Claim, StepReport
from orchestration.runtime.identity import identify_process
from orchestration.runtime.loop import Loop
from orchestration.runtime.pool_size import PoolSize
from orchestration.runtime.supervisor import Part
from templates_registry.conf import Range
from workers.conf import worker_settings
from workers.executor import Execution, Executor
from workers.worker import self_checks, serving, statement_limit
from workers.worker.announcing import Announcing
from workers.worker.claiming import Claimer, Pace
from workers.worker.counting import running_by_namespace
from workers.worker.exchange import Exchange
from workers.worker.handler_pool import HandlerPool
from workers.worker.heartbeat import Heartbeat
from workers.worker.reporting import Reporter
from workers.worker.slots import Slots


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """What the command line says; the rest comes from the settings."""

    namespaces: Sequence[str]
    slots: Range
    mode: str
    worker_id: str
    http_port: int
    idle_seconds: float | None
    grace_seconds: float
    handlers: Sequence[str] = field(default=())
    syncs_templates: bool = True
    is_once: bool = False
    parent_fd: int | None = None


STATUS_ROUTES = "workers.api.urls"
_running: "Worker | None" = None


def running_worker() -> "Worker | None":
    """Return the worker of this process while it lives, for those who ask how it is."""
    return _running


def run_worker(options: WorkerOptions) -> int:
    """Run a worker until it is asked to stop; return its exit code."""
    identity = identify_process("worker", name=options.worker_id)
    process = Process(identity, mode=options.mode, http_port=options.http_port)
    process.status_urlconf = STATUS_ROUTES
    if options.parent_fd is not None:
        follow_parent(options.parent_fd, process.shutdown)
    statement_limit.install()
    return process.run(
        partial(build_parts, process, options),
        statement_timeout_ms=engine_settings().engine_statement_timeout_ms,
    )


def build_parts(process: Process, options: WorkerOptions) -> list[Part]:
    """Register the worker and return its parts in the order of their start."""
    if options.syncs_templates:
        serving.sync_templates()
    handlers = serving.load_handlers(options.handlers).list_handlers()
    serving.load_domain_events()
    namespaces = serving.choose_namespaces(options.namespaces)
    serving.warn_of_initializations(namespaces)
    worker = Worker(process, options, namespaces=namespaces, handlers=handlers)
    worker.presence.register()
    return worker.parts()


class Worker:
    """The parts of one worker and the wires between them."""

    def __init__(
        self,
        process: Process,
        options: WorkerOptions,
        *,
        namespaces: Sequence[str],
        handlers: Sequence[str],
    ) -> None:
        """Build everything, start nothing."""
        name = process.identity.name
        self.process = process
        self.options = options
        self.namespaces = list(namespaces)
        self.handlers = list(handlers)
        self.slots = Slots(
            PoolSize(
                "handlers",
                minimum=options.slots.minimum,
                maximum=options.slots.maximum,
                database_share=lambda: health.pool_use().share,
            )
        )
        self.reporter = Reporter(self.slots, worker_id=name, on_settled=self._note_progress)
        self.executor = Executor(
            worker_id=name,
            settings=worker_settings(),
            on_done=self._note_done,
            is_stopping=lambda: process.is_stopping,
        )
        self.reporter.report_apart = self.executor.report_apart
        self.pool = HandlerPool(
            self.slots,
            run=self.executor.run,
            on_free_slot=self._note_progress,
            stop_seconds=options.grace_seconds,
        )
        self.claimer = self._build_claimer()
        self._let_results_claim()
        self.presence = self._build_presence()
        self.heartbeat = Heartbeat(
            self.slots,
            presence=self.presence,
            heartbeat_seconds=engine_settings().heartbeat_seconds,
            lease_seconds=engine_settings().lease_seconds,
        )

    def _build_claimer(self) -> Claimer:
        return Claimer(
            self.namespaces,
            worker_uuid=self.process.identity.uuid,
            slots=self.slots,
            begin=self._begin,
            pace=Pace(
                lease_seconds=engine_settings().lease_seconds,
                poll_seconds=self._poll_seconds,
                shed_claims_at=worker_settings().shed_claims_at,
            ),
        )

    def _let_results_claim(self) -> None:
        exchange = Exchange(self.claimer)
        self.reporter.store = exchange.store
        if exchange.claims:
            self.claimer.are_results_claiming = lambda: self.reporter.is_about_to_send

    def _build_presence(self) -> Presence:
        return Presence(
            self.process,
            process_row(
                self.process,
                namespaces=self.namespaces,
                handlers=self.handlers,
                slots=self.slots.size,
            ),
            running=lambda: self.slots.running,
            slots=lambda: self.slots.size,
            report=self.describe,
        )

    def parts(self) -> list[Part]:
        """Return the parts in the order of their start, wired to listener and probes."""
        global _running
        _running = self
        wakes: dict[str, Callable[[], None]] = {
            ready_channel(name): partial(self.claimer.mark, name) for name in self.namespaces
        }
        process = self.process
        process.listen(wakes, drain=self._drain, holds_liveness_lock=True)
        process.more_status = self.describe
        process.on_stopping = self.heartbeat.loop.wake
        process.on_end = self._end
        metrics.STEPS_ACTIVE.ask(lambda: running_by_namespace(self.slots))
        served = self_checks.ServedTemplates(self.namespaces)
        install_health(
            process,
            {
                "database": health.check_database,
                "handlers": served.check_handlers,
                "templates": served.check_templates,
                "queue_processing": self_checks.ProcessingCheck(
                    self.slots,
                    self.namespaces,
                    longest_timeout=lambda: served.look().longest_timeout_seconds,
                ),
                "stuck_handlers": partial(self_checks.check_stuck, self.slots),
            },
            required=("database", "handlers", "templates", "stuck_handlers"),
            more_info=lambda: {**self.describe(), "handlers": self.handlers},
        )
        if self.options.is_once:
            self.claimer.on_nothing = self._leave_when_idle
        scaling = Loop("scaling", self.pool.scale, idle_seconds=pool_settings().pool_scale_seconds)
        return [
            self.heartbeat.loop,
            Announcing(),
            self.reporter.loop,
            self.pool,
            scaling,
            self.claimer.loop,
        ]

    def describe(self) -> dict[str, object]:
        """Return what a person asks about a worker."""
        pool = self.slots.pool_size.describe()
        return {
            "worker_id": self.process.identity.name,
            "namespaces": self.namespaces,
            "slots": {key: pool[key] for key in ("min", "max", "size", "busy")},
            "executor_pools": {self.slots.pool_size.name: pool},
            "overdue_handlers": self.slots.overdue,
            "steps_processed": metrics.STEPS_SUBMITTED.value,
            "steps_succeeded": metrics.STEPS_SUCCEEDED.value,
            "steps_failed": metrics.STEPS_FAILED.value,
            "average_execution_ms": self.slots.run_times.average_ms,
            "last_step_at": self.slots.run_times.last_end_at,
            "circuit_breaker_state": breaker_states("worker"),
        }

    def _poll_seconds(self) -> float:
        if self.options.idle_seconds is not None:
            return self.options.idle_seconds
        return self.process.poll_seconds(poll_ms=worker_settings().worker_poll_ms)

    def _begin(self, claim: Claim) -> None:
        self.pool.submit(self.executor.begin(claim))

    def _note_done(self, execution: Execution, report: StepReport | None) -> None:
        """Take a result, from the handler's thread or the watchdog's."""
        self.reporter.deliver(execution, report)
        if execution.is_overdue:
            self.pool.check_stuck()

    def _note_progress(self) -> None:
        """A slot is free, or a claim is over."""
        self.claimer.note_free_slot()
        self.pool.note_progress()
        if self.options.is_once:
            self._leave_when_idle()

    def _leave_when_idle(self) -> None:
        """End a worker that was started for one go once everything it found is done."""
        is_done = not self.claimer.may_have_work and self.slots.is_idle
        if is_done and not self.process.shutdown.is_asked:
            self.process.shutdown.ask()

    def _drain(self) -> None:
        """Look everywhere: notifications may have been missed, leases and row need a beat."""
        self.claimer.mark_all()
        self.reporter.loop.wake()
        self.heartbeat.loop.wake()

    def _end(self) -> None:
        global _running
        _running = None
        self.executor.close()
        self.presence.leave()
