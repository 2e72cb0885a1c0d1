"""Events: a publisher with its own payload, a subscriber, and a listener of the event bridge."""

import json
from pathlib import Path

from tasker_core import EventBridge, EventNames, StepExecutionResult
from tasker_core.domain_events import (
    BasePublisher,
    BaseSubscriber,
    PublisherRegistry,
    StepEventContext,
    SubscriberRegistry,
)
from tasker_core.step_handler.functional import inputs, step_handler


class PaymentPublisher(BasePublisher):
    @property
    def publisher_name(self) -> str:
        return "compat_payment_publisher"

    def should_publish(self, ctx: StepEventContext) -> bool:
        return ctx.result is not None

    def transform_payload(self, ctx: StepEventContext) -> dict:
        return {"amount": ctx.result["amount"], "file": ctx.result["file"]}

    def additional_metadata(self, ctx: StepEventContext) -> dict:
        return {"origin": "compat"}


class PaymentSubscriber(BaseSubscriber):
    @classmethod
    def subscribes_to(cls) -> list[str]:
        return ["payment.*"]

    def handle(self, event: dict) -> None:
        payload = event["payload"]
        line = {"name": event["event_name"], "amount": payload["amount"]}
        line["step"] = event["metadata"]["step_name"]
        with Path(payload["file"]).open("a") as file:
            file.write(json.dumps(line) + "\n")


def note_completion(result: StepExecutionResult) -> None:
    """Write down that the payment's step was reported."""
    if result.success and "bridge_file" in (result.result or {}):
        Path(result.result["bridge_file"]).write_text(f"{result.status} {result.step_uuid}")


PublisherRegistry.instance().register(PaymentPublisher())
SubscriberRegistry.instance().register(PaymentSubscriber)
EventBridge.instance().subscribe(EventNames.STEP_COMPLETION_SENT, note_completion)


@step_handler("compat_take_payment")
@inputs("amount", "file", "bridge_file")
def take_payment(amount, file, bridge_file):
    """Return what the publisher turns into events."""
    return {"amount": amount, "file": file, "bridge_file": bridge_file}
