"""What `purge` deletes with."""

from django.db import migrations

from orchestration.sql.operations import SQLFunction


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0007_staleness")]

    operations = [
        SQLFunction("tasker_purge_tasks"),
        SQLFunction("tasker_archives"),
        SQLFunction("tasker_purge_archives"),
        SQLFunction("tasker_count_archived"),
    ]
