"""Django signals of a worker process, sent with `send_robust`: receivers cannot affect a step."""

from django.dispatch import Signal

step_execution_received = Signal()  # event
step_completion_sent = Signal()  # event, result
step_checkpoint_yield_sent = Signal()  # event, checkpoint
handler_registered = Signal()  # name, handler_class
handler_error = Signal()  # event, error
worker_metrics = Signal()  # metrics
worker_error = Signal()  # error
domain_event = Signal()  # event
