-- The version of PGMQ: the extension's, or what the record of our installation says; null when it is
-- not there or unknown. Caller: messaging.pgmq.version
SELECT coalesce(
  (SELECT extversion FROM pg_extension WHERE extname = 'pgmq'),
  substring(
    obj_description(to_regnamespace('pgmq'), 'pg_namespace') FROM '^PGMQ ([0-9][0-9a-z.]*)'
  )
);
