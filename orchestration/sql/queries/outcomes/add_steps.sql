-- Steps added to a task with the edges into them; the names of the new ones. Caller: queries/outcomes.py.
SELECT added.name
FROM tasker_add_steps(
  %(task_uuid)s, %(origin_uuid)s, %(templates)s, %(steps)s, %(edges)s
) AS added (name)
