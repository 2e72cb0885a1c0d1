-- How many messages purge_archives.sql would delete.
SELECT tasker_count_archived(tasker_now() - make_interval(secs => %(age_seconds)s))
