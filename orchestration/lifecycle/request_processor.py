"""Requests for tasks that came through the queue: one transaction each (engine.md 6.5).

The message is taken off the queue in the transaction that creates the task. What cannot be used is
set aside at once; an unknown template is tried again, since it may be registered a moment later.
"""

import logging

from orchestration import metrics
from orchestration.conf import engine_settings
from orchestration.errors import DuplicateTaskError, InvalidRequestError, NotFoundError
from orchestration.lifecycle.task_initializer import create
from orchestration.lifecycle.task_request import TaskRequest
from orchestration.messaging import pgmq
from orchestration.messaging.messages import REQUESTS_QUEUE, TaskRequestMessage
from orchestration.messaging.pgmq import Message
from orchestration.queries.transactions import atomically

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 60


class UnusableRequestError(Exception):
    """Carries the message whose transaction was rolled back."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.msg_id)
        self.message = message


def process_requests(*, limit: int, actor: str) -> int:
    """Create tasks for up to `limit` waiting requests and return how many were dealt with."""
    done = 0
    while done < limit and _process_next(actor=actor):
        done += 1
    return done


def _process_next(*, actor: str) -> bool:
    try:
        return atomically(lambda: _take_and_create(actor=actor))
    except UnusableRequestError as refused:
        _set_aside(refused.message, refused.__cause__)
        return True


def _take_and_create(*, actor: str) -> bool:
    message = pgmq.take(REQUESTS_QUEUE)
    if message is None:
        return False
    try:
        wanted = TaskRequestMessage.from_json(message.body)
        request = TaskRequest.parse(wanted.request)
        asked_by = request.initiator if wanted.request.get("initiator") else actor
        create(request, actor=wanted.requester or asked_by)
    except DuplicateTaskError as error:
        log.warning("task.conflict", extra={"msg_id": message.msg_id, "error": str(error)})
    except (InvalidRequestError, NotFoundError) as error:
        raise UnusableRequestError(message) from error
    return True


def _set_aside(message: Message, error: BaseException | None) -> None:
    """Count the read; bury what will never work, let the rest wait, longer each time."""
    read = pgmq.read_one(REQUESTS_QUEUE, msg_id=message.msg_id, visibility_seconds=1)
    if read is None:
        return
    is_hopeless = isinstance(error, InvalidRequestError)
    if is_hopeless or read.read_ct >= engine_settings().poison_read_count:
        atomically(lambda: pgmq.bury(REQUESTS_QUEUE, msg_id=message.msg_id, why=str(error)))
        reason = "malformed" if is_hopeless else "poison"
        metrics.MESSAGES_ARCHIVED.add(queue=REQUESTS_QUEUE, reason=reason)
        event = f"message.{reason}"
        log.error(
            event, extra={"queue": REQUESTS_QUEUE, "msg_id": message.msg_id, "why": str(error)}
        )
    else:
        pause = min(2**read.read_ct, LONGEST_PAUSE_SECONDS)
        pgmq.set_visibility(REQUESTS_QUEUE, msg_id=message.msg_id, seconds=pause)
