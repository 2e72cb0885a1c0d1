-- The task a step belongs to. Caller: queries/steps.py task_of_step.
SELECT task_uuid FROM tasker_workflow_steps WHERE workflow_step_uuid = %(step_uuid)s
