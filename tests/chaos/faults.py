"""The kinds of faults. Each is a method named after its kind in the plan.

It returns in a few words what it did, or raises `NotNow` when nobody is up to be hit; the injector
then tries again. Nothing here waits for what becomes of it.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from orchestration.messaging.messages import RESULTS_QUEUE
from tests.chaos import messages
from tests.chaos.cluster import LEASE_SECONDS, Cluster, session_pattern
from tests.chaos.member import Member
from tests.chaos.plan import FaultPlan
from tests.chaos.server import Server
from tests.chaos.tampering import Tampering

SLOW_COMMITS = """
CREATE TABLE chaos_slow_commits (until timestamptz NOT NULL, seconds float8 NOT NULL);
INSERT INTO chaos_slow_commits VALUES ('-infinity', 0);
CREATE FUNCTION chaos_slow_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN  -- once a transaction, at its commit
  IF current_setting('chaos.slept', true) IS DISTINCT FROM pg_current_xact_id()::text THEN
    PERFORM set_config('chaos.slept', pg_current_xact_id()::text, true);
    PERFORM pg_sleep(c.seconds) FROM chaos_slow_commits AS c WHERE c.until > clock_timestamp();
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER chaos_slow_commit AFTER UPDATE ON tasker_workflow_steps
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION chaos_slow_commit();
"""
COMMIT_SECONDS = 0.4
LOCKED_ROWS = 40
OTHERS_UP = {"worker": 2, "orchestrator": 1}  # so that somebody is there to take over
PAUSE_BEYOND_LEASE = 1.5


class NotNow(Exception):  # noqa: N818 - an answer
    """Nobody is there who may be hit at this moment."""


Later = Callable[[float, Callable[[], None]], None]


class Faults:
    """What can be done to a cluster; `later` runs an action some seconds from now."""

    def __init__(
        self, cluster: Cluster, server: Server, tampering: Tampering, *, later: Later
    ) -> None:
        self._cluster = cluster
        self._server = server
        self._tampering = tampering
        self._later = later

    def inject(self, fault: FaultPlan) -> str:
        """Do it and say what was done."""
        act: Callable[[FaultPlan], str] = getattr(self, fault.kind)
        return act(fault)

    # --- processes
    def kill_worker(self, fault: FaultPlan) -> str:
        return self._kill(fault)

    def kill_orchestrator(self, fault: FaultPlan) -> str:
        return self._kill(fault)

    def pause_worker(self, fault: FaultPlan) -> str:
        return self._pause(fault, LEASE_SECONDS + PAUSE_BEYOND_LEASE + fault.seconds)

    def pause_orchestrator(self, fault: FaultPlan) -> str:
        return self._pause(fault, 2 * fault.seconds)

    def stop_worker(self, fault: FaultPlan) -> str:
        return self._stop(fault)

    def stop_orchestrator(self, fault: FaultPlan) -> str:
        return self._stop(fault)

    def _kill(self, fault: FaultPlan) -> str:
        victim = self._victim(fault)
        self._cluster.kill(victim)
        self._later(fault.seconds, lambda: self._cluster.start(victim))
        return victim.name

    def _pause(self, fault: FaultPlan, seconds: float) -> str:
        victim = self._victim(fault)
        self._cluster.pause(victim)
        self._later(seconds, lambda: self._cluster.resume(victim))
        return f"{victim.name} for {seconds:.1f} s"

    def _stop(self, fault: FaultPlan) -> str:
        victim = self._victim(fault)
        self._cluster.ask(victim)
        return victim.name

    # --- the database
    def terminate_backends(self, fault: FaultPlan) -> str:
        if fault.dice % 6 == 0:
            self._server.outages.append((time.time(), time.time()))  # it looks like one
            return self._terminate("tasker:%", "everybody")
        victim = self._victim(fault, needs_others=False)
        return self._terminate(session_pattern(victim), victim.name)

    def cut_listen(self, fault: FaultPlan) -> str:
        return self._terminate("tasker:%:listen", "all listeners")

    def restart_postgres_fast(self, fault: FaultPlan) -> str:
        self._server.restart("fast", down_seconds=fault.seconds)
        return f"down for {fault.seconds} s"

    def restart_postgres_immediate(self, fault: FaultPlan) -> str:
        self._server.restart("immediate", down_seconds=fault.seconds)
        return f"down for {fault.seconds} s"

    def slow_commits(self, fault: FaultPlan) -> str:
        with self._connect() as connection:
            connection.execute(
                "UPDATE chaos_slow_commits SET seconds = %s,"
                " until = clock_timestamp() + make_interval(secs => %s)",
                [COMMIT_SECONDS, fault.seconds],
            )
        return f"{COMMIT_SECONDS} s each, for {fault.seconds} s"

    def hold_locks(self, fault: FaultPlan) -> str:
        table, key = [
            ("tasker_tasks", "task_uuid"),
            ("tasker_workflow_steps", "workflow_step_uuid"),
        ][fault.dice % 2]
        thread = threading.Thread(target=self._hold, args=(table, key, fault.seconds), daemon=True)
        thread.start()
        return f"up to {LOCKED_ROWS} rows of {table} for {fault.seconds} s"

    def _hold(self, table: str, key: str, seconds: float) -> None:
        """Lock recent rows in a foreign session; a lost connection ends that early."""
        locked = (
            f"SELECT FROM {table} WHERE {key} IN (SELECT {key} FROM {table}"  # noqa: S608
            f" ORDER BY updated_at DESC LIMIT {LOCKED_ROWS}) ORDER BY {key} FOR UPDATE SKIP LOCKED"
        )
        try:
            with self._connect() as connection, connection.transaction():
                connection.execute(locked)
                time.sleep(seconds)
        except psycopg.OperationalError:
            return

    # --- messages
    def purge_worker_queue(self, fault: FaultPlan) -> str:
        queue = messages.WORKER_QUEUES[fault.dice % len(messages.WORKER_QUEUES)]
        with self._connect() as connection:
            return messages.purge(connection, self._tampering, queue)

    def purge_results_queue(self, fault: FaultPlan) -> str:
        with self._connect() as connection:
            return messages.purge(connection, self._tampering, RESULTS_QUEUE)

    def duplicate_step_message(self, fault: FaultPlan) -> str:
        with self._connect() as connection:
            return messages.duplicate_step_messages(connection, self._tampering, _chance(fault))

    def duplicate_result_message(self, fault: FaultPlan) -> str:
        with self._connect() as connection:
            return messages.duplicate_results(connection, self._tampering, _chance(fault))

    def malformed_message(self, fault: FaultPlan) -> str:
        with self._connect() as connection:
            return messages.send_malformed(connection, self._tampering, _chance(fault))

    def foreign_message(self, fault: FaultPlan) -> str:
        with self._connect() as connection:
            return messages.send_foreign(connection, self._tampering, _chance(fault))

    # --- what they share
    def _victim(self, fault: FaultPlan, *, needs_others: bool = True) -> Member:
        """Return the first of the planned victims that is up and would not be missed too much."""
        for name in fault.victims:
            member = self._cluster.members[name]
            others = [
                each
                for each in self._cluster.members.values()
                if each is not member and each.kind == member.kind and _serves(each)
            ]
            is_missed = needs_others and len(others) < OTHERS_UP[member.kind]
            if _serves(member) and not is_missed:
                return member
        raise NotNow(fault.kind)

    def _terminate(self, pattern: str, whom: str) -> str:
        with self._connect() as connection:
            ended = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name LIKE %s",
                [pattern],
            ).fetchone()
        return f"{ended[0] if ended else 0} sessions of {whom}"

    def _connect(self) -> Any:
        return self._server.connect(within=5)


def _serves(member: Member) -> bool:
    return member.is_up and member.has_started


def _chance(fault: FaultPlan) -> random.Random:
    return random.Random(fault.dice)  # noqa: S311 - must be repeatable
