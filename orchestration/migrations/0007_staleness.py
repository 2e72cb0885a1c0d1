"""The staleness detector: its measure, its rounds, and the view that shows what it will find."""

from django.db import migrations

from orchestration.sql.operations import SQLFunction, SQLView


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0006_worker_protocol")]

    operations = [
        SQLFunction("tasker_measure_staleness"),
        SQLFunction("tasker_staleness_reason"),
        SQLFunction("get_stale_tasks_for_dlq"),
        SQLFunction("transition_stale_task_to_error"),
        SQLFunction("tasker_settle_stale_task"),
        SQLFunction("detect_and_transition_stale_tasks"),
        SQLView("tasker_task_staleness_monitoring"),
    ]
