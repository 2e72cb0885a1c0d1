"""`ApiResponse`: an answer of a service, as a handler looks at it."""

import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

import httpx

from workers.handlers.api.statuses import RETRYABLE, error_type_of

UNREADABLE_SECONDS = 60
SPEAKING_KEYS = ("error", "message", "detail", "error_message", "msg")


class ApiResponse:
    """Status, headers and body of an answer, and what they mean."""

    def __init__(self, response: httpx.Response, body: Any = None) -> None:
        self.raw_response = response
        self._given_body = body

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self.raw_response.status_code

    @property
    def headers(self) -> dict[str, str]:
        """The headers; names in lower case."""
        return dict(self.raw_response.headers)

    @cached_property
    def body(self) -> Any:
        """The body: JSON if the content type says so and it is, else text."""
        if self._given_body is not None:
            return self._given_body
        kind = self.raw_response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/json" or kind.endswith("+json"):
            try:
                return self.raw_response.json()
            except ValueError:  # it says JSON and is none
                return self.raw_response.text
        return self.raw_response.text

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return self.raw_response.is_success

    @property
    def is_client_error(self) -> bool:
        """Whether the status is 4xx."""
        return self.raw_response.is_client_error

    @property
    def is_server_error(self) -> bool:
        """Whether the status is 5xx."""
        return self.raw_response.is_server_error

    @property
    def is_retryable(self) -> bool:
        """Whether the status says that trying again may help."""
        return self.status_code in RETRYABLE

    @property
    def error_type(self) -> str:
        """The error type of the status."""
        return error_type_of(self.status_code)

    @property
    def retry_after(self) -> int | None:
        """The seconds to wait that the service asks for; None when it asks for nothing."""
        text = self.raw_response.headers.get("retry-after")
        if text is None:
            return None
        return _seconds(text.strip())

    @property
    def error_text(self) -> str:
        """What the service says went wrong, its reason phrase when it says nothing."""
        body = self.body
        for key in SPEAKING_KEYS if isinstance(body, dict) else ():
            value = body.get(key)
            if isinstance(value, dict):
                value = value.get("message")
            if isinstance(value, str):
                return value
        return self.raw_response.reason_phrase

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return {"status_code": self.status_code, "headers": self.headers, "body": self.body}


def _seconds(text: str) -> int:
    """Read seconds or an HTTP date; a past date is 0."""
    try:
        if text.isascii() and text.isdigit():
            return int(text)
        moment = parsedate_to_datetime(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0, round(aware.timestamp() - time.time()))
    except (ValueError, TypeError, OverflowError):
        return UNREADABLE_SECONDS
