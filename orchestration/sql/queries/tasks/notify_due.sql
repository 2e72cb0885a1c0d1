-- Wakes the due-work and discovery loops at commit. Caller: queries/tasks.py notify_due_work.
SELECT pg_notify('tasker_due_work', jsonb_build_object('due_at', tasker_now())::text)
