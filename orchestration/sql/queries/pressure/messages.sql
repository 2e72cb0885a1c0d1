-- The messages of some namespaces' queues, each counted up to a limit. Caller: queries/pressure.py
-- messages_for.
SELECT coalesce(sum(tasker_count_messages('worker_' || n.name || '_queue', %(limit)s::int)), 0)
FROM unnest(%(namespaces)s::text[]) AS n (name)
