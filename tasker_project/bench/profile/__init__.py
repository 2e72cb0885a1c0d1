"""Where the time of a step goes: `manage.py bench profile`, or `make profile`.

`loads` runs the engine twice, saturated and calm, and takes a `Look` at the counters of the server
before and after: `statements` (or `functions`, where no server tells them apart) and `tables`.
`python` has py-spy say which lines hold the interpreter while it is saturated; `stacks` adds up.
All counters are divided by the steps that were done between two looks.
"""

from tasker_project.bench.profile.loads import measure

__all__ = ["measure"]
