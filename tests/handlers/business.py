"""Handlers that write rows of a business beside their result.

The table has no unique constraint: what is written twice shall be seen twice. `business_rows` makes
it for one test. A handler writes two rows, the second behind a savepoint; between them it waits at
the gate, if the context names one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, transaction

from tests.handlers.shapes import wait
from workers.context import StepContext
from workers.handlers.functional import step_handler

ROWS_OF_A_STEP = 2
TABLE = """
CREATE TABLE business_rows (
  row_id bigserial PRIMARY KEY,
  step_uuid uuid NOT NULL,
  attempt int NOT NULL
)
"""
# Every step that is told done has its rows, and no other step has any.
DIFFERENCES = """
SELECT s.workflow_step_uuid::text, s.state, s.attempts, coalesce(b.rows, 0)
FROM tasker_workflow_steps AS s
LEFT JOIN (SELECT step_uuid, count(*) AS rows FROM business_rows GROUP BY 1) AS b
  ON b.step_uuid = s.workflow_step_uuid
JOIN tasker_tasks AS t ON t.task_uuid = s.task_uuid
JOIN tasker_named_tasks AS n ON n.named_task_uuid = t.named_task_uuid
WHERE n.name LIKE 'business%%'
  AND coalesce(b.rows, 0)
    <> CASE WHEN s.state IN ('enqueued_for_orchestration', 'complete') THEN %s ELSE 0 END
"""


@contextmanager
def business_rows() -> Iterator[None]:
    """Make the table; drop it with the block."""
    with connections["default"].cursor() as cursor:
        cursor.execute(TABLE)
    try:
        yield
    finally:
        with connections["default"].cursor() as cursor:
            cursor.execute("DROP TABLE business_rows CASCADE")


def differences() -> list[tuple[object, ...]]:
    """Return the steps (uuid, state, attempts, rows) whose rows do not agree with their state."""
    with connections["default"].cursor() as cursor:
        cursor.execute(DIFFERENCES, [ROWS_OF_A_STEP])
        found: list[tuple[object, ...]] = cursor.fetchall()
        return found


def _write_row(context: StepContext) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO business_rows (step_uuid, attempt) VALUES (%s, %s)",
            [context.step_uuid, context.attempt],
        )


def _write(context: StepContext) -> dict[str, int]:
    _write_row(context)
    if context.get_input("gate"):
        wait(context)
    with transaction.atomic():
        _write_row(context)
    return {"attempt": context.attempt}


@step_handler("business.write", atomic=True)
def write(context: StepContext) -> dict[str, int]:
    """Write the rows in the transaction of the report."""
    return _write(context)


@step_handler("business.write_apart")
def write_apart(context: StepContext) -> dict[str, int]:
    """Write the rows in transactions of their own: what `atomic` is there to spare."""
    return _write(context)
