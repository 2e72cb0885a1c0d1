"""A task's request as commands to copy, every value quoted for the shell."""

import json
import shlex
from typing import Any

from django.http import HttpRequest

from orchestration.queries.task_page import TaskDetails


def request_body(details: TaskDetails) -> dict[str, Any]:
    """Return the body that asks for the same work once more; what makes it unique is left out."""
    body = {
        "name": details.name,
        "namespace": details.namespace,
        "version": details.version,
        "context": details.context,
        "priority": details.priority,
        "tags": details.tags,
        "options": details.options,
        "bypass_steps": details.bypass_steps,
        "reason": details.reason,
    }
    return {key: value for key, value in body.items() if value not in (None, "", [], {}, 0)}


def creation_commands(request: HttpRequest, details: TaskDetails) -> tuple[str, str]:
    """Return the request for curl, and for the command line."""
    body = request_body(details)
    curl = [
        *("curl", "-X", "POST", request.build_absolute_uri("/v1/tasks")),
        *("-H", "Content-Type: application/json"),
        *("-H", "Authorization: Bearer $TASKER_API_KEY"),
        *("-d", json.dumps(body, ensure_ascii=False)),
    ]
    cli = ["manage.py", "tasker", "task", "create", "--name", details.name, "-n", details.namespace]
    cli += ["-V", details.version, "-i", json.dumps(details.context or {}, ensure_ascii=False)]
    cli += ["-p", str(details.priority)] if details.priority else []
    for tag in details.tags:
        cli += ["--tag", tag]
    # the key is to be filled in by the shell: the one word that must not be quoted against it
    quoted = shlex.join(curl).replace(
        "'Authorization: Bearer $TASKER_API_KEY'", '"Authorization: Bearer $TASKER_API_KEY"'
    )
    return quoted, shlex.join(cli)
