"""`APIMixin`: an HTTP client and results made of its answers, for handler classes.

Why a client for each thread: a registered instance serves several dispatches at once, and the
client is closed after each of them.
"""

import threading
from collections.abc import Mapping
from typing import Any, ClassVar

import httpx

from workers.handlers.api.response import ApiResponse
from workers.handlers.base import StepHandler
from workers.results import ErrorType, StepHandlerResult
from workers.results.raised import describe_exception


class APIMixin:
    """Helpers of a class that calls a service; works on either side of `StepHandler`."""

    base_url: ClassVar[str] = ""
    default_timeout: ClassVar[float] = 30.0
    default_headers: ClassVar[Mapping[str, str]] = {}
    closes_after_dispatch: ClassVar[bool] = True

    @property
    def api_capabilities(self) -> list[str]:
        """What such a handler can do beyond others, for display."""
        return ["http", "api"]

    # --- the client
    @property
    def client(self) -> httpx.Client:
        """The calling thread's client, made on first use."""
        found: httpx.Client | None = getattr(self._own, "client", None)
        if found is None:
            found = self._own.client = self.build_client()
        return found

    def build_client(self) -> httpx.Client:
        """Return a new client; to be replaced where other settings of httpx are wanted."""
        return httpx.Client(
            base_url=self.base_url,
            timeout=self.default_timeout,
            headers=dict(self.default_headers),
        )

    def close(self) -> None:
        """Close the calling thread's client; the next use makes another one."""
        found: httpx.Client | None = self._own.__dict__.pop("client", None)
        if found is not None:
            found.close()

    @property
    def _own(self) -> threading.local:
        own: threading.local = self.__dict__.setdefault("_thread_own", threading.local())
        return own

    # --- requests
    def request(self, method: str, path: str, **kwargs: Any) -> ApiResponse:
        """Send a request; `kwargs` go to httpx. Raises what httpx raises."""
        return ApiResponse(self.client.request(method, path, **kwargs))

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> ApiResponse:
        """Send a GET."""
        return self.request("GET", path, params=params, headers=headers, **kwargs)

    def delete(
        self, path: str, headers: Mapping[str, str] | None = None, **kwargs: Any
    ) -> ApiResponse:
        """Send a DELETE."""
        return self.request("DELETE", path, headers=headers, **kwargs)

    def post(
        self,
        path: str,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> ApiResponse:
        """Send a POST."""
        return self.request("POST", path, json=json, data=data, headers=headers, **kwargs)

    def put(
        self,
        path: str,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> ApiResponse:
        """Send a PUT."""
        return self.request("PUT", path, json=json, data=data, headers=headers, **kwargs)

    def patch(
        self,
        path: str,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> ApiResponse:
        """Send a PATCH."""
        return self.request("PATCH", path, json=json, data=data, headers=headers, **kwargs)

    # --- results
    def api_success(
        self,
        response: ApiResponse | None = None,
        result: dict[str, Any] | None = None,
        include_response: bool = True,
    ) -> StepHandlerResult:
        """Build a success of what is given, else of the answer's body."""
        if response is None:
            return StepHandlerResult.build_success(result)
        if result is None:
            result = response.body if isinstance(response.body, dict) else {"data": response.body}
        about = {"status_code": response.status_code, "headers": response.headers}
        return StepHandlerResult.build_success(result, about if include_response else {})

    def api_failure(self, response: ApiResponse, message: str | None = None) -> StepHandlerResult:
        """Build the failure that the answer's status means."""
        metadata: dict[str, Any] = {
            "status_code": response.status_code,
            "headers": response.headers,
        }
        if response.retry_after is not None:
            metadata["retry_after_seconds"] = response.retry_after
        if response.body:
            metadata["response_body"] = response.body
        return StepHandlerResult.failure(
            message or f"HTTP {response.status_code}: {response.error_text}",
            response.error_type,
            response.is_retryable,
            metadata,
        )

    def connection_error(
        self, error: BaseException, context: str | None = None
    ) -> StepHandlerResult:
        """Build the failure of a service that cannot be reached."""
        return _unreached("connection_error", "Connection failed", error, context)

    def timeout_error(self, error: BaseException, context: str | None = None) -> StepHandlerResult:
        """Build the failure of a service that did not answer in time."""
        return _unreached(ErrorType.TIMEOUT, "Request timed out", error, context)

    def explain_exception(self, error: BaseException) -> StepHandlerResult | None:
        """Say what an exception of httpx means that the handler let through; None for others."""
        if isinstance(error, httpx.TimeoutException):
            return self.timeout_error(error)
        if isinstance(error, httpx.TransportError):
            return self.connection_error(error)
        if isinstance(error, httpx.HTTPStatusError):
            return self.api_failure(ApiResponse(error.response))
        return None


class ApiHandler(APIMixin, StepHandler):
    """A step handler that calls a service."""

    @property
    def capabilities(self) -> list[str]:
        """What the handler can do, for display."""
        return ["process", *self.api_capabilities]


def _unreached(
    error_type: str, what: str, error: BaseException, context: str | None
) -> StepHandlerResult:
    where = f" ({context})" if context else ""
    return StepHandlerResult.failure(
        f"{what}{where}: {describe_exception(error)}",
        error_type,
        True,
        {"exception_type": type(error).__name__},
    )
