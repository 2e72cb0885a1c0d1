-- The earliest due time. Caller: queries.readiness.next_due_at
SELECT tasker_next_due_at();
