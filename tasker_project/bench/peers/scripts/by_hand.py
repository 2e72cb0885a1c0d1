"""Workflows made by hand out of single jobs, for the job queues that have none.

A shape is a row of stages; each job knows its stage and enqueues the next one's. Where a stage has
several jobs, a row counts those that are still to come, and the job that brings it to zero enqueues
the next stage: count and jobs in one transaction, so that a crash loses neither.
"""

from typing import Any
from uuid import uuid4

import psycopg

STAGES = {"linear4": (1, 1, 1, 1), "diamond": (1, 2, 1), "fanout20": (1, 20, 1)}
TABLE = "CREATE TABLE bench_joins (flow text PRIMARY KEY, waiting integer NOT NULL)"
OPEN = "INSERT INTO bench_joins (flow, waiting) VALUES (%s, %s)"
ARRIVE = "UPDATE bench_joins SET waiting = waiting - 1 WHERE flow = %s RETURNING waiting"

Job = dict[str, Any]


def first(shape: str) -> Job:
    """Return the first job of a new workflow."""
    return {"flow": str(uuid4()), "shape": shape, "stage": 0, "last": False}


async def next_jobs(job: Job, connection: psycopg.AsyncConnection[Any]) -> list[Job]:
    """Return what to enqueue in the transaction of the connection, after a job."""
    stages, stage = STAGES[job["shape"]], job["stage"]
    if stages[stage] > 1 and not await _is_last_to_arrive(job["flow"], connection):
        return []
    width = stages[stage + 1]
    if width > 1:
        await connection.execute(OPEN, (job["flow"], width))
    return [{**job, "stage": stage + 1, "last": stage + 2 == len(stages)}] * width


async def _is_last_to_arrive(flow: str, connection: psycopg.AsyncConnection[Any]) -> bool:
    answer = await connection.execute(ARRIVE, (flow,))
    row = await answer.fetchone()
    return row is not None and row[0] == 0
