"""The OpenAPI document: permissions as an extension, and every status an operation can answer.

The hook adds what no view says about itself: the errors of api-and-operations 1.2, by path and
method. The document is committed as `openapi.yaml`; `make openapi` refuses a difference.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from orchestration.access.guard import alternatives
from orchestration.api.example_requests import REQUESTS
from orchestration.api.examples import ANSWERS
from orchestration.conf import access_settings

ERROR = {"$ref": "#/components/schemas/Error"}
STATUSES = {
    "400": "The request is wrong, or not allowed in the present state.",
    "401": "No credential, or one that is not accepted; `x-auth-failure-reason` says which.",
    "403": "A permission is missing, or the namespace is outside of the credential's scope.",
    "404": "There is no such object within the credential's scope.",
    "406": "JSON is the only answer there is.",
    "408": "The request took too long and was rolled back.",
    "409": "It conflicts with what is there.",
    "413": "The body is too large.",
    "415": "The body is not `application/json`.",
    "500": "The server failed; its log has the request id.",
    "503": "Not now; `Retry-After` says when: the database cannot be reached, a circuit breaker is "
    "open, or, for a new task, the engine is behind.",
}
ALWAYS = ("400", "401", "403", "406", "408", "500", "503")
ERROR_SCHEMA = {
    "type": "object",
    "description": "The body of every answer that is an error.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "request_id"],
            "properties": {
                "code": {"type": "string", "examples": ["BAD_REQUEST"]},
                "message": {"type": "string"},
                "request_id": {"type": "string"},
                "details": {
                    "description": "Places and messages, or the permission that is missing.",
                    "anyOf": [
                        {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["path", "message"],
                                "properties": {
                                    "path": {"type": "string"},
                                    "message": {"type": "string"},
                                },
                            },
                        },
                        {"type": "object"},
                    ],
                },
                "retry_after_seconds": {"type": "integer"},
            },
        }
    },
}


class TaskerSchema(AutoSchema):
    """Adds the permission that a call needs, and the examples of what goes in and out."""

    def get_examples(self) -> list[OpenApiExample]:
        """Return the examples of the operation; every success answers alike."""
        name = self.get_operation_id()
        sent = [
            OpenApiExample(title, body, request_only=True)
            for title, body in REQUESTS.get(name, {}).items()
        ]
        answer = ANSWERS.get(name)
        body = answer[0] if isinstance(answer, list) else answer  # a list is made of it elsewhere
        given = OpenApiExample("Success", body, response_only=True, status_codes=["200", "201"])
        return [*sent, given] if answer is not None else sent

    def get_extensions(self) -> dict[str, Any]:
        """Return `x-required-permission` of the operation; a list where any one of it will do."""
        declared = getattr(self.view, "required_permissions", {})
        required = [each.value for each in alternatives(declared.get(self.method))]
        told = {"x-required-permission": required[0] if len(required) == 1 else required}
        return {**super().get_extensions(), **(told if required else {})}


class PrincipalSchemes(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the guard is described: an API key in either of two places, or a session; any one."""

    target_class = "orchestration.access.guard.PrincipalAuthentication"
    name = ["bearer", "api_key", "session"]

    def get_security_requirement(self, auto_schema: Any) -> Any:
        """Return the schemes as alternatives."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        """Return the schemes in the order of their names."""
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "tsk_…",
                "description": "An API key. Not asked for in development.",
            },
            {
                "type": "apiKey",
                "in": "header",
                "name": access_settings().api_key_header,
                "description": "The same key in a header of its own.",
            },
            {
                "type": "apiKey",
                "in": "cookie",
                "name": "sessionid",
                "description": "The session of a staff user; what changes something needs the "
                "CSRF token in `X-CSRFToken` as well.",
            },
        ]


def total_count(rows: str) -> OpenApiParameter:
    """Return the header of a list that tells how many of its rows there are in all."""
    return OpenApiParameter(
        "X-Total-Count",
        OpenApiTypes.INT,
        OpenApiParameter.HEADER,
        description=f"How many {rows} the filter keeps in all.",
        response=[200],
    )


def document_errors(result: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Add the error answers of every operation; drf-spectacular calls this last."""
    result["components"]["schemas"]["Error"] = ERROR_SCHEMA
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for status in _statuses(path, method, "requestBody" in operation):
                operation["responses"].setdefault(
                    status,
                    {
                        "description": STATUSES[status],
                        "content": {"application/json": {"schema": ERROR}},
                    },
                )
            operation["responses"] = dict(sorted(operation["responses"].items()))
    return result


def _statuses(path: str, method: str, has_body: bool) -> list[str]:
    statuses = {*ALWAYS}
    if "{" in path or method == "post" or path == "/config":
        statuses.add("404")
    if method != "get":
        statuses.add("409")
    if has_body:
        statuses |= {"413", "415"}
    return sorted(statuses)
