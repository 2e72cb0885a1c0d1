"""What one setting means, what it may be, and what it is."""

import difflib
from typing import Any, NamedTuple

from orchestration.configuration.effective import effective_settings, plain
from orchestration.configuration.example import DJANGO
from orchestration.errors import NotFoundError
from templates_registry.conf import table, tables


class Explained(NamedTuple):
    """All there is to say about a setting."""

    name: str
    meaning: str
    allowed: str
    default: Any
    profiles: dict[str, Any]
    value: Any
    source: str
    variable: str


def explain(name: str) -> Explained:
    """Explain a setting by its name or its variable, in any case; raises `NotFoundError`."""
    wanted = name.upper()
    effective = effective_settings()
    for source in tables():
        for row in table(source):
            if wanted in (row.name, *row.variables):
                profiles = {key: plain(value) for key, value in row.profiles.items()}
                about = (row.name, row.help, row.allowed, plain(row.default), profiles)
                return Explained(*about, *effective[row.name])
    if wanted in DJANGO:
        default, meaning = DJANGO[wanted]
        return Explained(wanted, meaning, "text", default, {}, *effective[wanted])
    near = difflib.get_close_matches(wanted.removeprefix("TASKER_"), effective, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise NotFoundError(f"There is no setting '{name}'{hint}")
