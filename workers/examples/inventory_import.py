"""The example `inventory_import/csv_import`: a file in batches, each with checkpoints.

analyze_file → import_rows, one instance for each batch → summarise; the template is in
`templates_registry/templates/examples/`. Only numbers of rows and names of columns are reported of
a row that is wrong, never its text: the path comes from whoever made the task.
"""

import csv
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any

from workers.context import StepContext
from workers.errors import PermanentError, RetryableError
from workers.examples.money import as_number
from workers.handlers.batch import BatchConfig, BatchWorkerContext
from workers.handlers.checkpoint import Checkpoint
from workers.handlers.functional import (
    batch_analyzer,
    batch_worker,
    depends_on,
    inputs,
    step_handler,
)

COLUMNS = ("sku", "price", "stock")
ROWS_PER_CHECKPOINT = 50
MOST_ERRORS = 100
NOTHING: dict[str, Any] = {
    "rows": 0,
    "value_cents": 0,
    "stock": 0,
    "failed": 0,
    "errors": [],
    "checkpoints": 0,
}
"""What a batch has added up before its first row."""


def make_csv(path: str | Path, rows: int) -> None:
    """Write a file of that many rows whose numbers are known."""
    with Path(path).open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(COLUMNS)
        for i in range(1, rows + 1):
            writer.writerow([f"SKU-{i:05}", f"{i % 50}.99", 3 * i % 17])


@batch_analyzer("inventory_import.analyze_file", worker_template="import_rows")
@inputs("path")
def analyze_file(path: Any, context: StepContext) -> BatchConfig:
    """Count the rows and split them; no such file is a file without rows."""
    total_rows = sum(1 for _row in read_rows(path, 0, None))
    size, most = context.get_config("batch_size"), context.get_config("max_batches")
    return BatchConfig(total_rows, max(size, ceil(total_rows / most)))


@batch_worker("inventory_import.import_rows")
@inputs("path", "fail_at_row", "fail_attempts")
def import_rows(
    path: Any,
    fail_at_row: Any,
    fail_attempts: Any,
    batch_context: BatchWorkerContext | None,
    context: StepContext,
) -> dict[str, Any] | Checkpoint:
    """Import up to the next checkpoint, or to the end of the batch."""
    if batch_context is None or context.step_inputs.get("is_no_op"):
        return dict(NOTHING)
    fails_at = fail_at_row if context.attempt <= (fail_attempts or 1) else None
    start = batch_context.start_cursor
    begin = batch_context.checkpoint_cursor or start
    end = min(begin + ROWS_PER_CHECKPOINT, batch_context.end_cursor)
    totals = {**NOTHING, **(batch_context.accumulated_results or {})}
    for number, row in enumerate(read_rows(path, begin, end), begin):
        if number == fails_at:
            raise RetryableError(f"Row {number} fails, as asked for.", error_code="INJECTED")
        totals = add_row(totals, number, row)
    if end < batch_context.end_cursor:
        totals["checkpoints"] += 1
        return Checkpoint(end, end - start, totals)
    return totals


@step_handler("inventory_import.summarise")
@depends_on(analysis="analyze_file")
def summarise(analysis: dict[str, Any], context: StepContext) -> dict[str, Any]:
    """Add up what the batches found."""
    batches = context.get_all_dependency_results("import_rows_")
    is_empty = analysis["batch_processing_outcome"]["type"] == "no_batches"
    return {
        "scenario": "no_batches" if is_empty else "with_batches",
        "worker_count": 0 if is_empty else len(batches),
        "total_rows": sum(batch["rows"] for batch in batches),
        "total_value": as_number(Decimal(sum(batch["value_cents"] for batch in batches)) / 100),
        "total_stock": sum(batch["stock"] for batch in batches),
        "failed": sum(batch["failed"] for batch in batches),
        "errors": [error for batch in batches for error in batch["errors"]][:MOST_ERRORS],
        "checkpoints": sum(batch["checkpoints"] for batch in batches),
    }


def read_rows(path: Any, begin: int, end: int | None) -> Iterator[dict[str, Any]]:
    """Yield the rows from `begin` to before `end`, counted from 0; none where there is no file."""
    try:
        source = Path(str(path)).open(newline="", encoding="utf-8", errors="replace")  # noqa: SIM115
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return
    with source:
        try:
            yield from islice(csv.DictReader(source), begin, end)
        except csv.Error as error:
            raise PermanentError("The file is no CSV.", error_code="UNREADABLE_FILE") from error


def add_row(totals: dict[str, Any], number: int, row: dict[str, Any]) -> dict[str, Any]:
    """Return the totals with one row more; a row with a wrong number is counted as failed."""
    price, stock = _decimal(row.get("price")), _decimal(row.get("stock"))
    wrong = [name for name, value in (("price", price), ("stock", stock)) if value is None]
    counted = {**totals, "rows": totals["rows"] + 1}
    if price is None or stock is None:
        found = [{"row": number, "column": name} for name in wrong]
        errors = [*totals["errors"], *found][:MOST_ERRORS]
        return {**counted, "failed": totals["failed"] + 1, "errors": errors}
    return {
        **counted,
        "value_cents": totals["value_cents"] + int(price * stock * 100),
        "stock": totals["stock"] + int(stock),
    }


def _decimal(text: Any) -> Decimal | None:
    try:
        number = Decimal(str(text).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
