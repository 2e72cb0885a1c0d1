-- A worker takes steps from a queue. Caller: queries/steps.py claim_steps.
SELECT *
FROM tasker_claim_steps(
  %(queue)s, %(worker_uuid)s, %(limit)s, %(lease_seconds)s, %(only)s::jsonb, %(taken)s::uuid[]
)
