"""Looks at queues that read no message: what lies there, and how much, up to a limit."""

from django.db import migrations

from orchestration.sql.operations import SQLFunction


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0012_api_keys")]

    operations = [
        SQLFunction("tasker_peek_messages"),
        SQLFunction("tasker_measure_queue"),
    ]
