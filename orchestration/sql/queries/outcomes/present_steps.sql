-- What a held task has of each template step; a batch worker has a step for each batch.
-- finished: steps that count as done, although they have yet to be moved there.
-- Caller: queries/outcomes.py present_steps.
SELECT n.name AS template_step, p.step_count, p.is_dynamic, p.is_done
FROM (
  SELECT
    s.named_step_uuid,
    count(*) AS step_count,
    bool_or(s.origin_step_uuid IS NOT NULL) AS is_dynamic,
    bool_and(
      s.state IN ('complete', 'resolved_manually') OR s.workflow_step_uuid = ANY(%(finished)s)
    ) AS is_done
  FROM tasker_workflow_steps AS s
  WHERE s.task_uuid = %(task_uuid)s
  GROUP BY s.named_step_uuid
) AS p
JOIN tasker_named_steps AS n ON n.named_step_uuid = p.named_step_uuid
