"""Analytics: what a period was like, and which tasks and steps were slowest in it."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations

from orchestration.sql.operations import SQLFunction


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0014_operator_records")]

    operations = [
        migrations.AddIndex(
            "stepresultaudit", BrinIndex(fields=["recorded_at"], name="tasker_result_audit_times")
        ),
        SQLFunction("get_analytics_metrics"),
        SQLFunction("get_slowest_steps"),
        SQLFunction("get_slowest_tasks"),
        SQLFunction("get_slowest_steps_aggregated"),
        SQLFunction("get_slowest_tasks_aggregated"),
    ]
