"""Django's settings of Tasker, for development, tests and production alike.

Imports with no variable set and starts nothing: what is missing or wrong is refused by the system
checks (`orchestration.checks`), never here. Django's own variables are in the one table below;
`TASKER_*` variables are read by `templates_registry.conf`. Values may also stand in a file `.env`,
which the test profile leaves alone, so that a test run does not depend on it.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import environ
from corsheaders.defaults import default_headers

from orchestration.conf import AccessSettings, AdminSettings, EngineSettings
from orchestration.conf.access import LOOPBACK_ORIGINS
from orchestration.runtime import sessions
from tasker_project.admin_look import unfold_settings
from tasker_project.embedded.launcher import EmbeddedServer
from tasker_project.logs import logging_settings
from templates_registry.conf import Range, RegistrySettings, read

BASE_DIR = Path(__file__).resolve().parent.parent
TASKER: dict[str, Any] = {}  # settings given in code: {"lease_seconds": 20}

if os.environ.get("TASKER_ENV") != "test":
    environ.Env.read_env(BASE_DIR / ".env")

_given = read(RegistrySettings, code=TASKER)["environment"]
_environment = _given.value
_engine = {key: found.value for key, found in read(EngineSettings, code=TASKER).items()}
_access = {key: found.value for key, found in read(AccessSettings, code=TASKER).items()}
_admin = {key: found.value for key, found in read(AdminSettings, code=TASKER).items()}
_is_production = _environment == "production"
_loopback = ["localhost", "127.0.0.1", "[::1]"]
_hosts = {"development": _loopback, "test": ["testserver", *_loopback], "production": []}

env = environ.Env(
    DATABASE_URL=(str, ""),
    DATABASE_DIRECT_URL=(str, ""),
    DJANGO_SECRET_KEY=(str, "django-insecure-for-development-and-tests-only"),
    DJANGO_DEBUG=(bool, _environment == "development" and not _given.problem),
    DJANGO_ALLOWED_HOSTS=(list, _hosts[_environment]),
)

SECRET_KEY = env("DJANGO_SECRET_KEY")
DEBUG = env("DJANGO_DEBUG")
ALLOWED_HOSTS = env("DJANGO_ALLOWED_HOSTS")

INSTALLED_APPS = [
    "templates_registry",
    "orchestration",
    "workers",
    "tasker_project",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "unfold",  # before the admin, whose templates it replaces
    "tasker_project.apps.LateAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "orchestration.http.request_id.RequestIdMiddleware",  # every answer carries the id
    "orchestration.http.probes.ProbeMiddleware",  # before anything may redirect or refuse
    "orchestration.http.measuring.MeasuringMiddleware",  # without the probes
    "corsheaders.middleware.CorsMiddleware",  # around whatever answers a page of another origin
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "orchestration.http.trailing_slash.TrailingSlashMiddleware",
    "orchestration.http.database_breaker.DatabaseBreakerMiddleware",  # before any database use
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "tasker_project.urls"
WSGI_APPLICATION = "tasker_project.wsgi.application"
ASGI_APPLICATION = "tasker_project.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- the database: the given one, else a PostgreSQL of our own below TASKER_DATA_DIR
DATABASE_DIRECT_URL = env("DATABASE_DIRECT_URL")
EMBEDDED_SERVER = EmbeddedServer(
    (BASE_DIR / _engine["data_dir"]).resolve(), major=_engine["embedded_pg"]
)


def _database() -> dict[str, Any]:
    """Return the one entry of DATABASES, before the options that every server gets."""
    if not env("DATABASE_URL"):
        return EMBEDDED_SERVER.database_settings()
    return _server(env("DATABASE_URL"))


def _server(url: str) -> dict[str, Any]:
    if not url.startswith(("postgresql://", "postgres://")):
        return {"ENGINE": "django.db.backends.dummy"}  # check E016 refuses it
    found = dict(env.db_url_config(url))
    found["HOST"] = unquote(found["HOST"] or "")  # a socket's folder: postgresql://user@%2Frun/name
    return found


def _pool(size: Range) -> dict[str, Any]:
    """Return what psycopg's pool needs, nothing when its greatest size is 0."""
    if not size.maximum:
        return {}
    return {
        "pool": {
            "min_size": size.minimum,
            "max_size": size.maximum,
            "timeout": _engine["db_pool_wait_seconds"],
            "reconnect_timeout": sessions.RECONNECT_SECONDS,
            "max_idle": _engine["db_pool_idle_seconds"],
            "max_lifetime": _engine["db_pool_lifetime_seconds"],
            "connection_class": sessions.PooledConnection,  # its health check is no round trip
        }
    }


# An orchestrator or worker replaces the web's time limit by its own before it connects.
DATABASE_SESSION = sessions.session_settings(
    statement_timeout_ms=_engine["api_statement_timeout_ms"],
    lock_timeout_ms=_engine["lock_timeout_ms"],
)
DATABASE_IS_POOLED = bool(DATABASE_DIRECT_URL) or _engine["mode"] == "PollingOnly"
_default = _database()
if not _default["ENGINE"].endswith("dummy"):
    _default["OPTIONS"] = {
        "application_name": "tasker",
        **sessions.CLIENT_KEEPALIVES,
        **sessions.connection_options(DATABASE_SESSION, is_pooled=DATABASE_IS_POOLED),
        **_default.get("OPTIONS", {}),
        **_pool(_engine["db_pool_size"]),
    }
    _default["CONN_HEALTH_CHECKS"] = True  # a restarted server must not cost an error a connection
    _default["DISABLE_SERVER_SIDE_CURSORS"] = DATABASE_IS_POOLED
DATABASES = {"default": _default}
DATABASE_DIRECT = _server(DATABASE_DIRECT_URL) if DATABASE_DIRECT_URL else {}
"""The same database past the pooler, for migrations."""
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- web
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "orchestration.api.schema.TaskerSchema",
    "DEFAULT_PARSER_CLASSES": ["orchestration.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["orchestration.access.guard.PrincipalAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["orchestration.access.guard.HoldsPermission"],
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS describes nothing
    "EXCEPTION_HANDLER": "orchestration.http.errors.handle_exception",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,  # ?format= is an unknown parameter like any other
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tasker",
    "DESCRIPTION": "Workflow orchestration: create tasks, follow their steps, act on them.",
    "VERSION": "v1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": REST_FRAMEWORK["DEFAULT_PERMISSION_CLASSES"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "orchestration.api.schema.document_errors",
    ],
    "ENUM_NAME_OVERRIDES": {
        "TaskState": "orchestration.states.TaskState",
        "StepState": "orchestration.states.StepState",
        "StepType": "orchestration.states.StepType",
        "AnyState": "orchestration.api.history_bodies.STATES",
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = _engine["api_max_body_bytes"]
# an action is confirmed with the key of every object that it is asked of
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000 + _admin["admin_bulk_limit"]
UNFOLD = unfold_settings(_environment)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles" if _is_production else None  # of collectstatic
# admin and API docs look right without collectstatic; what it has made is compressed
WHITENOISE_USE_FINDERS = not (STATIC_ROOT and STATIC_ROOT.is_dir())
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_production
SECURE_SSL_REDIRECT = _is_production
SECURE_HSTS_SECONDS = _access["hsts_seconds"] if _is_production else 0
if _access["proxy_ssl_header"]:
    SECURE_PROXY_SSL_HEADER = (
        f"HTTP_{_access['proxy_ssl_header'].upper().replace('-', '_')}",
        "https",
    )

# --- pages of other origins that may call the API
_origins = _access["cors_origins"]
_named_origins = [each for each in _origins if each not in ("*", LOOPBACK_ORIGINS)]
CORS_URLS_REGEX = r"^/(v1|api-docs)/"
CORS_ALLOW_ALL_ORIGINS = "*" in _origins
CORS_ALLOWED_ORIGINS = _named_origins
CORS_ALLOWED_ORIGIN_REGEXES = (
    [r"^https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$"] if LOOPBACK_ORIGINS in _origins else []
)
CORS_ALLOW_CREDENTIALS = bool(_origins) and len(_named_origins) == len(_origins)
CORS_ALLOW_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST")
CORS_ALLOW_HEADERS = (
    *default_headers,
    "idempotency-key",
    "x-request-id",
    _access["api_key_header"].lower(),
)
CORS_EXPOSE_HEADERS = (
    "X-Request-ID",
    "Retry-After",
    "Location",
    "Idempotent-Replayed",
    "X-Total-Count",
)
CORS_PREFLIGHT_MAX_AGE = 86_400

LOGGING = logging_settings(level=_engine["log_level"], form=_engine["log_format"])
