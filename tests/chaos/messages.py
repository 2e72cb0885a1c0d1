"""Faults that touch queues: purged, doubled, malformed and foreign messages.

Every function takes an autocommit connection and says in a few words what it did. What it does to
messages of real steps is noted before it commits.
"""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from orchestration.messaging.messages import REQUESTS_QUEUE, RESULTS_QUEUE, worker_queue
from tests.chaos.tampering import Tampering
from tests.chaos.workflows import NAMESPACES

WORKER_QUEUES = [worker_queue(namespace) for namespace in NAMESPACES]
COPIES = 4
MALFORMED: list[Any] = [
    "no object at all",
    42,
    [],
    None,
    {},
    {"task_uuid": "x", "step_uuid": "y"},
    {"task_uuid": None, "step_uuid": None, "correlation_id": None},
    {"step_uuid": 7, "task_uuid": []},
    {"step_uuid": {"deep": [{"er": "🦉"}]}},
    {"hello": "from somebody else's program"},
]
RECENT_STEPS = """
SELECT s.workflow_step_uuid, s.task_uuid, s.state_version, n.name
FROM (SELECT * FROM tasker_workflow_steps ORDER BY updated_at DESC LIMIT 150) AS s
JOIN tasker_tasks AS t USING (task_uuid)
JOIN tasker_named_tasks AS nt USING (named_task_uuid)
JOIN tasker_task_namespaces AS n USING (task_namespace_uuid)
"""


def purge(connection: Any, tampering: Tampering, queue: str) -> str:
    """Throw away all messages of a queue, as somebody at a psql prompt would."""
    with tampering.lock, connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '3s'")
        cursor.execute(f"LOCK TABLE pgmq.q_{queue} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"SELECT msg_id, message ->> 'step_uuid' FROM pgmq.q_{queue}")  # noqa: S608
        gone = cursor.fetchall()
        tampering.touch((step for _, step in gone), is_purge=True)
        cursor.execute("SELECT pgmq.purge_queue(%s)", [queue])
    tampering.purged.update((queue, msg_id) for msg_id, _ in gone)
    return f"{queue}, {len(gone)} messages"


def duplicate_step_messages(connection: Any, tampering: Tampering, chance: random.Random) -> str:
    """Send messages of steps again: of some that wait now, and of some in whatever state."""
    sent = 0
    for step, task, _, namespace in _recent(connection, chance):
        sent += _send_about(connection, tampering, worker_queue(namespace), task=task, step=step)
    for queue in WORKER_QUEUES:
        waiting = f"SELECT message FROM pgmq.q_{queue} ORDER BY random() LIMIT {COPIES}"  # noqa: S608
        for (message,) in connection.execute(waiting).fetchall():
            if isinstance(message, dict):
                tampering.touch([str(message.get("step_uuid"))])
                _send(connection, queue, message)
                sent += 1
    return f"{sent} messages"


def duplicate_results(connection: Any, tampering: Tampering, chance: random.Random) -> str:
    """Send result messages again: of waiting ones, and late or early ones about recent steps."""
    sent = 0
    waiting = f"SELECT message FROM pgmq.q_{RESULTS_QUEUE} LIMIT {COPIES}"  # noqa: S608
    for (message,) in connection.execute(waiting).fetchall():
        if isinstance(message, dict):
            tampering.touch([str(message.get("step_uuid"))])
            _send(connection, RESULTS_QUEUE, message)
            sent += 1
    for step, task, version, _ in _recent(connection, chance):
        more = chance.choice([{}, {"state_version": version}, {"state_version": version + 1}])
        sent += _send_about(connection, tampering, RESULTS_QUEUE, task=task, step=step, **more)
    return f"{sent} messages"


def send_malformed(connection: Any, tampering: Tampering, chance: random.Random) -> str:
    """Send something that no reader can use; it has to end in the DLQ."""
    queue = chance.choice([*WORKER_QUEUES, RESULTS_QUEUE, REQUESTS_QUEUE])
    for body in chance.sample(MALFORMED, 3):
        tampering.malformed.add((queue, _send(connection, queue, body)))
    return queue


def send_foreign(connection: Any, tampering: Tampering, chance: random.Random) -> str:
    """Send well-formed messages about things that are not there, or not so."""
    kinds: Sequence[Callable[[Any, Tampering, random.Random], str]] = (
        _foreign_step,
        _foreign_result,
        _foreign_request,
    )
    return chance.choice(kinds)(connection, tampering, chance)


def _foreign_step(connection: Any, tampering: Tampering, chance: random.Random) -> str:
    queue = chance.choice(WORKER_QUEUES)
    _send(connection, queue, {"task_uuid": str(uuid4()), "step_uuid": str(uuid4())})
    for step, task, _, namespace in _recent(connection, chance):
        other = next(each for each in NAMESPACES if each != namespace)
        _send_about(connection, tampering, worker_queue(other), task=task, step=step)
    return f"steps unknown or of the other namespace to {queue}"


def _foreign_result(connection: Any, tampering: Tampering, chance: random.Random) -> str:
    _send(connection, RESULTS_QUEUE, {"task_uuid": str(uuid4()), "step_uuid": str(uuid4())})
    odd: list[Any] = ["7", 1.5, 10**12, -1, None, True, {"version": 1}]
    for step, task, _, _ in _recent(connection, chance):
        more = {"state_version": chance.choice(odd)}
        _send_about(connection, tampering, RESULTS_QUEUE, task=task, step=step, **more)
        _send(connection, RESULTS_QUEUE, {"task_uuid": str(task), "step_uuid": str(uuid4())})
    return "results of unknown tasks and steps, odd versions"


def _foreign_request(connection: Any, tampering: Tampering, chance: random.Random) -> str:
    wanted: list[dict[str, Any]] = [
        {"name": "no_such_template", "namespace": NAMESPACES[0]},
        {"name": "linear_00", "namespace": "no_such_namespace"},
        {"name": "linear_00", "namespace": NAMESPACES[0], "context": "no object"},
        {"name": "linear_00", "namespace": NAMESPACES[0], "priority": 10**9},
    ]
    _send(connection, REQUESTS_QUEUE, {"task_request": chance.choice(wanted), "metadata": {}})
    return "a request that cannot be met"


def _recent(connection: Any, chance: random.Random) -> list[Any]:
    found = connection.execute(RECENT_STEPS).fetchall()
    return chance.sample(found, min(COPIES, len(found)))


def _send_about(
    connection: Any, tampering: Tampering, queue: str, *, task: Any, step: Any, **more: Any
) -> int:
    tampering.touch([step])
    body = {"task_uuid": str(task), "step_uuid": str(step), "correlation_id": str(uuid4()), **more}
    _send(connection, queue, body)
    return 1


def _send(connection: Any, queue: str, body: Any) -> int:
    """Send a message and return its id."""
    sent = "SELECT pgmq_send_with_notify(%s, %s::jsonb)"
    (msg_id,) = connection.execute(sent, [queue, json.dumps(body)]).fetchone()
    return int(msg_id)
