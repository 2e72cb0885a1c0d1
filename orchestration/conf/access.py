"""Who may call, with what, from which pages, and how the answers travel."""

from dataclasses import dataclass

from templates_registry.conf import JsonList, cached, setting

LOOPBACK_ORIGINS = "loopback"
"""Word for every port of this machine, http and https."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """Table of what guards the doors; attribute = name of the setting in lower case."""

    auth_enabled: bool = setting(
        True,
        "ask every caller of the API for a credential",
        profiles={"development": False, "test": False},
    )
    api_key_header: str = setting("X-API-Key", "header in which an API key is sent")
    api_keys: JsonList = setting(  # noqa: RUF009 - a tuple, nothing shared can change
        JsonList(),
        "API keys beside those of the database: objects with key_sha256 (or key, not in "
        "production), permissions, namespaces, description",
        is_secret=True,
    )
    metrics_token: str = setting(
        "",
        "bearer token that /metrics and /health/detailed ask for; empty = public",
        is_secret=True,
    )
    api_docs: str = setting(
        "authenticated",
        "who reads the description of the API",
        choices=("public", "authenticated", "off"),
        profiles={"development": "public", "test": "public"},
    )
    cors_origins: tuple[str, ...] = setting(
        (),
        f"origins whose pages may call the API; {LOOPBACK_ORIGINS} = any port of this machine, "
        "* = all",
        profiles={"development": (LOOPBACK_ORIGINS,), "test": (LOOPBACK_ORIGINS,)},
    )
    proxy_ssl_header: str = setting(
        "", "header in which a trusted TLS proxy says https; empty = there is none"
    )
    hsts_seconds: int = setting(
        31_536_000,
        "how long browsers shall insist on https, in production; 0 = off",
        unit="seconds",
        minimum=0,
    )


access_settings = cached(AccessSettings)
