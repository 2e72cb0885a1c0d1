"""What `purge` deletes with, and how dead rows are kept few.

Queues: three dead rows a step, so 1,000 steps a second leave 180,000 in the minute between two
looks of autovacuum. Reading 10 messages takes 0.65 ms beside none, 0.84 beside 100,000, 0.99 beside
200,000 dead rows, 2.5 to 3.5 ms beside 300,000 (PostgreSQL 15, p50). So they are cleared whenever
autovacuum looks, without its rests; and without giving pages back, which needs an exclusive lock:
a vacuum beside a busy queue took 0.02 s without, up to 1.9 s with it, and the file is no smaller
for long. A server with more than 500 steps a second should look more often: autovacuum_naptime 10s.

Tasks and steps: no update can be HOT, because every move changes `state`, which indexes hold or are
bounded by (0 of 63,000 updates of a run of 3,000 tasks were). The fill factor of 85 that they have
since 0005 still pays: 2.7 MB instead of 3.3 for the tasks of that run, 18.4 instead of 18.7 for the
steps, 1.7 % less write-ahead log, because a new version finds room on the page of the old one.

Histories only grow, until a purge. Their rows never change, so a vacuum may freeze them at once,
and no vacuum against wraparound has to read them all later. It comes after 5 % of new or purged
rows instead of 20 %: with 90 days kept, the space of a purge is used again after 4 days, not 18.
"""

from django.db import migrations

from orchestration.sql.operations import SQLFunction

HISTORIES = (
    "tasker_task_transitions",
    "tasker_workflow_step_transitions",
    "tasker_workflow_step_result_audit",
)
OF_HISTORIES = {
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_insert_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    "autovacuum_freeze_min_age": "0",
}
SET_HISTORIES = "".join(
    f"ALTER TABLE {table} SET ({', '.join(f'{k} = {v}' for k, v in OF_HISTORIES.items())});\n"
    for table in HISTORIES
)
RESET_HISTORIES = "".join(
    f"ALTER TABLE {table} RESET ({', '.join(OF_HISTORIES)});\n" for table in HISTORIES
)

# New queues get the same from pgmq_create_queue_with_notify.
ALTER_QUEUES = """
DO $$
DECLARE
  archive text;
BEGIN
  FOR archive IN SELECT a.archive FROM tasker_archives() AS a LOOP
    EXECUTE format('ALTER TABLE pgmq.%I {change}', 'q_' || substr(archive, 3));
  END LOOP;
END
$$
"""
SET_QUEUES = ALTER_QUEUES.replace(
    "{change}", "SET (autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off)"
)
RESET_QUEUES = ALTER_QUEUES.replace(
    "{change}", "RESET (autovacuum_vacuum_cost_delay, vacuum_truncate)"
)


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0007_staleness")]

    operations = [
        SQLFunction("tasker_purge_tasks"),
        SQLFunction("tasker_archives"),
        SQLFunction("tasker_purge_archives"),
        SQLFunction("tasker_count_archived"),
        migrations.RunSQL(SET_HISTORIES, RESET_HISTORIES),
        migrations.RunSQL(SET_QUEUES, RESET_QUEUES),
    ]
