"""What the tests of the API share: a registered template and a way to send raw bytes."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from orchestration.testing import linear
from templates_registry import registry


@pytest.fixture
def template(db: None) -> str:
    """Register a chain of two steps in the namespace `test` and return its name."""
    registry.register(linear(2))
    return "linear_2"


@pytest.fixture
def send(api: APIClient) -> Callable[..., Any]:
    """Return a function that posts bytes to /v1/tasks as they are."""

    def post(body: bytes | str, content_type: str = "application/json", **headers: str) -> Any:
        return api.generic("POST", "/v1/tasks", body, content_type, headers=headers)  # type: ignore[arg-type]  # bytes

    return post


@pytest.fixture
def create(api: APIClient, template: str) -> Callable[..., Any]:
    """Return a function that creates a task over REST and returns the answer's body."""

    def post(**body: Any) -> Any:
        answer = api.post("/v1/tasks", {"name": template, "namespace": "test"} | body)
        assert answer.status_code == 201, answer.content
        return answer.json()

    return post
