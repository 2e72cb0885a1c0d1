"""What the tests of the API share: a registered template and a way to send raw bytes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.core.signals import request_started
from django.db import connections
from rest_framework.test import APIClient

from orchestration.testing import linear
from templates_registry import registry
from tests.forwarder import Forwarder


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


@pytest.fixture
def door(transactional_db: None) -> Iterator[Forwarder]:
    """Return a door to the database that is open."""
    forwarder = Forwarder()
    forwarder.open()
    yield forwarder
    forwarder.close()


@pytest.fixture
def web_pool(transactional_db: None) -> Callable[..., AbstractContextManager[None]]:
    """Return a context in which this process has another connection pool, through a port."""

    @contextmanager
    def replaced(*, port: int | None = None, **pool: Any) -> Iterator[None]:
        connection: Any = connections["default"]
        connection.close()
        connection.close_pool()
        kept = connection.settings_dict
        through = {"HOST": "127.0.0.1", "PORT": port} if port else {}
        options = {**kept["OPTIONS"], "pool": {**kept["OPTIONS"]["pool"], **pool}}
        # The door itself reads the real settings; the pool is that of the alias, for all threads.
        connection.settings_dict = {**kept, **through, "OPTIONS": options}
        assert connection.pool is not None
        request_started.connect(_close_connection)
        try:
            yield
        finally:
            request_started.disconnect(_close_connection)
            connection.close()
            connection.close_pool()
            connection.settings_dict = kept

    return replaced


def _close_connection(**rest: Any) -> None:
    """Do what a server does and the test client does not: a connection for each request."""
    connections["default"].close()
