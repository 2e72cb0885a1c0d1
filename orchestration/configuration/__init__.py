"""The settings as people read them: what is in force and why, and the text of `.env.example`.

One source for the command line and for `/config`. Secrets leave this package as `***` only.
"""

from orchestration.configuration.effective import HIDDEN, Effective, effective_settings, plain
from orchestration.configuration.example import env_example, written
from orchestration.configuration.explained import Explained, explain
from orchestration.configuration.sizing import connections_needed

__all__ = [
    "HIDDEN",
    "Effective",
    "Explained",
    "connections_needed",
    "effective_settings",
    "env_example",
    "explain",
    "plain",
    "written",
]
