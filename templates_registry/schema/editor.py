"""The JSON Schema with which editors complete and check templates while they are written.

Made from the same models that parse templates. The models know the canonical spelling only, so that
the other accepted spellings are added here, old ones marked deprecated; and a null is accepted
wherever a key may be absent. A copy is kept beside this package and compared by a test.
"""

import json
from pathlib import Path
from typing import Any

from templates_registry.schema.template import TaskTemplate

COPY = Path(__file__).resolve().parent.parent / "template.schema.json"
_ANY: dict[str, Any] = {}
_NUMBER = {"type": "number", "minimum": 0}
_MAX_ATTEMPTS = {"type": "integer", "minimum": 0, "maximum": 100}
_REFERENCE = "#/$defs/{}"

# Second spellings: definition -> key -> what it stands for. An empty text is the whole template.
_ALIASES = {"StepTemplate": {"step_type": "type", "depends_on": "dependencies"}}
_DEPRECATED: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "TaskTemplate": {
        "task_handler": ("Has no effect", _ANY),
        "loaded_from": ("Has no effect", _ANY),
        "default_context": ("Has no effect", _ANY),
        "composition": ("Has no effect", _ANY),
    },
    "EnvironmentOverrides": {"task_handler": ("Has no effect", _ANY)},
    "StepTemplate": {
        "lifecycle": ("Has no effect", _ANY),
        "retry_limit": ("Write retry.max_attempts", _MAX_ATTEMPTS),
    },
    "StepOverride": {"retry_limit": ("Write retry.max_attempts", _MAX_ATTEMPTS)},
    "RetryPolicy": {
        "limit": ("Write max_attempts", _MAX_ATTEMPTS),
        "initial_delay": ("In seconds; write backoff_base_ms", _NUMBER),
        "max_delay": ("In seconds; write max_backoff_ms", _NUMBER),
    },
    "RetryOverride": {
        "limit": ("Write max_attempts", _MAX_ATTEMPTS),
        "initial_delay": ("In seconds; write backoff_base_ms", _NUMBER),
        "max_delay": ("In seconds; write max_backoff_ms", _NUMBER),
    },
}


def editor_schema() -> dict[str, Any]:
    """Return the JSON Schema of a template as it may be written."""
    schema = TaskTemplate.model_json_schema(mode="validation")
    levels = {"TaskTemplate": schema, **schema["$defs"]}
    for name, level in levels.items():
        _open(level)
        _add_spellings(name, level)
    _allow_short_forms(levels)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def editor_schema_text() -> str:
    """Return the schema as the file beside this package holds it."""
    return json.dumps(editor_schema(), indent=2) + "\n"


def _open(level: dict[str, Any]) -> None:
    """Accept unknown keys, and null where a key may be absent."""
    level["additionalProperties"] = True
    required = level.get("required", [])
    for key, value in level.get("properties", {}).items():
        kinds = value.get("anyOf", [value])
        if key not in required and {"type": "null"} not in kinds:
            level["properties"][key] = _nullable(value)


def _nullable(value: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an optional key, its annotations kept outside."""
    outside: dict[str, Any] = {
        k: value[k] for k in ("title", "description", "default") if k in value
    }
    inside = {k: each for k, each in value.items() if k not in outside}
    return {**outside, "anyOf": [inside, {"type": "null"}]}


def _add_spellings(name: str, level: dict[str, Any]) -> None:
    properties = level.get("properties", {})
    for key, canonical in _ALIASES.get(name, {}).items():
        properties[key] = {**properties[canonical], "description": f"Same as {canonical}"}
    for key, (text, value) in _DEPRECATED.get(name, {}).items():
        properties[key] = {**value, "description": text, "deprecated": True}


def _allow_short_forms(levels: dict[str, dict[str, Any]]) -> None:
    """Accept text for handlers and events, old names of step types, and `namespace`."""
    template, step = levels["TaskTemplate"], levels["StepTemplate"]
    version = template["properties"]["version"]
    version["type"] = ["string", "number"]
    namespace = template["properties"]["namespace_name"]
    template["properties"]["namespace"] = {**namespace, "deprecated": True}
    template["required"].remove("namespace_name")
    template["anyOf"] = [{"required": ["namespace_name"]}, {"required": ["namespace"]}]
    step["properties"]["handler"] = {
        "anyOf": [
            {"$ref": _REFERENCE.format("HandlerSpec")},
            {"type": "string", "minLength": 1, "deprecated": True},
        ]
    }
    events, _ = step["properties"]["publishes_events"]["anyOf"]
    text = {"type": "string", "deprecated": True}
    events["items"] = {"anyOf": [{"$ref": _REFERENCE.format("EventDeclaration")}, text]}
    for key in ("type", "step_type"):
        kinds = step["properties"][key]["anyOf"]
        step["properties"][key] = {
            **step["properties"][key],
            "anyOf": [*kinds, {"enum": ["deferred", "decision_point"], "deprecated": True}],
        }
