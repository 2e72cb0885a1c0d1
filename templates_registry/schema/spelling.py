"""From a template as it was written to the one spelling that the models know.

Old and alternative spellings are mapped, nulls and unknown keys dropped, and each noticed. What
comes out has canonical keys only; `Spelled.written` remembers where a mapped key stood, so that a
finding about its value names the key that the author wrote. Values of a wrong type pass through
untouched: telling so is the models' business.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from templates_registry.errors import MAX_FINDINGS, Finding, Severity, finding
from templates_registry.schema import template as shapes
from templates_registry.schema.paths import Location, path_text
from templates_registry.schema.sizes import mappings_of

MAX_GUESSES = 100

Mapping_ = dict[str, Any]


@dataclass
class Spelled:
    """What became of a template's keys."""

    written: dict[Location, Location] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    guesses: int = 0

    def note(self, code: str, message: str, at: Location, severity: Severity | None = None) -> None:
        """Add a finding, unless a flood of them makes more useless."""
        if len(self.findings) < MAX_FINDINGS:
            path = path_text(self.as_written(at))
            self.findings.append(finding(code, message, path=path, severity=severity))

    def as_written(self, at: Location) -> Location:
        """Return where the author wrote what now stands at `at`."""
        for length in range(len(at), 0, -1):
            if found := self.written.get(at[:length]):
                return (*self.as_written(found[:-1]), found[-1], *at[length:])
        return at

    def rename(self, data: Mapping_, at: Location, old: str, new: str) -> None:
        """Move a value to its canonical key, unless that one is given too."""
        value = data.pop(old, None)
        if value is not None and data.get(new) is None:
            data[new] = value
            self.written[(*at, new)] = (*at, old)

    def legacy(self, at: Location, old: str, use: str) -> None:
        """Note an old spelling."""
        self.note("LEGACY_KEY", f"{old!r} is an old spelling; {use}.", (*at, old))


Rewrite = Callable[[Spelled, Mapping_, Location], None]


class Level(NamedTuple):
    """One kind of mapping in a template: its keys, and what stands below them."""

    known: frozenset[str]
    one: "Mapping[str, Level]" = {}  # key -> a mapping
    many: "Mapping[str, Level]" = {}  # key -> a list of mappings
    named: "Mapping[str, Level]" = {}  # key -> a mapping of names to mappings
    aliases: Mapping[str, str] = {}  # second name -> canonical name, no finding
    renamed: Mapping[str, str] = {}  # old name -> canonical name
    ignored: frozenset[str] = frozenset()
    rewrite: Rewrite | None = None
    keeps_others: bool = False

    @property
    def expected(self) -> list[str]:
        """Every key that an author may have meant."""
        return sorted({*self.known, *self.aliases, *self.renamed})


def keys_of(model: type[shapes.Part]) -> frozenset[str]:
    """Return the YAML keys of a model."""
    return frozenset(info.alias or name for name, info in model.model_fields.items())


def _seconds_to_ms(spelled: Spelled, data: Mapping_, at: Location) -> None:
    """Map delays in seconds to milliseconds."""
    for old, new in (("initial_delay", "backoff_base_ms"), ("max_delay", "max_backoff_ms")):
        seconds = data.get(old)
        if isinstance(seconds, int | float) and not isinstance(seconds, bool):
            data[old] = round(seconds * 1000)
        if old in data:
            spelled.legacy(at, old, f"write {new}, in milliseconds")
            spelled.rename(data, at, old, new)


def _retry_limit(spelled: Spelled, data: Mapping_, at: Location) -> None:
    """Map a step's own `retry_limit` into its retry policy."""
    if "retry_limit" not in data:
        return
    spelled.legacy(at, "retry_limit", "write retry.max_attempts")
    limit, retry = data.pop("retry_limit"), data.get("retry")
    if limit is None or not isinstance(retry, dict | None):
        return
    retry = dict(retry or {})
    if retry.get("max_attempts") is None and retry.get("limit") is None:
        retry["max_attempts"] = limit
        spelled.written[(*at, "retry", "max_attempts")] = (*at, "retry_limit")
    data["retry"] = retry


def _short_forms(spelled: Spelled, data: Mapping_, at: Location) -> None:
    """Map a handler written as text, and a retry limit outside of `retry`."""
    if isinstance(text := data.get("handler"), str):
        spelled.legacy(at, "handler", f"write {{callable: {text}}}")
        data["handler"] = {"callable": text}
        spelled.written[(*at, "handler", "callable")] = (*at, "handler")
    _retry_limit(spelled, data, at)


def _rewrite_step(spelled: Spelled, data: Mapping_, at: Location) -> None:
    """Map the old forms of a step, and drop a batch configuration that has no effect."""
    _short_forms(spelled, data, at)
    kind = data.get("type", data.get("step_type"))
    if isinstance(kind, str) and (new := _OLD_TYPES.get(kind)):
        key = "type" if "type" in data else "step_type"
        spelled.note("LEGACY_KEY", f"{kind!r} is an old spelling; write {new}.", (*at, key))
        data[key] = kind = new
    if kind != "batch_worker" and data.pop("batch_config", None) is not None:
        text = "batch_config has no effect, since the step is no batch_worker."
        spelled.note("UNKNOWN_KEY", text, (*at, "batch_config"))
    if isinstance(events := data.get("publishes_events"), list):
        data["publishes_events"] = [
            _rewrite_event(spelled, event, (*at, "publishes_events", number))
            for number, event in enumerate(events)
        ]


def _rewrite_event(spelled: Spelled, event: Any, at: Location) -> Any:
    if not isinstance(event, str):
        return event
    spelled.note("LEGACY_KEY", f"A bare text is an old spelling; write {{name: {event}}}.", at)
    return {"name": event}


_OLD_TYPES = {"deferred": "deferred_convergence", "decision_point": "decision"}
_RETRY = Level(
    keys_of(shapes.RetryPolicy), renamed={"limit": "max_attempts"}, rewrite=_seconds_to_ms
)
_HANDLER = Level(keys_of(shapes.HandlerSpec))
_STEP = Level(
    keys_of(shapes.StepTemplate),
    one={
        "handler": _HANDLER,
        "retry": _RETRY,
        "batch_config": Level(keys_of(shapes.BatchConfig)),
    },
    many={"publishes_events": Level(keys_of(shapes.EventDeclaration))},
    aliases={"step_type": "type", "depends_on": "dependencies"},
    ignored=frozenset(["lifecycle"]),
    rewrite=_rewrite_step,
)
_OVERRIDE = Level(
    keys_of(shapes.StepOverride),
    one={"handler": Level(keys_of(shapes.HandlerOverride)), "retry": _RETRY},
    rewrite=_short_forms,
)
_ENVIRONMENT = Level(
    keys_of(shapes.EnvironmentOverrides),
    many={"steps": _OVERRIDE},
    ignored=frozenset(["task_handler"]),
)
TEMPLATE = Level(
    keys_of(shapes.TaskTemplate),
    one={
        "metadata": Level(keys_of(shapes.Metadata), keeps_others=True),
        "lifecycle": Level(keys_of(shapes.Lifecycle)),
        "system_dependencies": Level(keys_of(shapes.SystemDependencies)),
    },
    many={"steps": _STEP, "domain_events": Level(keys_of(shapes.EventCatalogueEntry))},
    named={"environments": _ENVIRONMENT},
    renamed={"namespace": "namespace_name"},
    ignored=frozenset(["task_handler", "loaded_from", "default_context", "composition"]),
)


def spell(data: Mapping_) -> tuple[Mapping_, Spelled]:
    """Return a template in canonical spelling, and what was noticed on the way."""
    spelled = Spelled()
    return _inherit_events(_spell(spelled, data, TEMPLATE, ())), spelled


def _spell(spelled: Spelled, data: Any, level: Level, at: Location) -> Any:
    """Return one mapping in canonical spelling; anything else passes through."""
    if not isinstance(data, dict):
        return data
    data = dict(data)
    if level.rewrite:
        level.rewrite(spelled, data, at)
    for old, new in level.renamed.items():
        if old in data:
            spelled.legacy(at, old, f"write {new}")
    for old, new in (*level.renamed.items(), *level.aliases.items()):
        if old in data:
            spelled.rename(data, at, old, new)
    for key in sorted(level.ignored & data.keys()):
        spelled.legacy(at, key, "it has no effect")
        del data[key]
    return {
        key: _below(spelled, value, level, (*at, key))
        for key, value in data.items()
        if _is_kept(spelled, level, at, key, value)
    }


def _is_kept(spelled: Spelled, level: Level, at: Location, key: str, value: Any) -> bool:
    """Say whether a key stays: known ones do, and others where any are kept; a null is absent."""
    if key in level.known:
        return value is not None
    if not level.keeps_others:
        _note_unknown(spelled, level, at, key)
    return level.keeps_others and value is not None


def _note_unknown(spelled: Spelled, level: Level, at: Location, key: str) -> None:
    if guess := _guess(spelled, level, key):
        message = f"Unknown key {key!r}; did you mean {guess!r}?"
        spelled.note("UNKNOWN_KEY", message, (*at, key), Severity.WARNING)
    else:
        spelled.note("UNKNOWN_KEY", f"Unknown key {key!r} has no effect.", (*at, key))


def _guess(spelled: Spelled, level: Level, key: str) -> str | None:
    """Return the known key that was probably meant; a limited number of times."""
    spelled.guesses += 1
    if spelled.guesses > MAX_GUESSES or not 2 < len(key) < 64:
        return None
    plain = key.lower().replace("-", "_").replace(" ", "_")
    longer = [known for known in level.expected if known.startswith(f"{plain}_")]
    close = difflib.get_close_matches(plain, level.expected, n=1, cutoff=0.8)
    return next(iter(close or longer), None)


def _below(spelled: Spelled, value: Any, level: Level, at: Location) -> Any:
    """Return what stands under a key in canonical spelling."""
    key = str(at[-1])
    if key in level.one:
        return _spell(spelled, value, level.one[key], at)
    if key in level.many and isinstance(value, list):
        below = level.many[key]
        return [_spell(spelled, each, below, (*at, n)) for n, each in enumerate(value)]
    if key in level.named and isinstance(value, dict):
        below = level.named[key]
        return {
            name: _spell(spelled, each, below, (*at, name))
            for name, each in value.items()
            if each is not None
        }
    return value


def _inherit_events(data: Mapping_) -> Mapping_:
    """Give events of steps the description and schema that the catalogue has for their name."""
    catalogue = {
        entry["name"]: {key: entry[key] for key in ("description", "schema") if key in entry}
        for entry in mappings_of(data.get("domain_events"))
        if isinstance(entry.get("name"), str)
    }
    if not catalogue:
        return data
    for step in mappings_of(data.get("steps")):
        for event in mappings_of(step.get("publishes_events")):
            if isinstance(event.get("name"), str):
                event.update(catalogue.get(event["name"], {}) | event)
    return data
