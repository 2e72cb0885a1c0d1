"""What people did by hand to entries of the DLQ, API keys and namespaces."""

from django.db import migrations, models

import templates_registry.models


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0013_looks_at_queues")]

    operations = [
        migrations.CreateModel(
            name="OperatorRecord",
            fields=[
                (
                    "record_uuid",
                    models.UUIDField(
                        db_default=templates_registry.models.UuidV7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=templates_registry.models.TaskerNow()),
                ),
                ("actor", models.CharField(max_length=255)),
                ("action", models.CharField(max_length=64)),
                ("subject_uuid", models.UUIDField()),
                ("reason", models.TextField(db_default="")),
                ("from_value", models.TextField(null=True)),
                ("to_value", models.TextField()),
            ],
            options={
                "db_table": "tasker_operator_records",
                "indexes": [
                    models.Index(
                        fields=["subject_uuid", "recorded_at"], name="tasker_operator_records_of"
                    )
                ],
            },
        ),
    ]
