-- Time until the next retry or lease end; negative when overdue. Caller: queries/recovery.py.
SELECT extract(epoch FROM tasker_next_due_at() - tasker_now())::float8
