"""Publishers: they decide whether an event is fired, and what it carries.

A worker runs the hooks of `fire` when a step ends and delivers what they made with its report; the
method `publish` runs the same hooks at once and delivers to the bus of this process alone.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

from django.utils import timezone

from orchestration import metrics
from orchestration.runtime.identity import fresh_uuid7
from workers.domain_events.bus import bus
from workers.domain_events.models import (
    DomainEventMetadata,
    ExecutionResult,
    InProcessDomainEvent,
    StepEventContext,
)
from workers.results.json_text import to_plain

log = logging.getLogger(__name__)

CheckPayload = Callable[[Any], str | None]


class PayloadRefusedError(ValueError):
    """A payload is not what the event's declaration says."""


class Fired(NamedTuple):
    """What the hooks of a publisher made: payload, metadata for hooks, additions for the event."""

    payload: dict[str, Any]
    metadata: dict[str, Any]
    additions: dict[str, Any]


class BasePublisher(ABC):
    """Base of all publishers; every hook has a default that lets the event through."""

    @property
    @abstractmethod
    def publisher_name(self) -> str:
        """The name that a template's `publisher` refers to."""

    def should_publish(self, ctx: StepEventContext) -> bool:
        """Say whether the event is fired at all."""
        return True

    def transform_payload(self, ctx: StepEventContext) -> dict[str, Any]:
        """Return the business payload."""
        return ctx.result or {}

    def additional_metadata(self, ctx: StepEventContext) -> dict[str, Any]:
        """Return what the event's metadata gets beside the standard keys."""
        return {}

    def before_publish(
        self, event_name: str, payload: dict[str, Any], metadata: dict[str, Any]
    ) -> bool:
        """Look at the event at the last moment; False skips it."""
        return True

    def after_publish(  # noqa: B027 - an optional hook
        self, event_name: str, payload: dict[str, Any], metadata: dict[str, Any]
    ) -> None:
        """Hear that the event was published."""

    def on_publish_error(  # noqa: B027 - an optional hook
        self, event_name: str, error: BaseException, payload: dict[str, Any]
    ) -> None:
        """Hear that the event could not be published."""

    def publish(self, ctx: StepEventContext, event_name: str | None = None) -> bool:
        """Fire an event at once; False when it was skipped or failed.

        It goes to the bus of this process. Without a running worker nobody hears it.
        """
        name = event_name or ctx.step_name
        fired = fire(self, ctx, name)
        if fired is None:
            return False
        result = ExecutionResult(success=True, result=ctx.result)
        try:
            bus().put(make_event(self, ctx, name, fired, result))
        except Exception as error:  # noqa: BLE001 - an event never harms the one who fires it
            report_failure(self, name, error, fired.payload)
            return False
        metrics.EVENTS_PUBLISHED.add(namespace=ctx.namespace, delivery_mode="fast")
        tell_published(self, name, fired)
        return True


class DefaultPublisher(BasePublisher):
    """Publishes the step's result as it is."""

    publisher_name = "default"


def fire(
    publisher: BasePublisher,
    ctx: StepEventContext,
    event_name: str,
    *,
    check: CheckPayload | None = None,
) -> Fired | None:
    """Run the hooks before publication; None when one of them skips the event or fails."""
    payload: dict[str, Any] = {}
    try:
        if not publisher.should_publish(ctx):
            return None
        payload = _checked(publisher.transform_payload(ctx), check)
        additions = dict(publisher.additional_metadata(ctx))
        metadata = {**_standard(publisher, ctx), **ctx.metadata, **additions}
        if not publisher.before_publish(event_name, payload, metadata):
            return None
    except BaseException as error:  # noqa: BLE001 - nothing an event does can fail a step
        report_failure(publisher, event_name, error, payload)
        return None
    return Fired(payload, metadata, additions)


def _checked(payload: Any, check: CheckPayload | None) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise PayloadRefusedError(
            f"transform_payload must return a dict, not {type(payload).__name__}"
        )
    if check is not None and (why := check(to_plain(payload))) is not None:
        raise PayloadRefusedError(f"The payload does not match the event's schema: {why}")
    return payload


def _standard(publisher: BasePublisher, ctx: StepEventContext) -> dict[str, Any]:
    return {
        "publisher": publisher.publisher_name,
        "published_at": timezone.now().isoformat(),
        "task_uuid": ctx.task_uuid,
        "step_uuid": ctx.step_uuid,
        "step_name": ctx.step_name,
        "namespace": ctx.namespace,
        "correlation_id": ctx.correlation_id,
    }


def make_event(
    publisher: BasePublisher,
    ctx: StepEventContext,
    event_name: str,
    fired: Fired,
    result: ExecutionResult,
) -> InProcessDomainEvent:
    """Return the event in plain JSON values; raises NotSerializable."""
    metadata = {
        **fired.additions,  # a standard key stays what it is
        "task_uuid": ctx.task_uuid,
        "step_uuid": ctx.step_uuid,
        "step_name": ctx.step_name,
        "namespace": ctx.namespace,
        "correlation_id": ctx.correlation_id,
        "fired_at": timezone.now().isoformat(),
        "fired_by": publisher.publisher_name,
    }
    return InProcessDomainEvent(
        event_id=str(fresh_uuid7()),
        event_name=event_name,
        payload=to_plain(fired.payload),
        execution_result=result,
        metadata=DomainEventMetadata.model_validate(to_plain(metadata)),
    )


def tell_published(publisher: BasePublisher, event_name: str, fired: Fired) -> None:
    """Tell a publisher that its event was published."""
    try:
        publisher.after_publish(event_name, fired.payload, fired.metadata)
    except BaseException as error:  # noqa: BLE001 - nothing an event does can fail a step
        _log_failure(publisher, event_name, error)


def report_failure(
    publisher: BasePublisher, event_name: str, error: BaseException, payload: dict[str, Any]
) -> None:
    """Count an event that could not be published, log it and tell its publisher."""
    note_failure(publisher, event_name, error)
    tell_failed(publisher, event_name, error, payload)


def tell_failed(
    publisher: BasePublisher, event_name: str, error: BaseException, payload: dict[str, Any]
) -> None:
    """Tell a publisher that its event could not be published."""
    try:
        publisher.on_publish_error(event_name, error, payload)
    except BaseException as another:  # noqa: BLE001 - nothing an event does can fail a step
        _log_failure(publisher, event_name, another)


def note_failure(publisher: BasePublisher, event_name: str, error: BaseException) -> None:
    """Count and log an event that could not be published."""
    metrics.EVENTS_FAILED.add()
    _log_failure(publisher, event_name, error)


def _log_failure(publisher: BasePublisher, event_name: str, error: BaseException) -> None:
    log.warning(
        "domain_event.failed",
        extra={
            "event": event_name,
            "publisher": type(publisher).__qualname__,
            "error": f"{type(error).__name__}: {error}",
        },
    )
