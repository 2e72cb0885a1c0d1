-- Archived messages older than a limit go.
SELECT tasker_purge_archives(tasker_now() - make_interval(secs => %(age_seconds)s), %(limit)s)
