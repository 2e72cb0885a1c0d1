"""How tasks are coordinated, retried and limited, and the database that all stands on."""

from dataclasses import dataclass

from templates_registry.conf import Range, cached, setting

MODES = ("Hybrid", "EventDrivenOnly", "PollingOnly")
BACKOFF_STRATEGIES = ("none", "linear", "exponential", "fibonacci")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Table of the engine's settings; attribute = name of the setting in lower case."""

    # --- the database
    data_dir: str = setting(".data", "home of the embedded PostgreSQL, from the project's folder")
    allow_embedded: bool = setting(
        False, "accept the embedded server although DEBUG is off", profiles={"test": True}
    )
    embedded_pg: str = setting(
        "", "major version of a new embedded server; empty = the newest one installed"
    )
    db_pool_size: Range = setting(  # noqa: RUF009 - a range is a tuple, nothing shared can change
        Range(2, 30), "connections per process; 0-0 = no pool", minimum=0, maximum=500
    )
    db_pool_wait_seconds: int = setting(
        5, "wait for a free connection", unit="seconds", minimum=1, maximum=60
    )
    db_pool_idle_seconds: int = setting(
        300,
        "idle time after which a connection is closed",
        unit="seconds",
        minimum=10,
        maximum=86400,
    )
    db_pool_lifetime_seconds: int = setting(
        3600, "age at which a connection is replaced", unit="seconds", minimum=10, maximum=86400
    )
    api_statement_timeout_ms: int = setting(
        5000, "longest statement of the web process", unit="ms", minimum=100, maximum=600_000
    )
    engine_statement_timeout_ms: int = setting(
        30_000, "longest statement of an orchestrator", unit="ms", minimum=100, maximum=600_000
    )
    lock_timeout_ms: int = setting(
        5000, "longest wait for a row lock", unit="ms", minimum=100, maximum=600_000
    )
    # --- coordination
    mode: str = setting("Hybrid", "what wakes a process up", choices=MODES)
    orchestrator_poll_ms: int = setting(
        10_000,
        "safety poll of an orchestrator in mode Hybrid, while it listens",
        unit="ms",
        minimum=10,
        maximum=300_000,
        profiles={"development": 1000, "test": 100},
    )
    polling_only_ms: int = setting(
        250,
        "poll in mode PollingOnly, and while the listener is down",
        unit="ms",
        minimum=10,
        maximum=300_000,
    )
    request_batch_count: int = setting(10, "task requests per transaction", minimum=1, maximum=1000)
    result_batch_count: int = setting(200, "results per transaction", minimum=1, maximum=1000)
    ready_batch_count: int = setting(50, "tasks per round of discovery", minimum=1, maximum=1000)
    poison_read_count: int = setting(
        5, "reads of a message before it is set aside", minimum=1, maximum=100
    )
    high_water_messages: int = setting(
        1000,
        "messages in a namespace's queue above which tasks wait in the database",
        minimum=10,
        maximum=1_000_000,
    )
    max_steps_in_flight_per_task: int = setting(
        500,
        "steps of one task that are with workers or on their queues; the others follow",
        minimum=1,
        maximum=1_000_000,
    )
    inline_advance: bool = setting(
        True,
        "whether the report of a success lets its task go on in the same transaction, without the "
        "way through an orchestrator",
    )
    sweep_seconds: int = setting(
        30, "pause between two sweeps", unit="seconds", minimum=5, maximum=3600
    )
    stranded_seconds: int = setting(
        60, "age at which a lost message is sent again", unit="seconds", minimum=5, maximum=3600
    )
    # --- processes
    shutdown_grace_seconds: int = setting(
        30, "time to finish after SIGTERM", unit="seconds", minimum=0, maximum=3600
    )
    orchestrator_http_port: int = setting(
        8090, "status server of an orchestrator; 0 = off", minimum=0, maximum=65535
    )
    http_bind: str = setting(
        "127.0.0.1",
        "address of the status servers",
        profiles={"production": "0.0.0.0"},  # noqa: S104
    )
    lease_seconds: int = setting(
        30,
        "lease of a claimed step, and message visibility",
        unit="seconds",
        minimum=5,
        maximum=3600,
        profiles={"test": 6},
    )
    heartbeat_seconds: int = setting(
        10,
        "pause between two prolongations; at most a third of the lease",
        unit="seconds",
        minimum=1,
        maximum=1200,
        profiles={"test": 2},
    )
    liveness_check_seconds: int = setting(
        1,
        "time without its liveness lock after which a worker is gone; 0 = locks are not looked at",
        unit="seconds",
        minimum=0,
        maximum=60,
    )
    health_timeout_ms: int = setting(
        1000, "limit of one health check", unit="ms", minimum=50, maximum=10_000
    )
    liveness_stall_seconds: int = setting(
        60, "a loop silent for longer is stalled", unit="seconds", minimum=10, maximum=3600
    )
    log_level: str = setting(
        "INFO",
        "least level that is logged",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
        profiles={"development": "DEBUG", "test": "WARNING"},
    )
    log_format: str = setting(
        "json",
        "one JSON object or one readable line per event",
        choices=("json", "console"),
        profiles={"development": "console", "test": "console"},
    )
    # --- retry, where the template says nothing
    default_backoff_strategy: str = setting(
        "exponential", "how delays grow", choices=BACKOFF_STRATEGIES
    )
    default_backoff_base_ms: int = setting(
        1000, "first delay", unit="ms", minimum=1, maximum=3_600_000, profiles={"test": 10}
    )
    backoff_multiplier: float = setting(2.0, "growth of exponential delays", minimum=1, maximum=10)
    backoff_jitter_ratio: float = setting(
        0.1, "share by which a delay is spread", minimum=0, maximum=1, profiles={"test": 0.0}
    )
    max_backoff_seconds: int = setting(
        300,
        "cap of a delay from template or default",
        unit="seconds",
        minimum=1,
        maximum=86400,
        profiles={"development": 30},
    )
    max_requested_backoff_seconds: int = setting(
        3600,
        "cap of a delay that a handler or server asked for",
        unit="seconds",
        minimum=1,
        maximum=86400,
    )
    # --- creation and size
    validate_inputs: bool = setting(False, "hold every context to its template's input schema")
    validate_results: bool = setting(False, "hold every result to its step's result schema")
    max_context_bytes: int = setting(
        1_048_576, "size of a task's context", unit="bytes", minimum=1024
    )
    max_json_depth: int = setting(32, "nesting of a context", minimum=4, maximum=128)
    max_steps_per_decision: int = setting(
        100, "steps that one decision may name", minimum=1, maximum=100_000
    )
    max_decision_depth: int = setting(
        20,
        "decisions and batches in a row, each created by the one before",
        minimum=1,
        maximum=100_000,
    )
    max_batches_per_step: int = setting(
        1000, "batches that one batchable step may ask for", minimum=1, maximum=100_000
    )
    # --- API
    api_page_size: int = setting(25, "items of a page", minimum=1, maximum=500)
    api_page_size_max: int = setting(
        100, "largest page a caller may ask for", minimum=1, maximum=500
    )
    api_max_body_bytes: int = setting(
        16_777_216, "size of a request's body", unit="bytes", minimum=65_536
    )
    api_timeout_seconds: int = setting(
        30,
        "longest request, beyond which it is rolled back",
        unit="seconds",
        minimum=1,
        maximum=300,
    )


engine_settings = cached(EngineSettings)
