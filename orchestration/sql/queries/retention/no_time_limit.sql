-- Lets the statements of this session take as long as they need; for a count that a person asked for.
SELECT set_config('statement_timeout', '0', false)
