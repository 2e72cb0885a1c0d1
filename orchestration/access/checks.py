"""System checks of what guards the doors: an open production refuses to start.

Beside `orchestration.checks`, which knows settings only; this also knows permissions and keys.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning

from orchestration.access.declared_keys import flaws_of, is_plain
from orchestration.access.scope import EVERY_NAMESPACE, GROUP_PREFIX
from orchestration.conf import AccessSettings
from orchestration.conf.access import LOOPBACK_ORIGINS
from templates_registry.conf import RegistrySettings, Value, read
from templates_registry.models import TaskNamespace

HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
HARMLESS_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "testserver"})


def check_access(**options: Any) -> list[CheckMessage]:
    """Return everything that is wrong with who may call."""
    environment = str(read(RegistrySettings)["environment"].value)
    values = read(AccessSettings)
    return [
        *_authentication(environment, values["auth_enabled"]),
        *_keys(environment, values["api_keys"]),
        *_headers(values),
        *_origins(environment, values["cors_origins"]),
        *_metrics(environment, values["metrics_token"]),
    ]


def _error(check: str, text: str) -> Error:
    return Error(text, id=f"tasker.{check}")


def _authentication(environment: str, enabled: Value) -> Iterable[CheckMessage]:
    if enabled.value:
        return
    said = f"AUTH_ENABLED = false (from {enabled.variable})"
    if environment == "production" or (environment == "development" and not settings.DEBUG):
        where = "production" if environment == "production" else "development with DEBUG off"
        yield _error("E006", f"{said} in {where}: must be true, or everybody may do everything.")
    elif foreign := sorted(set(settings.ALLOWED_HOSTS) - HARMLESS_HOSTS):
        yield CheckWarning(
            f"{said}, and DJANGO_ALLOWED_HOSTS names {', '.join(foreign)}: everybody who reaches "
            "this host may do everything. Set TASKER_AUTH_ENABLED=true.",
            id="tasker.W001",
        )


def _keys(environment: str, keys: Value) -> Iterable[Error]:
    for flaw in flaws_of(keys.value):
        text = f"API_KEYS[{flaw.place}] (from {keys.variable}) {flaw.text}."
        yield _error("E002", text)
    if environment == "production":
        for place, entry in enumerate(keys.value):
            if is_plain(entry):
                text = f"API_KEYS[{place}] (from {keys.variable}) holds a key in production"
                yield _error("E010", f"{text}: must hold its key_sha256 instead.")


def _headers(values: Mapping[str, Value]) -> Iterable[Error]:
    for name in ("api_key_header", "proxy_ssl_header"):
        found = values[name]
        is_optional = name == "proxy_ssl_header"
        if not (HEADER_NAME.fullmatch(found.value) or (is_optional and not found.value)):
            text = f"{name.upper()} = {found.value!r} (from {found.variable})"
            yield _error("E003", f"{text}: must be the name of a header, letters, digits and -.")


def _origins(environment: str, origins: Value) -> Iterable[Error]:
    if environment == "production" and "*" in origins.value:
        text = f"CORS_ORIGINS is * (from {origins.variable}) in production"
        yield _error("E008", f"{text}: must name the origins whose pages may call.")
    for each in origins.value:
        if each not in ("*", LOOPBACK_ORIGINS) and not _is_origin(each):
            text = f"CORS_ORIGINS has {each!r} (from {origins.variable})"
            yield _error("E003", f"{text}: must be like https://shop.example, without a path.")


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return text == f"{parts.scheme}://{parts.netloc}" and parts.scheme in ("http", "https")


def _metrics(environment: str, token: Value) -> Iterable[CheckMessage]:
    if environment == "production" and not token.value:
        yield CheckWarning(
            "METRICS_TOKEN is empty in production: everybody who reaches the probes sees "
            "/metrics and /health/detailed. Set TASKER_METRICS_TOKEN.",
            id="tasker.W003",
        )


def check_groups() -> list[CheckMessage]:
    """Return the groups `ns:<namespace>` that open a namespace which is not there; one query each.

    For the start of a process and for `config validate`: the other checks run without a database.
    """
    names = Group.objects.filter(name__startswith=GROUP_PREFIX).values_list("name", flat=True)
    wanted = {name.removeprefix(GROUP_PREFIX) for name in names} - {EVERY_NAMESPACE}
    known = TaskNamespace.objects.filter(name__in=wanted).values_list("name", flat=True)
    return [
        CheckWarning(
            f"The group {GROUP_PREFIX}{name} opens the namespace {name}, which has no template: "
            "register one, or correct the name of the group.",
            id="tasker.W004",
        )
        for name in sorted(wanted - set(known))
    ]
