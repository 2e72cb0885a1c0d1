"""What only a worker must know: its name, slots, handlers and limits of one step.

The reader, with its order of code, variable, profile and default, is `templates_registry.conf`;
what a worker shares with the engine (lease, heartbeat, mode, grace) is in `orchestration.conf`.
"""

from dataclasses import dataclass

from templates_registry.conf import cached, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """Table of a worker's settings; attribute = name of the setting in lower case."""

    worker_id: str = setting("", "name shown and recorded; empty = host-pid-4hex")
    worker_namespaces: tuple[str, ...] = setting(
        (), "namespaces to serve; empty = all whose handlers resolve here"
    )
    worker_poll_ms: int = setting(
        5000,
        "safety poll of a worker in mode Hybrid, while it listens",
        unit="ms",
        minimum=10,
        maximum=300_000,
        profiles={"development": 500, "test": 50},
    )
    worker_http_port: int = setting(
        8081, "status server of a worker; 0 = off", minimum=0, maximum=65535
    )
    worker_processes: int = setting(
        1, "processes of run_worker, under one parent", minimum=1, maximum=64
    )
    min_concurrent_handlers: int = setting(
        2, "slots of a worker that has little to do", minimum=1, maximum=256
    )
    max_concurrent_handlers: int = setting(10, "slots of a worker", minimum=1, maximum=256)
    shed_claims_at: float = setting(
        0.8,
        "share of the connection pool in use above which nothing is claimed",
        minimum=0.1,
        maximum=1,
    )
    default_step_timeout_seconds: int = setting(
        300, "for steps without timeout_seconds", unit="seconds", minimum=1, maximum=86400
    )
    timeout_grace_seconds: int = setting(
        2,
        "a timed-out handler is reported at the latest after this",
        unit="seconds",
        minimum=0,
        maximum=60,
    )
    handler_packages: tuple[str, ...] = setting(
        (), "modules with handlers beside the apps' step_handlers"
    )
    resolvers: tuple[str, ...] = setting((), "dotted paths of resolvers asked before our own")
    sync_templates_on_start: bool = setting(
        True, "register the templates before serving", profiles={"production": False}
    )
    exception_policy: str = setting(
        "published",
        "whether a foreign exception is always retried or asks the classifier",
        choices=("published", "classifier"),
    )
    compat_tasker_core: str = setting(
        "auto",
        "whether `import tasker_core` means Tasker: auto = unless tasker-py is installed",
        choices=("auto", "always", "never"),
        profiles={"test": "always"},
    )
    max_result_bytes: int = setting(
        4_194_304, "size of a step's result", unit="bytes", minimum=1024
    )
    max_checkpoint_bytes: int = setting(
        1_048_576, "size of a checkpoint", unit="bytes", minimum=1024
    )
    checkpoint_history_length: int = setting(
        100, "entries kept in a checkpoint's history", minimum=0, maximum=10_000
    )


worker_settings = cached(WorkerSettings)
