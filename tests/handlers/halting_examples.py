"""The example handlers, held back at one place until a test has killed their worker.

Serve them with TASKER_LOAD_EXAMPLES=false: they bear the names of the originals.
"""

import time
from pathlib import Path
from typing import Any

from workers.context import StepContext
from workers.examples import customer_success, inventory_import
from workers.handlers.batch import BatchWorkerContext
from workers.handlers.functional import batch_worker, step_handler

HALTS_AT_ROW = 130
PAUSE_SECONDS = 0.02
FOREVER_SECONDS = 60.0

analyze_file = inventory_import.analyze_file
summarise = inventory_import.summarise
validate_request = customer_success.validate_request
check_policy = customer_success.check_policy
decide_approval = customer_success.decide_approval
close_ticket = customer_success.close_ticket


def halt(context: StepContext) -> None:
    """Tell the test that the first attempt is here, and wait to be killed."""
    if context.attempt > 1:
        return
    path = Path(context.get_input("gate"))
    path.touch()
    end = time.monotonic() + FOREVER_SECONDS
    while path.exists() and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)


@batch_worker("inventory_import.import_rows")
def import_rows(batch_context: BatchWorkerContext | None, context: StepContext) -> Any:
    """Import as the example does; halt in row 130."""
    assert batch_context
    begin = batch_context.checkpoint_cursor or batch_context.start_cursor
    if begin <= HALTS_AT_ROW < begin + inventory_import.ROWS_PER_CHECKPOINT:
        halt(context)
    original: Any = inventory_import.import_rows
    return original._handler_class().call(context)


@step_handler("customer_success.start_refund", atomic=True)
def start_refund(context: StepContext) -> Any:
    """Create the child as the example does; halt before the transaction commits."""
    original: Any = customer_success.start_refund
    made = original._handler_class().call(context)
    halt(context)
    return made
