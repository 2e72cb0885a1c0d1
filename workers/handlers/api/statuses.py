"""What an HTTP status means for a step: its error type, and whether trying again may help."""

RETRYABLE = frozenset({408, 429, 500, 502, 503, 504})

ERROR_TYPES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    409: "conflict",
    410: "gone",
    422: "unprocessable_entity",
    429: "rate_limited",
    500: "internal_server_error",
    502: "bad_gateway",
    503: "service_unavailable",
    504: "gateway_timeout",
}


def error_type_of(status_code: int) -> str:
    """Return the error type of a status; one for each family where it has none of its own."""
    if found := ERROR_TYPES.get(status_code):
        return found
    if 400 <= status_code < 500:
        return "client_error"
    return "server_error" if 500 <= status_code < 600 else "http_error"
