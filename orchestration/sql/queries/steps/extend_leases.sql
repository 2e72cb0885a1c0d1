-- Heartbeat of running claims. Caller: queries/steps.py extend_leases.
SELECT * FROM tasker_extend_leases(%(claims)s, %(lease_seconds)s)
