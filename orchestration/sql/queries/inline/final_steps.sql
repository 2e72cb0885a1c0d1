-- What became of one task and its steps. Caller: queries/inline.py final_steps.
SELECT
  t.state AS task_state,
  s.name,
  coalesce(s.inputs ->> '__template_step_name', s.name) AS template_step_name,
  s.state,
  s.attempts,
  s.results,
  s.checkpoint
FROM tasker_tasks AS t
JOIN tasker_workflow_steps AS s ON s.task_uuid = t.task_uuid
WHERE t.task_uuid = %(task_uuid)s
