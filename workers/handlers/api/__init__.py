"""Handlers that call an HTTP service: a client, its answers, and what a status means.

`mixin` for classes, `functional` for functions, `response` for answers, `statuses` for the table.
"""

from workers.handlers.api.functional import api_handler
from workers.handlers.api.mixin import ApiHandler, APIMixin
from workers.handlers.api.response import ApiResponse

__all__ = ["APIMixin", "ApiHandler", "ApiResponse", "api_handler"]
