-- Decided steps move. Caller: queries/results.py settle_steps.
SELECT tasker_settle_steps(
  %(steps)s, %(states)s, %(delays)s::float8[], %(failures)s::text[]::jsonb[]
)
