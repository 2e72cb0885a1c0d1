"""`manage.py tasker <group> <verb>`: what the API and the admin do, from the command line.

A group is a module with a docstring, whose first line is its help, and `VERBS`: name → `Verb`. A
verb parses its arguments, calls the function that the other doors call, and returns an `Answer`;
printing, errors and exit codes are the frame's business. Groups are named as text, because one of
them may belong to a package that stands above this one.
"""

GROUPS = {
    "analytics": "orchestration.management.tasker.analytics",
    "auth": "orchestration.management.tasker.auth",
    "config": "orchestration.management.tasker.config",
    "dlq": "orchestration.management.tasker.dlq",
    "handler": "workers.management.tasker.handler",
    "queue": "orchestration.management.tasker.queue",
    "system": "orchestration.management.tasker.system",
    "task": "orchestration.management.tasker.task",
    "template": "orchestration.management.tasker.template",
    "worker": "orchestration.management.tasker.worker",
}
