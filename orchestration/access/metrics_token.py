"""The one bearer token of what machines scrape: /metrics and /health/detailed.

Not an API key: a scraper has no principal, no permissions and no scope.
"""

import hmac

from django.http import HttpRequest

from orchestration.access.credentials import BEARER
from orchestration.access.failures import (
    CredentialMissingError,
    CredentialRefusedError,
    Reason,
)
from orchestration.conf import access_settings


def require_metrics_token(request: HttpRequest) -> None:
    """Let whoever shows the token see metrics, and everybody where METRICS_TOKEN is empty.

    Raises `CredentialMissingError` and `CredentialRefusedError`.
    """
    token = access_settings().metrics_token
    if not token:
        return
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != BEARER:
        raise CredentialMissingError
    if not hmac.compare_digest(given.strip().encode(), token.encode()):
        raise CredentialRefusedError(Reason.INVALID, subject="metrics")
