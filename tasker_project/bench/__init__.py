"""Measurements of the whole engine: `manage.py bench` (api-and-operations.md 9).

`suites` lists what can be measured, one module each; they get a `Bench` (what was asked for, the
database, the processes) and return `Figures`. `report` prints, stores and compares them. Nothing
here is used by an orchestrator or a worker, except the handlers that a measurement lets them run.
"""
