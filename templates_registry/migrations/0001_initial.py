"""The registry's tables, and the two functions that every table's defaults call."""

import django.db.models.deletion
from django.db import migrations, models

import templates_registry.models

# Here and not among orchestration's versioned files: the registry stands below orchestration, and
# its own tables need both functions.
NOW = """
CREATE FUNCTION tasker_now() RETURNS timestamptz
LANGUAGE sql VOLATILE
AS $$
  SELECT coalesce(
    nullif(current_setting('tasker.fake_now', true), '')::timestamptz,
    clock_timestamp()
  )
$$;
COMMENT ON FUNCTION tasker_now() IS
  'The engine''s clock: clock_timestamp(), or the session setting tasker.fake_now (tests).';
"""

# RFC 9562: 48 bits of Unix milliseconds, version 7, the rest random. The fallback takes a random
# version 4, overlays the time and sets the two version bits that differ (0100 -> 0111).
UUID_V7 = """
DO $block$
BEGIN
  IF to_regprocedure('pg_catalog.uuidv7()') IS NOT NULL THEN
    CREATE FUNCTION uuid_generate_v7() RETURNS uuid
    LANGUAGE sql VOLATILE
    AS $$ SELECT uuidv7() $$;
  ELSIF to_regprocedure('uuid_generate_v7()') IS NULL THEN
    CREATE FUNCTION uuid_generate_v7() RETURNS uuid
    LANGUAGE sql VOLATILE
    AS $$
      SELECT encode(
        set_bit(
          set_bit(
            overlay(
              uuid_send(gen_random_uuid())
              PLACING substring(
                int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3
              )
              FROM 1 FOR 6
            ),
            52, 1
          ),
          53, 1
        ),
        'hex'
      )::uuid
    $$;
  END IF;
END
$block$;
"""

DROP_UUID_V7 = """
DO $block$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_depend
    WHERE objid = to_regprocedure('uuid_generate_v7()')
      AND deptype = 'e'
  ) THEN
    DROP FUNCTION uuid_generate_v7();
  END IF;
END
$block$;
"""

DEFAULT_SYSTEM = """
INSERT INTO tasker_dependent_systems (name, description)
VALUES ('default', 'Steps that name no system')
ON CONFLICT (name) DO NOTHING;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.RunSQL(NOW, "DROP FUNCTION tasker_now();"),
        migrations.RunSQL(UUID_V7, DROP_UUID_V7),
        migrations.CreateModel(
            name="DependentSystem",
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
                    "dependent_system_uuid",
                    models.UUIDField(
                        db_default=templates_registry.models.UuidV7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=64, unique=True)),
                ("description", models.CharField(blank=True, max_length=255, null=True)),
            ],
            options={
                "db_table": "tasker_dependent_systems",
            },
        ),
        migrations.CreateModel(
            name="NamedTask",
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
                    "named_task_uuid",
                    models.UUIDField(
                        db_default=templates_registry.models.UuidV7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                ("version", models.CharField(db_default="0.1.0", max_length=50)),
                ("description", models.TextField(blank=True, null=True)),
                (
                    "identity_strategy",
                    models.CharField(
                        choices=[
                            ("always_unique", "Always Unique"),
                            ("strict", "Strict"),
                            ("caller_provided", "Caller Provided"),
                        ],
                        db_default="always_unique",
                        max_length=20,
                    ),
                ),
                ("configuration", models.JSONField(db_default={})),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "tasker_named_tasks",
            },
        ),
        migrations.CreateModel(
            name="NamedStep",
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
                    "named_step_uuid",
                    models.UUIDField(
                        db_default=templates_registry.models.UuidV7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=128)),
                ("description", models.CharField(blank=True, max_length=255, null=True)),
                (
                    "dependent_system",
                    models.ForeignKey(
                        db_column="dependent_system_uuid",
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="named_steps",
                        to="templates_registry.dependentsystem",
                    ),
                ),
            ],
            options={
                "db_table": "tasker_named_steps",
            },
        ),
        migrations.CreateModel(
            name="NamedTaskStep",
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
                    "ntns_uuid",
                    models.UUIDField(
                        db_default=templates_registry.models.UuidV7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("skippable", models.BooleanField(db_default=False)),
                ("default_retryable", models.BooleanField(db_default=True)),
                ("default_max_attempts", models.IntegerField(db_default=3)),
                (
                    "named_step",
                    models.ForeignKey(
                        db_column="named_step_uuid",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="template_steps",
                        to="templates_registry.namedstep",
                    ),
                ),
                (
                    "named_task",
                    models.ForeignKey(
                        db_column="named_task_uuid",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="template_steps",
                        to="templates_registry.namedtask",
                    ),
                ),
            ],
            options={
                "db_table": "tasker_named_tasks_named_steps",
            },
        ),
        migrations.CreateModel(
            name="TaskNamespace",
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
                    "task_namespace_uuid",
                    models.UUIDField(
                        db_default=templates_registry.models.UuidV7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=64, unique=True)),
                ("description", models.CharField(blank=True, max_length=255, null=True)),
            ],
            options={
                "db_table": "tasker_task_namespaces",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("name__regex", "^[a-z][a-z0-9_]{0,28}$"),
                            models.Q(("name__startswith", "orchestration"), _negated=True),
                        ),
                        name="tasker_namespace_name_fits_queues",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="namedtask",
            name="task_namespace",
            field=models.ForeignKey(
                db_column="task_namespace_uuid",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="named_tasks",
                to="templates_registry.tasknamespace",
            ),
        ),
        migrations.CreateModel(
            name="TemplateRevision",
            fields=[
                (
                    "template_revision_uuid",
                    models.UUIDField(
                        db_default=templates_registry.models.UuidV7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("configuration", models.JSONField()),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=templates_registry.models.TaskerNow(), editable=False
                    ),
                ),
                (
                    "named_task",
                    models.ForeignKey(
                        db_column="named_task_uuid",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revisions",
                        to="templates_registry.namedtask",
                    ),
                ),
            ],
            options={
                "db_table": "tasker_template_revisions",
            },
        ),
        migrations.AddConstraint(
            model_name="namedstep",
            constraint=models.UniqueConstraint(
                fields=("dependent_system", "name"), name="tasker_named_step_in_system"
            ),
        ),
        migrations.AddConstraint(
            model_name="namedtaskstep",
            constraint=models.UniqueConstraint(
                fields=("named_task", "named_step"), name="tasker_named_task_step"
            ),
        ),
        migrations.AddConstraint(
            model_name="namedtask",
            constraint=models.UniqueConstraint(
                fields=("task_namespace", "name", "version"), name="tasker_named_task_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="namedtask",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("identity_strategy__in", ["always_unique", "strict", "caller_provided"])
                ),
                name="tasker_named_task_identity_strategy",
            ),
        ),
        migrations.AddConstraint(
            model_name="templaterevision",
            constraint=models.UniqueConstraint(
                fields=("named_task", "digest"), name="tasker_template_revision_digest"
            ),
        ),
        migrations.RunSQL(DEFAULT_SYSTEM, migrations.RunSQL.noop),
    ]
