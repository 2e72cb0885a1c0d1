"""Django signals of a worker process, sent with `send_robust`: receivers cannot affect a step."""

from django.dispatch import Signal

handler_registered = Signal()  # name, handler_class
