"""How a request for work is recognised as one that was made before (engine.md 11). Pure.

Two numbers: the *identity* decides whether a new task may exist at all; the *fingerprint* tells a
repeated request from another one under the same key.
"""

import secrets
import time
from typing import Any
from uuid import UUID

from orchestration.errors import InvalidRequestError, Problem
from templates_registry.schema import digest_of


def identity_hash(
    *,
    strategy: str,
    namespace: str,
    name: str,
    named_task_uuid: UUID,
    context: dict[str, Any],
    idempotency_key: str | None,
) -> str:
    """Return the identity of a requested task.

    A key is scoped to the template's name, not its version: a client's repetition across a
    deployment finds its task. Raises `InvalidRequestError` when the strategy demands a key.
    """
    if idempotency_key is not None:
        return digest_of({"key": [namespace, name, idempotency_key]})
    if strategy == "strict":
        return digest_of({"ctx": [str(named_task_uuid), context]})
    if strategy == "caller_provided":
        raise InvalidRequestError(
            f"Cannot create a task of '{namespace}/{name}': the template asks every caller for an "
            "idempotency_key",
            problems=[Problem("idempotency_key", "is required by this template")],
        )
    return fresh_identity()


def fresh_identity() -> str:
    """Return an identity that nothing else has; it begins with the time, so indexes stay local."""
    return f"{time.time_ns():016x}{secrets.token_hex(12)}"


def fingerprint(request: dict[str, Any]) -> str:
    """Return the digest of the parts of a request that make it the same request."""
    return digest_of(request)
