-- How far each unfinished task is on its way to its staleness limits (defaults where its template is
-- silent): the detector's own measure, so that what it acts upon is shown as stale here.
CREATE OR REPLACE VIEW tasker_task_staleness_monitoring AS
SELECT
  m.task_uuid,
  m.namespace::varchar(64) AS namespace,
  m.name::varchar(255) AS name,
  m.state::varchar(40) AS state,
  m.minutes_in_state,
  m.threshold_minutes,
  CASE
    WHEN m.share >= 1 THEN 'stale'
    WHEN m.share >= 0.8 THEN 'warning'
    ELSE 'healthy'
  END AS health
FROM tasker_measure_staleness(NULL, 0, 60, 30, 30, 0) AS m;
