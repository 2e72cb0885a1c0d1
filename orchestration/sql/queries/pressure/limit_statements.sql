-- A time limit for the rest of the transaction; returns the one before. Caller: queries/pressure.py.
SELECT before.value
FROM (SELECT current_setting('statement_timeout') AS value OFFSET 0) AS before
CROSS JOIN LATERAL (SELECT set_config('statement_timeout', %(limit)s, true), before.value OFFSET 0) AS after
