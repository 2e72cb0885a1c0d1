-- I3: no committed task rests in a hop state. Caller: queries.invariants.violations
SELECT t.task_uuid AS object_uuid, 'task rests in ' || t.state AS detail
FROM tasker_tasks AS t
WHERE t.state IN ('initializing', 'enqueuing_steps', 'evaluating_results');
