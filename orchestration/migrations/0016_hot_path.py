"""Fewer indexes that a move has to write, and hops that stay in the row until the next move."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orchestration", "0015_analytics"),
        ("templates_registry", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="task",
            name="tasker_task_via_at_rest",
        ),
        migrations.RemoveConstraint(
            model_name="workflowstep",
            name="tasker_step_via_at_rest",
        ),
        migrations.RemoveIndex(
            model_name="task",
            name="tasker_task_unfinished",
        ),
        migrations.RemoveIndex(
            model_name="workflowstep",
            name="tasker_step_task_state",
        ),
        migrations.RemoveIndex(
            model_name="workflowstep",
            name="tasker_step_claimed_by",
        ),
        migrations.AlterField(
            model_name="workflowstep",
            name="named_step",
            field=models.ForeignKey(
                db_column="named_step_uuid",
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="steps",
                to="templates_registry.namedstep",
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "pending",
                            "initializing",
                            "enqueuing_steps",
                            "steps_in_process",
                            "evaluating_results",
                            "waiting_for_dependencies",
                            "waiting_for_retry",
                            "blocked_by_failures",
                        ],
                    )
                ),
                fields=["state", "created_at"],
                name="tasker_task_unfinished",
            ),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.CheckConstraint(
                condition=models.Q(("via__isnull", True), ("via__0", "#"), _connector="OR"),
                name="tasker_task_via_at_rest",
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("via__isnull", True), ("via__0", "#"), _connector="OR"),
                name="tasker_step_via_at_rest",
            ),
        ),
    ]
