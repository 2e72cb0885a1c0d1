-- What a step of a chain writes, in one batch of tasks: the same rows in the same tables as the engine
-- leaves, without deciding anything. The settings bench.level and bench.tasks say which step, and how
-- many tasks it is at. No trigger runs and no foreign key is checked: only rows are written.
SET LOCAL session_replication_role = replica;

CREATE TEMPORARY TABLE batch ON COMMIT DROP AS
SELECT s.task_uuid, s.workflow_step_uuid, s.state, t.state_version AS task_version, t.correlation_id
FROM tasker_workflow_steps AS s
JOIN tasker_tasks AS t USING (task_uuid)
WHERE s.name = 'step_' || current_setting('bench.level')
  AND s.state IN ('pending', 'enqueued')
LIMIT current_setting('bench.tasks')::int;

-- Enqueued; the first step was when its task was created, if its queue had room. The others are claimed
-- by the same write, and have no message.
INSERT INTO tasker_workflow_step_transitions
  (workflow_step_uuid, sort_key, from_state, to_state, event, attempt, actor, metadata, created_at)
SELECT workflow_step_uuid, 2, 'pending', 'enqueued', 'enqueue', 0, 'floor', '{}', now()
FROM batch
WHERE state = 'pending';

-- Claimed.
WITH read AS (
  SELECT msg_id FROM pgmq.q_worker_bench_queue ORDER BY msg_id
  LIMIT (SELECT count(*) FROM batch WHERE state = 'enqueued') FOR UPDATE SKIP LOCKED
)
UPDATE pgmq.q_worker_bench_queue AS q
SET last_read_at = now(), vt = now() + interval '30 s', read_ct = q.read_ct + 1
FROM read WHERE read.msg_id = q.msg_id;
UPDATE tasker_workflow_steps AS s
SET
  state = 'in_progress', attempts = 1, last_attempted_at = now(), claimed_by = b.task_uuid,
  lease_until = now(), state_version = 3, state_entered_at = now(), updated_at = now()
FROM batch AS b
WHERE b.workflow_step_uuid = s.workflow_step_uuid;
INSERT INTO tasker_workflow_step_transitions
  (workflow_step_uuid, sort_key, from_state, to_state, event, attempt, actor, metadata, created_at)
SELECT workflow_step_uuid, 3, 'enqueued', 'in_progress', 'start', 1, 'floor', '{}', now() FROM batch;

-- Reported and complete.
UPDATE tasker_workflow_steps AS s
SET
  state = 'complete', claimed_by = NULL, lease_until = NULL, queue_msg_id = NULL, completed_at = now(),
  state_version = 5, state_entered_at = now(), updated_at = now(),
  results = jsonb_build_object(
    'success', true, 'status', 'completed', 'result', jsonb_build_object('ok', true),
    'metadata', jsonb_build_object('execution_time_ms', 1, 'started_at', now(), 'completed_at', now())
  )
FROM batch AS b
WHERE b.workflow_step_uuid = s.workflow_step_uuid;
WITH hops AS (
  INSERT INTO tasker_workflow_step_transitions
    (workflow_step_uuid, sort_key, from_state, to_state, event, attempt, actor, metadata, created_at)
  SELECT b.workflow_step_uuid, h.sort_key, h.from_state, h.to_state, h.event, 1, 'floor', '{}', now()
  FROM batch AS b
  CROSS JOIN (
    VALUES
      (4, 'in_progress', 'enqueued_for_orchestration', 'enqueue_for_orchestration'),
      (5, 'enqueued_for_orchestration', 'complete', 'complete')
  ) AS h (sort_key, from_state, to_state, event)
  RETURNING workflow_step_transition_uuid, workflow_step_uuid, to_state
)
INSERT INTO tasker_workflow_step_result_audit
  (workflow_step_uuid, transition_uuid, task_uuid, correlation_id, attempt, success, recorded_at, created_at)
SELECT
  b.workflow_step_uuid, h.workflow_step_transition_uuid, b.task_uuid, b.correlation_id, 1, true, now(),
  now()
FROM hops AS h
JOIN batch AS b USING (workflow_step_uuid)
WHERE h.to_state = 'enqueued_for_orchestration';
WITH done AS (
  SELECT msg_id FROM pgmq.q_worker_bench_queue ORDER BY msg_id
  LIMIT (SELECT count(*) FROM batch WHERE state = 'enqueued')
)
DELETE FROM pgmq.q_worker_bench_queue AS q USING done WHERE done.msg_id = q.msg_id;

-- And their tasks.
UPDATE tasker_tasks AS t
SET
  state = 'steps_in_process', state_version = t.state_version + 3, state_entered_at = now(),
  updated_at = now()
FROM batch AS b
WHERE b.task_uuid = t.task_uuid;
INSERT INTO tasker_task_transitions
  (task_uuid, sort_key, from_state, to_state, event, actor, metadata, created_at)
SELECT b.task_uuid, b.task_version + h.hop, h.from_state, h.to_state, h.event, 'floor', '{}', now()
FROM batch AS b
CROSS JOIN (
  VALUES
    (1, 'steps_in_process', 'evaluating_results', 'step_completed'),
    (2, 'evaluating_results', 'enqueuing_steps', 'ready_steps_found'),
    (3, 'enqueuing_steps', 'steps_in_process', 'steps_enqueued')
) AS h (hop, from_state, to_state, event);
