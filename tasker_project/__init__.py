"""Wiring of the whole project: settings, addresses, logs, default database, commands."""
