-- Loads a mix of tasks for measurements: 4.2 steps a task in a chain (5,000 tasks = 21,000 steps),
-- created over the last two days. Run by tasker_project/bench/loading.py, which says how many:
--   SELECT set_config('tasker.load_tasks', '5000', false);
-- Of 20 tasks: 12 complete, 3 in process, 2 waiting for dependencies (their first step is cancelled),
-- 1 waiting for a retry (due in every second), 1 blocked, 1 pending.
INSERT INTO tasker_task_namespaces (name) VALUES ('bench_load') ON CONFLICT DO NOTHING;

INSERT INTO tasker_named_tasks (task_namespace_uuid, name)
SELECT task_namespace_uuid, 'load' FROM tasker_task_namespaces WHERE name = 'bench_load'
ON CONFLICT DO NOTHING;

INSERT INTO tasker_template_revisions (named_task_uuid, digest, configuration)
SELECT named_task_uuid, 'load', '{}' FROM tasker_named_tasks WHERE name = 'load'
ON CONFLICT DO NOTHING;

INSERT INTO tasker_named_steps (dependent_system_uuid, name)
SELECT dependent_system_uuid, 'load' FROM tasker_dependent_systems WHERE name = 'default'
ON CONFLICT DO NOTHING;

CREATE TEMPORARY TABLE load_tasks AS
SELECT
  i,
  uuid_generate_v7() AS task_uuid,
  CASE
    WHEN i % 20 < 12 THEN 'complete'
    WHEN i % 20 < 15 THEN 'steps_in_process'
    WHEN i % 20 < 17 THEN 'waiting_for_dependencies'
    WHEN i % 20 = 17 THEN 'waiting_for_retry'
    WHEN i % 20 = 18 THEN 'blocked_by_failures'
    ELSE 'pending'
  END AS state,
  i % 40 = 17 AS is_due,
  now() - interval '48 hours' * random() AS created_at
FROM generate_series(1, current_setting('tasker.load_tasks')::int) AS i;

INSERT INTO tasker_tasks (
  task_uuid, named_task_uuid, template_revision_uuid, state, state_entered_at, completed_at,
  identity_hash, request_hash, created_at
)
SELECT
  l.task_uuid, r.named_task_uuid, r.template_revision_uuid, l.state,
  -- as after an evaluation: the steps moved before the task
  l.created_at + interval '1 second',
  CASE WHEN l.state = 'complete' THEN l.created_at END,
  l.task_uuid::text, '', l.created_at
FROM load_tasks AS l
CROSS JOIN tasker_template_revisions AS r
WHERE r.digest = 'load';

CREATE TEMPORARY TABLE load_steps AS
SELECT
  l.task_uuid,
  uuid_generate_v7() AS workflow_step_uuid,
  k,
  l.created_at,
  l.is_due,
  CASE
    WHEN l.state = 'complete' THEN 'complete'
    WHEN l.state = 'pending' THEN 'pending'
    WHEN l.state = 'waiting_for_dependencies' AND k = 1 THEN 'cancelled'
    WHEN l.state = 'waiting_for_dependencies' THEN 'pending'
    WHEN k = 1 THEN 'complete'
    WHEN k > 2 THEN 'pending'
    WHEN l.state = 'steps_in_process' AND l.i % 20 = 12 THEN 'enqueued'
    WHEN l.state = 'steps_in_process' THEN 'in_progress'
    WHEN l.state = 'waiting_for_retry' THEN 'waiting_for_retry'
    ELSE 'error'
  END AS state
FROM load_tasks AS l
CROSS JOIN LATERAL generate_series(1, CASE WHEN l.i % 5 = 0 THEN 5 ELSE 4 END) AS k;

INSERT INTO tasker_workflow_steps (
  workflow_step_uuid, task_uuid, named_step_uuid, name, state, state_entered_at, attempts,
  next_retry_at, lease_until, results, created_at
)
SELECT
  l.workflow_step_uuid, l.task_uuid, n.named_step_uuid, 'step_' || l.k, l.state, l.created_at,
  CASE WHEN l.state IN ('pending', 'enqueued', 'cancelled') THEN 0 ELSE 1 END,
  CASE
    WHEN l.state <> 'waiting_for_retry' THEN NULL
    WHEN l.is_due THEN l.created_at
    ELSE now() + interval '1 day'
  END,
  CASE WHEN l.state = 'in_progress' THEN now() + interval '1 day' END,
  CASE WHEN l.state IN ('complete', 'error') THEN '{"success": true, "result": {"n": 1}}'::jsonb END,
  l.created_at
FROM load_steps AS l
CROSS JOIN tasker_named_steps AS n
WHERE n.name = 'load';

INSERT INTO tasker_workflow_step_edges (from_step_uuid, to_step_uuid)
SELECT parent.workflow_step_uuid, child.workflow_step_uuid
FROM load_steps AS parent
JOIN load_steps AS child ON child.task_uuid = parent.task_uuid AND child.k = parent.k + 1;

DROP TABLE load_tasks, load_steps;
