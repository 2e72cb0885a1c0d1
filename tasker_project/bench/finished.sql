-- Loads tasks of four steps that finished 100 days ago, with the rows the engine leaves behind: 49 a
-- task. Run by tasker_project/bench/purging.py, after load.sql's namespace and template are there:
--   SELECT set_config('tasker.load_tasks', '20000', false);
CREATE TEMPORARY TABLE old_tasks AS
SELECT i, uuid_generate_v7() AS task_uuid, now() - interval '100 days' + i * interval '1 s' AS at
FROM generate_series(1, current_setting('tasker.load_tasks')::int) AS i;

INSERT INTO tasker_tasks (
  task_uuid, named_task_uuid, template_revision_uuid, state, state_entered_at, completed_at,
  identity_hash, request_hash, created_at
)
SELECT
  o.task_uuid, r.named_task_uuid, r.template_revision_uuid, 'complete', o.at, o.at,
  o.task_uuid::text, '', o.at
FROM old_tasks AS o
CROSS JOIN tasker_template_revisions AS r
WHERE r.digest = 'load';

INSERT INTO tasker_task_transitions (task_uuid, sort_key, from_state, to_state, event, created_at)
SELECT o.task_uuid, k, 'evaluating_results', 'steps_in_process', 'steps_enqueued', o.at
FROM old_tasks AS o
CROSS JOIN generate_series(2, 17) AS k;

CREATE TEMPORARY TABLE old_steps AS
SELECT o.task_uuid, uuid_generate_v7() AS workflow_step_uuid, k, o.at
FROM old_tasks AS o
CROSS JOIN generate_series(1, 4) AS k;

INSERT INTO tasker_workflow_steps (
  workflow_step_uuid, task_uuid, named_step_uuid, name, state, state_entered_at, attempts, results,
  created_at
)
SELECT
  o.workflow_step_uuid, o.task_uuid, n.named_step_uuid, 'step_' || o.k, 'complete', o.at, 1,
  '{"success": true, "result": {"n": 1}}'::jsonb, o.at
FROM old_steps AS o
CROSS JOIN tasker_named_steps AS n
WHERE n.name = 'load';

INSERT INTO tasker_workflow_step_transitions (
  workflow_step_uuid, sort_key, from_state, to_state, event, attempt, created_at
)
SELECT o.workflow_step_uuid, h.sort_key, 'enqueued', 'in_progress', 'start', 1, o.at
FROM old_steps AS o
CROSS JOIN generate_series(2, 5) AS h (sort_key);

INSERT INTO tasker_workflow_step_result_audit (
  workflow_step_uuid, transition_uuid, task_uuid, correlation_id, attempt, success
)
SELECT
  o.workflow_step_uuid, h.workflow_step_transition_uuid, o.task_uuid, o.task_uuid, 1, true
FROM old_steps AS o
JOIN tasker_workflow_step_transitions AS h USING (workflow_step_uuid)
WHERE h.sort_key = 4;

INSERT INTO tasker_workflow_step_edges (from_step_uuid, to_step_uuid)
SELECT parent.workflow_step_uuid, child.workflow_step_uuid
FROM old_steps AS parent
JOIN old_steps AS child ON child.task_uuid = parent.task_uuid AND child.k = parent.k + 1;

DROP TABLE old_tasks, old_steps;
