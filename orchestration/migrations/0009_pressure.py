"""How much work waits, and for how long: bounded looks at the queues."""

from django.db import migrations

from orchestration.sql.operations import SQLFunction


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0008_retention")]

    operations = [
        SQLFunction("tasker_count_messages"),
        SQLFunction("tasker_queue_lag"),
    ]
