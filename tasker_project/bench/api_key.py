"""The key with which a measurement calls the API, as a program would.

Made in the bench database directly; where DEBUG is off, the API is closed without one.
"""

from orchestration.access.api_keys import create_key
from orchestration.access.principals import principal_of_command_line
from orchestration.conf import access_settings


def key_header() -> dict[str, str]:
    """Return the header that carries a new key for everything."""
    made = create_key(
        name="bench",
        permissions=["*"],
        namespaces=["*"],
        granted_by=principal_of_command_line(),
    )
    return {access_settings().api_key_header: made.text}
