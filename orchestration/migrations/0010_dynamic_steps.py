"""Steps that a running task gets from decisions and batches."""

from django.db import migrations

from orchestration.sql.operations import SQLFunction


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0009_pressure")]

    operations = [
        SQLFunction("tasker_add_steps"),
    ]
