-- How far each unfinished task is on its way to its staleness threshold (defaults where its template
-- is silent). Counts from the entry into the state; the detector also counts later signs of life.
CREATE VIEW tasker_task_staleness_monitoring AS
SELECT
  m.task_uuid,
  m.namespace,
  m.name,
  m.state,
  round(m.minutes, 2) AS minutes_in_state,
  m.threshold_minutes,
  CASE
    WHEN m.minutes >= m.threshold_minutes THEN 'stale'
    WHEN m.minutes >= 0.8 * m.threshold_minutes THEN 'warning'
    ELSE 'healthy'
  END AS health
FROM (
  SELECT
    t.task_uuid,
    n.name AS namespace,
    nt.name,
    t.state,
    (extract(epoch FROM clock.moment - t.state_entered_at) / 60)::numeric AS minutes,
    calculate_staleness_threshold(t.state, r.configuration) AS threshold_minutes
  FROM tasker_tasks AS t
  JOIN tasker_template_revisions AS r ON r.template_revision_uuid = t.template_revision_uuid
  JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
  JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
  CROSS JOIN (SELECT tasker_now() AS moment) AS clock
  WHERE t.state NOT IN ('complete', 'error', 'cancelled', 'resolved_manually')
) AS m;
