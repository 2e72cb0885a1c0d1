"""The judge and the history: legal moves, one row per hop, append-only."""

from django.db import migrations

from orchestration.sql.operations import SQLFunction, SQLTrigger


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0002_pgmq")]

    operations = [
        SQLFunction("task_move_event"),
        SQLFunction("step_move_event"),
        SQLFunction("tasker_refuse_move"),
        SQLTrigger("task_created"),
        SQLTrigger("steps_created"),
        SQLTrigger("task_moves"),
        SQLTrigger("step_moves"),
        SQLTrigger("tasks_moved"),
        SQLTrigger("steps_moved"),
        SQLTrigger("history_is_append_only"),
    ]
