"""Plain errors of the worker itself; they say nothing about retrying.

The handlers' `TaskerError` derives from this one, so that `except TaskerError` with either name
catches what a reader expects.
"""


class TaskerError(Exception):
    """Base of every error that the worker side raises on purpose."""


class WorkerNotInitializedError(TaskerError):
    """A worker was asked for something before it was started."""


class WorkerBootstrapError(TaskerError):
    """A worker could not be started."""


class WorkerAlreadyRunningError(TaskerError):
    """A second worker was started in one process."""


class FFIError(TaskerError):
    """A value could not cross the border between worker and engine."""


class ConversionError(TaskerError):
    """A value could not be converted between Python and JSON."""
