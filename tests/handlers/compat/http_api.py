"""Calls of another service: a class and a function."""

import os

import httpx
from tasker_core import ApiHandler
from tasker_core.step_handler.functional import api_handler, depends_on, inputs

BASE_URL = os.environ.get("COMPAT_API_URL", "http://localhost:9")


class FetchUserHandler(ApiHandler):
    handler_name = "compat_fetch_user"
    base_url = BASE_URL
    default_timeout = 5.0
    default_headers = {"X-Client": "compat"}

    def call(self, context):
        try:
            response = self.get(f"/users/{context.input_data['user_id']}")
        except httpx.ConnectError as error:
            return self.connection_error(error, "fetching the user")
        if response.ok:
            return self.api_success(response, include_response=True)
        return self.api_failure(response)


@api_handler("compat_greet_user", base_url=BASE_URL, timeout=5.0)
@depends_on(user="fetch_user")
@inputs("greeting")
def greet_user(user, greeting, api):
    """Send a greeting and return what the service says."""
    response = api.post("/greetings", json={"to": user["name"], "text": greeting})
    return api.api_success(response) if response.ok else api.api_failure(response)
