"""Fewer indexes and foreign keys that a move has to keep; hops stay until the next move."""

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
        migrations.AlterField(
            model_name="stepresultaudit",
            name="task",
            field=models.ForeignKey(
                db_column="task_uuid",
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="result_audit",
                to="orchestration.task",
            ),
        ),
        migrations.AlterField(
            model_name="stepresultaudit",
            name="transition",
            field=models.ForeignKey(
                db_column="transition_uuid",
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="result_audit",
                to="orchestration.steptransition",
            ),
        ),
        migrations.AlterField(
            model_name="stepresultaudit",
            name="workflow_step",
            field=models.ForeignKey(
                db_column="workflow_step_uuid",
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="result_audit",
                to="orchestration.workflowstep",
            ),
        ),
        migrations.AlterField(
            model_name="steptransition",
            name="workflow_step",
            field=models.ForeignKey(
                db_column="workflow_step_uuid",
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="transitions",
                to="orchestration.workflowstep",
            ),
        ),
        migrations.AlterField(
            model_name="task",
            name="identity_hash",
            field=models.CharField(max_length=128),
        ),
        migrations.AlterField(
            model_name="tasktransition",
            name="task",
            field=models.ForeignKey(
                db_column="task_uuid",
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="transitions",
                to="orchestration.task",
            ),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.UniqueConstraint(
                fields=("identity_hash",), name="tasker_task_identity"
            ),
        ),
        migrations.RemoveConstraint(
            model_name="steptransition",
            name="tasker_step_hop_states",
        ),
        migrations.RemoveConstraint(
            model_name="tasktransition",
            name="tasker_task_hop_states",
        ),
    ]
