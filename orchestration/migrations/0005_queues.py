"""Queues that notify, one for every namespace and two for orchestrators; storage of hot tables."""

from django.db import migrations

from orchestration.sql.operations import SQLFunction, SQLTrigger

CREATE_QUEUES = """
SELECT pgmq_create_queue_with_notify('orchestration_step_results');
SELECT pgmq_create_queue_with_notify('orchestration_task_requests');
"""

# Backwards, the tables that the messages speak of go as well.
DROP_QUEUES = """
SELECT pgmq.drop_queue(m.queue_name)
FROM pgmq.meta AS m
WHERE m.queue_name IN ('orchestration_step_results', 'orchestration_task_requests')
   OR m.queue_name IN (SELECT 'worker_' || n.name || '_queue' FROM tasker_task_namespaces AS n);
"""

# Rows that move several times a second: room on the page for the new version, and dead versions
# cleared and statistics renewed after one row in fifty instead of one in five. A backlog moves on
# breadth first, so every task of a page gets a new version before an old one can be cleared; half of a
# page is room for them, and three of five moves write no index (HOT).
HOT_TABLES = {"tasker_tasks": 50, "tasker_workflow_steps": 85, "tasker_workflow_step_edges": 100}
SET_STORAGE = "".join(
    f"ALTER TABLE {table} SET (fillfactor = {fill}, autovacuum_vacuum_scale_factor = 0.02,"
    " autovacuum_analyze_scale_factor = 0.02);\n"
    for table, fill in HOT_TABLES.items()
)
RESET_STORAGE = "".join(
    f"ALTER TABLE {table} RESET (fillfactor, autovacuum_vacuum_scale_factor,"
    " autovacuum_analyze_scale_factor);\n"
    for table in HOT_TABLES
)


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0004_readiness")]

    operations = [
        SQLFunction("extract_queue_namespace"),
        SQLFunction("pgmq_create_queue_with_notify"),
        SQLFunction("pgmq_send_with_notify"),
        SQLFunction("pgmq_send_batch_with_notify"),
        SQLFunction("tasker_read_messages"),
        SQLFunction("pgmq_read_specific_message"),
        SQLFunction("pgmq_delete_specific_message"),
        SQLFunction("pgmq_extend_vt_specific_message"),
        SQLFunction("tasker_worker_messages"),
        migrations.RunSQL(CREATE_QUEUES, DROP_QUEUES),
        SQLTrigger("namespace_queues"),
        migrations.RunSQL(SET_STORAGE, RESET_STORAGE),
    ]
