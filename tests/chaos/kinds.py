"""The kinds of faults and how often each is planned. Needs neither Django nor a database."""

WEIGHTS = {
    "kill_worker": 15,
    "kill_orchestrator": 9,
    "pause_worker": 5,
    "pause_orchestrator": 3,
    "stop_worker": 6,
    "stop_orchestrator": 4,
    "terminate_backends": 9,
    "cut_listen": 7,
    "purge_worker_queue": 4,
    "purge_results_queue": 4,
    "duplicate_step_message": 7,
    "duplicate_result_message": 7,
    "malformed_message": 6,
    "foreign_message": 6,
    "slow_commits": 3,
    "hold_locks": 3,
    "restart_postgres_fast": 1,
    "restart_postgres_immediate": 1,
}
"""Share of each kind in percent. Restarts of PostgreSQL are dear: everything stands still."""
