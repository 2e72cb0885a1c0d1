"""Handlers as users of the published package `tasker-py` write them: `tasker_core` only.

The acceptance test runs them without an edit. Nothing here may import Tasker's own packages, and a
test says so.
"""
