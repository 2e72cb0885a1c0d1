"""The demo's door to Tasker: the REST API, as any program would use it."""

from collections.abc import Mapping
from typing import Any

import httpx

TIMEOUT_SECONDS = 30.0


class DemoError(Exception):
    """The demo cannot go on; the text says at what it was and why."""


class Api:
    """Speaks to one web process over kept connections."""

    def __init__(
        self,
        base: str,
        *,
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take the address that ends with `/v1/`; nothing is sent yet."""
        self._client = httpx.Client(
            base_url=base,
            cookies=dict(cookies or {}),
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            trust_env=False,  # a proxy has no business between two processes of one machine
        )

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def is_up(self) -> bool:
        """Tell whether the API answers."""
        try:
            return self._client.get("tasks?per_page=1").status_code < 500
        except httpx.TransportError:
            return False

    def create_task(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create a task and return it."""
        return dict(self._send("POST", "tasks", json=dict(body)))

    def tasks(self, **query: Any) -> list[dict[str, Any]]:
        """Return a page of the list of tasks, the newest first."""
        return list(self._send("GET", "tasks", params=query)["tasks"])

    def task(self, task_uuid: str) -> dict[str, Any]:
        """Return a task as it is now."""
        return dict(self._send("GET", f"tasks/{task_uuid}"))

    def steps(self, task_uuid: str) -> list[dict[str, Any]]:
        """Return the steps of a task with their results."""
        return list(self._send("GET", f"tasks/{task_uuid}/workflow_steps"))

    def _send(self, method: str, path: str, **content: Any) -> Any:
        try:
            answer = self._client.request(method, path, **content)
        except httpx.HTTPError as error:
            raise DemoError(f"{method} {path} got no answer: {error}") from error
        if answer.is_error:
            raise DemoError(f"{method} {path} was refused ({answer.status_code}): {answer.text}")
        return answer.json()
