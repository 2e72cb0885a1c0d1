"""Foreign keys of the hot path are checked with the statement, not at the end of the transaction.

Their checks are statements too, planned once a session. At the end of a transaction they are outside
of the functions that keep plans from reading whole tables: in a session that first created tasks
while there were none, every new step read all tasks (0.4 -> 4 ms a task at 2,000 tasks, measured),
until autovacuum had counted them.
"""

from django.db import migrations

TABLES = ("tasker_tasks", "tasker_workflow_steps")
CHANGE = """
DO $$
DECLARE
  foreign_key record;
BEGIN
  FOR foreign_key IN
    SELECT c.conrelid::regclass AS on_table, c.conname AS name
    FROM pg_constraint AS c
    WHERE c.contype = 'f'
      AND c.conrelid IN ({tables})
  LOOP
    EXECUTE format(
      'ALTER TABLE %s ALTER CONSTRAINT %I DEFERRABLE INITIALLY {when}',
      foreign_key.on_table, foreign_key.name
    );
  END LOOP;
END
$$;
"""


def change(when: str) -> str:
    tables = ", ".join(f"'{table}'::regclass" for table in TABLES)
    return CHANGE.format(tables=tables, when=when)


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0016_hot_path")]

    operations = [migrations.RunSQL(change("IMMEDIATE"), change("DEFERRED"))]
