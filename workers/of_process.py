"""A thing of which a process has one, made when it is first asked for: the registries.

Each class that derives from it has its own; a test puts another one in its place.
"""

import threading
from typing import Any, ClassVar, Self


class OfProcess:
    """Base of classes with one instance for the whole process."""

    _instance: ClassVar[Any] = None
    _instance_lock: ClassVar[threading.Lock]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Give each class its own instance and lock."""
        super().__init_subclass__(**kwargs)
        cls._instance, cls._instance_lock = None, threading.Lock()

    @classmethod
    def instance(cls) -> Self:
        """Return the one of this process."""
        with cls._instance_lock:
            if cls._instance is None:
                cls._instance = cls()
            found: Self = cls._instance
            return found

    @classmethod
    def replace_instance(cls, other: Self | None) -> Self | None:
        """Take another one for the process's, or none; return the one until now."""
        with cls._instance_lock:
            before: Self | None = cls._instance
            cls._instance = other
            return before
