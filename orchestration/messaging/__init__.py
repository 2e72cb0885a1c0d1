"""Queues and wake-ups: names and payloads, PGMQ, LISTEN."""
