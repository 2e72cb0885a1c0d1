"""The engine's tables."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.lookups
import django_fsm
from django.db import migrations, models

import templates_registry.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("templates_registry", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="AnnotationType",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                ("annotation_type_id", models.AutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=64, unique=True)),
                ("description", models.CharField(blank=True, max_length=255, null=True)),
            ],
            options={
                "db_table": "tasker_annotation_types",
            },
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                ("state_version", models.IntegerField(db_default=1, editable=False)),
                (
                    "state_entered_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                (
                    "via",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), editable=False, null=True, size=None
                    ),
                ),
                (
                    "task_uuid",
                    models.UUIDField(
                        db_default=templates_registry.models.UuidV7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[
                            ("pending", "Pending"),
                            ("initializing", "Initializing"),
                            ("enqueuing_steps", "Enqueuing Steps"),
                            ("steps_in_process", "Steps In Process"),
                            ("evaluating_results", "Evaluating Results"),
                            ("waiting_for_dependencies", "Waiting For Dependencies"),
                            ("waiting_for_retry", "Waiting For Retry"),
                            ("blocked_by_failures", "Blocked By Failures"),
                            ("complete", "Complete"),
                            ("error", "Error"),
                            ("cancelled", "Cancelled"),
                            ("resolved_manually", "Resolved Manually"),
                        ],
                        db_default="pending",
                        default="pending",
                        max_length=40,
                        protected=True,
                    ),
                ),
                ("completed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "requested_at",
                    models.DateTimeField(db_default=templates_registry.models.TaskerNow()),
                ),
                ("initiator", models.CharField(db_default="unknown", max_length=255)),
                ("source_system", models.CharField(db_default="api", max_length=255)),
                ("reason", models.CharField(blank=True, db_default="", max_length=500)),
                ("context", models.JSONField(db_default={})),
                ("tags", models.JSONField(blank=True, db_default=[])),
                ("bypass_steps", models.JSONField(blank=True, db_default=[])),
                ("options", models.JSONField(blank=True, null=True)),
                ("priority", models.IntegerField(db_default=0)),
                (
                    "schedule_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.expressions.RawSQL(
                            "priority - 0.1 * (EXTRACT(EPOCH FROM created_at AT TIME ZONE 'UTC') - 1577836800) / 3600",
                            [],
                        ),
                        output_field=models.FloatField(),
                    ),
                ),
                ("identity_hash", models.CharField(max_length=128, unique=True)),
                ("idempotency_key", models.CharField(blank=True, max_length=255, null=True)),
                ("request_hash", models.CharField(max_length=64)),
                (
                    "correlation_id",
                    models.UUIDField(db_default=templates_registry.models.UuidV7(), db_index=True),
                ),
                ("parent_correlation_id", models.UUIDField(blank=True, null=True)),
                (
                    "named_task",
                    models.ForeignKey(
                        db_column="named_task_uuid",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks",
                        to="templates_registry.namedtask",
                    ),
                ),
                (
                    "template_revision",
                    models.ForeignKey(
                        db_column="template_revision_uuid",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks",
                        to="templates_registry.templaterevision",
                    ),
                ),
            ],
            options={
                "db_table": "tasker_tasks",
            },
        ),
        migrations.CreateModel(
            name="DlqEntry",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                (
                    "dlq_entry_uuid",
                    models.UUIDField(
                        db_default=templates_registry.models.UuidV7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("original_state", models.CharField(max_length=32, null=True)),
                (
                    "dlq_reason",
                    models.CharField(
                        choices=[
                            ("staleness_timeout", "Staleness Timeout"),
                            ("max_retries_exceeded", "Max Retries Exceeded"),
                            ("dependency_cycle_detected", "Dependency Cycle Detected"),
                            ("worker_unavailable", "Worker Unavailable"),
                            ("manual_dlq", "Manual Dlq"),
                            ("poison_message", "Poison Message"),
                        ],
                        max_length=32,
                    ),
                ),
                (
                    "dlq_timestamp",
                    models.DateTimeField(db_default=templates_registry.models.TaskerNow()),
                ),
                (
                    "resolution_status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("manually_resolved", "Manually Resolved"),
                            ("permanently_failed", "Permanently Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        db_default="pending",
                        max_length=24,
                    ),
                ),
                ("resolution_timestamp", models.DateTimeField(blank=True, null=True)),
                ("resolution_notes", models.TextField(blank=True, null=True)),
                ("resolved_by", models.CharField(blank=True, max_length=255, null=True)),
                ("task_snapshot", models.JSONField(db_default={})),
                ("queue_name", models.CharField(max_length=64, null=True)),
                ("msg_id", models.BigIntegerField(null=True)),
                ("message", models.JSONField(null=True)),
                ("metadata", models.JSONField(db_default={})),
                (
                    "task",
                    models.ForeignKey(
                        blank=True,
                        db_column="task_uuid",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="dlq_entries",
                        to="orchestration.task",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "DLQ entries",
                "db_table": "tasker_tasks_dlq",
            },
        ),
        migrations.CreateModel(
            name="TaskAnnotation",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                ("task_annotation_id", models.BigAutoField(primary_key=True, serialize=False)),
                ("annotation", models.JSONField()),
                (
                    "annotation_type",
                    models.ForeignKey(
                        db_column="annotation_type_id",
                        on_delete=django.db.models.deletion.PROTECT,
                        to="orchestration.annotationtype",
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        db_column="task_uuid",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="annotations",
                        to="orchestration.task",
                    ),
                ),
            ],
            options={
                "db_table": "tasker_task_annotations",
            },
        ),
        migrations.CreateModel(
            name="TaskerProcess",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                ("worker_uuid", models.UUIDField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("worker", "Worker"), ("orchestrator", "Orchestrator")],
                        max_length=16,
                    ),
                ),
                ("name", models.CharField(max_length=128)),
                ("hostname", models.CharField(max_length=255)),
                ("pid", models.IntegerField()),
                ("version", models.CharField(max_length=50)),
                ("environment", models.CharField(max_length=32)),
                ("namespaces", models.JSONField(db_default=[])),
                ("handlers", models.JSONField(db_default=[])),
                ("report", models.JSONField(db_default={})),
                ("slots", models.IntegerField(db_default=0)),
                ("running", models.IntegerField(db_default=0)),
                ("deployment_mode", models.CharField(max_length=20)),
                ("has_liveness_lock", models.BooleanField(db_default=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("draining", "Draining"),
                            ("stopped", "Stopped"),
                            ("lost", "Lost"),
                        ],
                        db_default="running",
                        max_length=16,
                    ),
                ),
                (
                    "started_at",
                    models.DateTimeField(db_default=templates_registry.models.TaskerNow()),
                ),
                (
                    "last_heartbeat_at",
                    models.DateTimeField(db_default=templates_registry.models.TaskerNow()),
                ),
                ("lock_missing_since", models.DateTimeField(blank=True, null=True)),
                ("stopped_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name_plural": "processes",
                "db_table": "tasker_workers",
                "indexes": [
                    models.Index(
                        fields=["status", "last_heartbeat_at"], name="tasker_worker_heartbeat"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TaskTransition",
            fields=[
                ("sort_key", models.IntegerField()),
                ("from_state", models.CharField(max_length=40, null=True)),
                ("to_state", models.CharField(max_length=40)),
                ("event", models.CharField(max_length=64)),
                ("processor_uuid", models.UUIDField(null=True)),
                ("actor", models.CharField(max_length=255, null=True)),
                ("metadata", models.JSONField(db_default={})),
                (
                    "created_at",
                    models.DateTimeField(db_default=templates_registry.models.TaskerNow()),
                ),
                (
                    "task_transition_uuid",
                    models.UUIDField(
                        db_default=templates_registry.models.UuidV7(),
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        db_column="task_uuid",
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="transitions",
                        to="orchestration.task",
                    ),
                ),
            ],
            options={
                "db_table": "tasker_task_transitions",
            },
        ),
        migrations.CreateModel(
            name="WorkflowStep",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                ("state_version", models.IntegerField(db_default=1, editable=False)),
                (
                    "state_entered_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                (
                    "via",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), editable=False, null=True, size=None
                    ),
                ),
                (
                    "workflow_step_uuid",
                    models.UUIDField(
                        db_default=templates_registry.models.UuidV7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=128)),
                (
                    "step_type",
                    models.CharField(
                        choices=[
                            ("standard", "Standard"),
                            ("decision", "Decision"),
                            ("deferred_convergence", "Deferred Convergence"),
                            ("batchable", "Batchable"),
                            ("batch_worker", "Batch Worker"),
                        ],
                        db_default="standard",
                        max_length=24,
                    ),
                ),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[
                            ("pending", "Pending"),
                            ("enqueued", "Enqueued"),
                            ("in_progress", "In Progress"),
                            ("enqueued_for_orchestration", "Enqueued For Orchestration"),
                            (
                                "enqueued_as_error_for_orchestration",
                                "Enqueued As Error For Orchestration",
                            ),
                            ("waiting_for_retry", "Waiting For Retry"),
                            ("complete", "Complete"),
                            ("error", "Error"),
                            ("cancelled", "Cancelled"),
                            ("resolved_manually", "Resolved Manually"),
                        ],
                        db_default="pending",
                        default="pending",
                        max_length=40,
                        protected=True,
                    ),
                ),
                ("priority", models.IntegerField(db_default=0)),
                ("skippable", models.BooleanField(db_default=False)),
                ("retryable", models.BooleanField(db_default=True)),
                ("max_attempts", models.IntegerField(db_default=3)),
                ("attempts", models.IntegerField(db_default=0)),
                ("backoff_strategy", models.CharField(blank=True, max_length=16, null=True)),
                ("backoff_base_ms", models.IntegerField(blank=True, null=True)),
                ("max_backoff_ms", models.IntegerField(blank=True, null=True)),
                ("timeout_seconds", models.IntegerField(blank=True, null=True)),
                ("last_attempted_at", models.DateTimeField(blank=True, null=True)),
                ("last_failure_at", models.DateTimeField(blank=True, null=True)),
                ("backoff_request_seconds", models.FloatField(blank=True, null=True)),
                ("next_retry_at", models.DateTimeField(blank=True, null=True)),
                ("claimed_by", models.UUIDField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("queue_msg_id", models.BigIntegerField(blank=True, null=True)),
                ("requeue_count", models.IntegerField(db_default=0)),
                ("inputs", models.JSONField(blank=True, null=True)),
                ("results", models.JSONField(blank=True, null=True)),
                ("checkpoint", models.JSONField(blank=True, null=True)),
                ("batch_id", models.CharField(blank=True, max_length=64, null=True)),
                ("batch_index", models.IntegerField(blank=True, null=True)),
                ("batch_count", models.IntegerField(blank=True, null=True)),
                ("completed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "named_step",
                    models.ForeignKey(
                        db_column="named_step_uuid",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="templates_registry.namedstep",
                    ),
                ),
                (
                    "origin_step",
                    models.ForeignKey(
                        blank=True,
                        db_column="origin_step_uuid",
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="created_steps",
                        to="orchestration.workflowstep",
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        db_column="task_uuid",
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="orchestration.task",
                    ),
                ),
            ],
            options={
                "db_table": "tasker_workflow_steps",
            },
        ),
        migrations.CreateModel(
            name="StepTransition",
            fields=[
                ("sort_key", models.IntegerField()),
                ("from_state", models.CharField(max_length=40, null=True)),
                ("to_state", models.CharField(max_length=40)),
                ("event", models.CharField(max_length=64)),
                ("processor_uuid", models.UUIDField(null=True)),
                ("actor", models.CharField(max_length=255, null=True)),
                ("metadata", models.JSONField(db_default={})),
                (
                    "created_at",
                    models.DateTimeField(db_default=templates_registry.models.TaskerNow()),
                ),
                (
                    "workflow_step_transition_uuid",
                    models.UUIDField(
                        db_default=templates_registry.models.UuidV7(),
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("worker_uuid", models.UUIDField(null=True)),
                ("attempt", models.IntegerField()),
                (
                    "workflow_step",
                    models.ForeignKey(
                        db_column="workflow_step_uuid",
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="transitions",
                        to="orchestration.workflowstep",
                    ),
                ),
            ],
            options={
                "db_table": "tasker_workflow_step_transitions",
            },
        ),
        migrations.CreateModel(
            name="StepResultAudit",
            fields=[
                (
                    "audit_uuid",
                    models.UUIDField(
                        db_default=templates_registry.models.UuidV7(),
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("worker_uuid", models.UUIDField(null=True)),
                ("correlation_id", models.UUIDField()),
                ("attempt", models.IntegerField()),
                ("success", models.BooleanField()),
                ("execution_time_ms", models.BigIntegerField(null=True)),
                ("error_type", models.CharField(max_length=255, null=True)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=templates_registry.models.TaskerNow()),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=templates_registry.models.TaskerNow()),
                ),
                (
                    "transition",
                    models.ForeignKey(
                        db_column="transition_uuid",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="result_audit",
                        to="orchestration.steptransition",
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        db_column="task_uuid",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="result_audit",
                        to="orchestration.task",
                    ),
                ),
                (
                    "workflow_step",
                    models.ForeignKey(
                        db_column="workflow_step_uuid",
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="result_audit",
                        to="orchestration.workflowstep",
                    ),
                ),
            ],
            options={
                "db_table": "tasker_workflow_step_result_audit",
            },
        ),
        migrations.CreateModel(
            name="WorkflowStepEdge",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                (
                    "workflow_step_edge_uuid",
                    models.UUIDField(
                        db_default=templates_registry.models.UuidV7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(db_default="provides", max_length=64)),
                (
                    "from_step",
                    models.ForeignKey(
                        db_column="from_step_uuid",
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="outgoing_edges",
                        to="orchestration.workflowstep",
                    ),
                ),
                (
                    "to_step",
                    models.ForeignKey(
                        db_column="to_step_uuid",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="incoming_edges",
                        to="orchestration.workflowstep",
                    ),
                ),
            ],
            options={
                "db_table": "tasker_workflow_step_edges",
            },
        ),
        migrations.CreateModel(
            name="DependentSystemObjectMap",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                (
                    "dependent_system_object_map_id",
                    models.BigAutoField(primary_key=True, serialize=False),
                ),
                ("remote_id_one", models.CharField(max_length=128)),
                ("remote_id_two", models.CharField(max_length=128)),
                (
                    "dependent_system_one",
                    models.ForeignKey(
                        db_column="dependent_system_one_uuid",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="templates_registry.dependentsystem",
                    ),
                ),
                (
                    "dependent_system_two",
                    models.ForeignKey(
                        db_column="dependent_system_two_uuid",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="templates_registry.dependentsystem",
                    ),
                ),
            ],
            options={
                "db_table": "tasker_dependent_system_object_maps",
                "constraints": [
                    models.UniqueConstraint(
                        fields=(
                            "dependent_system_one",
                            "dependent_system_two",
                            "remote_id_one",
                            "remote_id_two",
                        ),
                        name="tasker_object_map_once",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(fields=["-created_at"], name="tasker_task_newest"),
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
                fields=["state", "state_entered_at"],
                name="tasker_task_unfinished",
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                models.OrderBy(models.F("schedule_key"), descending=True),
                models.F("created_at"),
                condition=models.Q(
                    ("state__in", ["pending", "waiting_for_dependencies", "waiting_for_retry"])
                ),
                name="tasker_task_discovery",
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(("completed_at__isnull", False)),
                fields=["completed_at"],
                name="tasker_task_completed",
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(("parent_correlation_id__isnull", False)),
                fields=["parent_correlation_id"],
                name="tasker_task_parent",
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["tags"], name="tasker_task_tags"
            ),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.CheckConstraint(
                condition=django.db.models.expressions.RawSQL(
                    "state = ANY('{pending,initializing,enqueuing_steps,steps_in_process,evaluating_results,waiting_for_dependencies,waiting_for_retry,blocked_by_failures,complete,error,cancelled,resolved_manually}'::text[])",
                    [],
                    output_field=models.BooleanField(),
                ),
                name="tasker_task_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.CheckConstraint(
                condition=models.Q(("via__isnull", True)), name="tasker_task_via_at_rest"
            ),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.CheckConstraint(
                condition=django.db.models.expressions.RawSQL(
                    "(completed_at IS NOT NULL) = (state = ANY('{cancelled,complete,error,resolved_manually}'::text[]))",
                    [],
                    output_field=models.BooleanField(),
                ),
                name="tasker_task_completed_at",
            ),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.Exact(
                    models.Func(
                        models.F("context"),
                        function="jsonb_typeof",
                        output_field=models.TextField(),
                    ),
                    models.Value("object"),
                ),
                name="tasker_task_context_object",
            ),
        ),
        migrations.AddIndex(
            model_name="dlqentry",
            index=models.Index(
                fields=["resolution_status", "dlq_timestamp"], name="tasker_dlq_queue"
            ),
        ),
        migrations.AddConstraint(
            model_name="dlqentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "dlq_reason__in",
                        [
                            "staleness_timeout",
                            "max_retries_exceeded",
                            "dependency_cycle_detected",
                            "worker_unavailable",
                            "manual_dlq",
                            "poison_message",
                        ],
                    )
                ),
                name="tasker_dlq_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="dlqentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "resolution_status__in",
                        ["pending", "manually_resolved", "permanently_failed", "cancelled"],
                    )
                ),
                name="tasker_dlq_resolution",
            ),
        ),
        migrations.AddConstraint(
            model_name="dlqentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("resolution_status", "pending")),
                fields=("task",),
                name="tasker_dlq_one_pending",
            ),
        ),
        migrations.AddIndex(
            model_name="taskannotation",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["annotation"], name="tasker_annotation_gin"
            ),
        ),
        migrations.AddConstraint(
            model_name="tasktransition",
            constraint=models.UniqueConstraint(fields=("task", "sort_key"), name="tasker_task_hop"),
        ),
        migrations.AddConstraint(
            model_name="tasktransition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    django.db.models.expressions.RawSQL(
                        "to_state = ANY('{pending,initializing,enqueuing_steps,steps_in_process,evaluating_results,waiting_for_dependencies,waiting_for_retry,blocked_by_failures,complete,error,cancelled,resolved_manually}'::text[])",
                        [],
                        output_field=models.BooleanField(),
                    ),
                    django.db.models.expressions.RawSQL(
                        "from_state IS NULL OR from_state = ANY('{pending,initializing,enqueuing_steps,steps_in_process,evaluating_results,waiting_for_dependencies,waiting_for_retry,blocked_by_failures,complete,error,cancelled,resolved_manually}'::text[])",
                        [],
                        output_field=models.BooleanField(),
                    ),
                ),
                name="tasker_task_hop_states",
            ),
        ),
        migrations.AddIndex(
            model_name="workflowstep",
            index=models.Index(fields=["task", "state"], name="tasker_step_task_state"),
        ),
        migrations.AddIndex(
            model_name="workflowstep",
            index=models.Index(
                condition=models.Q(
                    ("attempts__lt", models.F("max_attempts")),
                    ("retryable", True),
                    ("state", "waiting_for_retry"),
                ),
                fields=["next_retry_at"],
                name="tasker_step_due",
            ),
        ),
        migrations.AddIndex(
            model_name="workflowstep",
            index=models.Index(
                condition=models.Q(("state", "in_progress")),
                fields=["lease_until"],
                name="tasker_step_leases",
            ),
        ),
        migrations.AddIndex(
            model_name="workflowstep",
            index=models.Index(
                condition=models.Q(("claimed_by__isnull", False)),
                fields=["claimed_by"],
                name="tasker_step_claimed_by",
            ),
        ),
        migrations.AddIndex(
            model_name="workflowstep",
            index=models.Index(
                condition=models.Q(("origin_step__isnull", False)),
                fields=["origin_step"],
                name="tasker_step_origin",
            ),
        ),
        migrations.AddIndex(
            model_name="workflowstep",
            index=models.Index(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "enqueued",
                            "enqueued_for_orchestration",
                            "enqueued_as_error_for_orchestration",
                        ],
                    )
                ),
                fields=["state_entered_at"],
                name="tasker_step_awaiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowstep",
            constraint=models.UniqueConstraint(
                fields=("task", "name"), name="tasker_step_name_in_task"
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowstep",
            constraint=models.CheckConstraint(
                condition=django.db.models.expressions.RawSQL(
                    "state = ANY('{pending,enqueued,in_progress,enqueued_for_orchestration,enqueued_as_error_for_orchestration,waiting_for_retry,complete,error,cancelled,resolved_manually}'::text[])",
                    [],
                    output_field=models.BooleanField(),
                ),
                name="tasker_step_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowstep",
            constraint=models.CheckConstraint(
                condition=django.db.models.expressions.RawSQL(
                    "step_type = ANY('{standard,decision,deferred_convergence,batchable,batch_worker}'::text[])",
                    [],
                    output_field=models.BooleanField(),
                ),
                name="tasker_step_type",
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("via__isnull", True)), name="tasker_step_via_at_rest"
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("attempts__gte", 0), ("max_attempts__gte", 0), ("requeue_count__gte", 0)
                ),
                name="tasker_step_counts",
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowstep",
            constraint=models.CheckConstraint(
                condition=django.db.models.expressions.RawSQL(
                    "backoff_strategy IS NULL OR backoff_strategy = ANY('{none,linear,exponential,fibonacci}'::text[])",
                    [],
                    output_field=models.BooleanField(),
                ),
                name="tasker_step_backoff_strategy",
            ),
        ),
        migrations.AddConstraint(
            model_name="steptransition",
            constraint=models.UniqueConstraint(
                fields=("workflow_step", "sort_key"), name="tasker_step_hop"
            ),
        ),
        migrations.AddConstraint(
            model_name="steptransition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    django.db.models.expressions.RawSQL(
                        "to_state = ANY('{pending,enqueued,in_progress,enqueued_for_orchestration,enqueued_as_error_for_orchestration,waiting_for_retry,complete,error,cancelled,resolved_manually}'::text[])",
                        [],
                        output_field=models.BooleanField(),
                    ),
                    django.db.models.expressions.RawSQL(
                        "from_state IS NULL OR from_state = ANY('{pending,enqueued,in_progress,enqueued_for_orchestration,enqueued_as_error_for_orchestration,waiting_for_retry,complete,error,cancelled,resolved_manually}'::text[])",
                        [],
                        output_field=models.BooleanField(),
                    ),
                ),
                name="tasker_step_hop_states",
            ),
        ),
        migrations.AddConstraint(
            model_name="stepresultaudit",
            constraint=models.UniqueConstraint(
                fields=("workflow_step", "transition"), name="tasker_result_audit_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowstepedge",
            constraint=models.UniqueConstraint(
                fields=("from_step", "to_step", "name"), name="tasker_edge_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowstepedge",
            constraint=models.CheckConstraint(
                condition=models.Q(("from_step", models.F("to_step")), _negated=True),
                name="tasker_edge_no_loop",
            ),
        ),
    ]
