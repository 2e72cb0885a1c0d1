-- Results of handlers with the durable events of some. Caller: queries/steps.py report_with_events.
SELECT *
FROM tasker_report_with_events(
  %(reports)s,
  %(event_steps)s::uuid[],
  %(event_queues)s::text[],
  %(event_messages)s::text[],
  %(advance)s,
  %(take)s,
  %(lease_seconds)s
)
