"""Durable domain events: a queue for every namespace, filled in the transaction of a report."""

from django.db import migrations

from orchestration.sql.operations import SQLFunction, SQLTrigger

DROP_QUEUES = """
SELECT pgmq.drop_queue(m.queue_name)
FROM pgmq.meta AS m
WHERE m.queue_name IN (SELECT n.name || '_domain_events' FROM tasker_task_namespaces AS n);
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0010_dynamic_steps")]

    operations = [
        SQLTrigger("domain_event_queues"),
        migrations.RunSQL(migrations.RunSQL.noop, DROP_QUEUES),
        SQLFunction("tasker_publish_events"),
        SQLFunction("tasker_report_with_events"),
    ]
