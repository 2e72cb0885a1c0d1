"""A CSV file in batches: as classes with `Batchable`, and as functions."""

import csv
from pathlib import Path

from tasker_core import Batchable, StepHandler
from tasker_core.step_handler.functional import (
    BatchConfig,
    batch_analyzer,
    batch_worker,
    inputs,
    step_handler,
)


def read_rows(path):
    """Return the rows of a CSV file with a header."""
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


class CsvAnalyzerHandler(StepHandler, Batchable):
    handler_name = "compat_csv_analyze"

    def call(self, context):
        rows = len(read_rows(context.get_input("path")))
        if rows == 0:
            return self.no_batches_outcome(reason="empty_file", metadata={"total_rows": 0})
        ranges = self.create_cursor_ranges(rows, context.get_config("batch_size"))
        return self.batch_analyzer_success(
            worker_template_name="process_rows",
            cursor_configs=ranges,
            total_items=rows,
            batch_metadata={"source": "csv"},
        )


class CsvWorkerHandler(StepHandler, Batchable):
    handler_name = "compat_csv_process"

    def call(self, context):
        no_op = self.handle_no_op_worker(context)
        if no_op:
            return no_op
        batch = self.get_batch_context(context)
        rows = read_rows(context.get_input("path"))[batch.start_cursor : batch.end_cursor]
        bad = [row for row in rows if not row["price"].replace(".", "").isdigit()]
        return self.batch_worker_success(
            items_processed=len(rows),
            items_succeeded=len(rows) - len(bad),
            items_failed=len(bad),
            results=[{"total": sum(float(row["price"]) for row in rows if row not in bad)}],
            errors=[{"sku": row["sku"]} for row in bad],
            last_cursor=batch.end_cursor,
        )


class CsvAggregatorHandler(StepHandler, Batchable):
    handler_name = "compat_csv_aggregate"

    def call(self, context):
        scenario = self.detect_aggregation_scenario(
            context.dependency_results, "analyze_file", "process_rows_"
        )
        return self.aggregate_batch_worker_results(
            scenario, zero_metrics={"total": 0.0, "rows": 0}, aggregation_fn=self.add_up
        )

    @staticmethod
    def add_up(batch_results):
        counted = Batchable.aggregate_worker_results(list(batch_results.values()))
        total = sum(part["total"] for each in batch_results.values() for part in each["results"])
        return {
            "total": round(total, 2),
            "rows": counted["total_processed"],
            "failed": counted["total_failed"],
        }


@batch_analyzer("compat_csv_analyze_function", worker_template="process_rows")
@inputs("path")
def analyze_file(path):
    """Split a file into batches of two rows."""
    return BatchConfig(total_items=len(read_rows(path)), batch_size=2)


@batch_worker("compat_csv_process_function")
@inputs("path")
def process_rows(path, batch_context):
    """Add up the prices of one batch."""
    rows = read_rows(path)[batch_context.start_cursor : batch_context.end_cursor]
    return {"rows": len(rows), "total": sum(float(row["price"]) for row in rows)}


@step_handler("compat_csv_aggregate_function")
def aggregate(context):
    """Add up the batches."""
    found = context.get_all_dependency_results("process_rows_")
    return {"batches": len(found), "total": round(sum(each["total"] for each in found), 2)}
