"""API keys that the setting API_KEYS declares, for tests and for the first start of a system.

Read once per change of the settings. A plain text is accepted outside of production only; there the
hash of the key is all that the environment may know.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from orchestration.access.key_text import hash_of
from orchestration.access.permissions import expand, refusal_of_grant
from orchestration.access.principals import Principal
from orchestration.access.scope import refusal_of_namespace, scope_of
from orchestration.conf import access_settings
from orchestration.models.api_key import PREFIX_LENGTH
from templates_registry.conf import JsonList, registry_settings

HASH = re.compile(r"[0-9a-f]{64}")
FIELDS = ("key", "key_sha256", "permissions", "namespaces", "description")
LISTS: Mapping[str, Callable[[object], str | None]] = {
    "permissions": refusal_of_grant,
    "namespaces": refusal_of_namespace,
}


class Flaw(NamedTuple):
    """What is wrong with an entry; never tells the key."""

    place: int
    text: str


def declared_principal(key_hash: str) -> Principal | None:
    """Return the principal of a declared key by the hash of its text, None for an unknown one."""
    entries = access_settings().api_keys
    if not entries:
        return None
    is_production = registry_settings().environment == "production"
    return _declared(str(entries), is_production).get(key_hash)


def flaws_of(entries: JsonList) -> Iterator[Flaw]:
    """Yield everything that is wrong with the entries."""
    for place, entry in enumerate(entries):
        yield from (Flaw(place, text) for text in _flaws_of_one(entry))


def is_plain(entry: Any) -> bool:
    """Tell whether an entry holds the key itself."""
    return isinstance(entry, Mapping) and "key" in entry


@lru_cache(maxsize=2)
def _declared(text: str, is_production: bool) -> dict[str, Principal]:
    """Return the principals of the entries that are whole; the checks refuse the others."""
    found = {}
    for entry in json.loads(text):
        if list(_flaws_of_one(entry)) or (is_production and is_plain(entry)):
            continue
        key_hash = entry.get("key_sha256") or hash_of(entry["key"])
        found[key_hash] = Principal(
            f"api_key:{key_hash[:PREFIX_LENGTH]}",
            expand(entry["permissions"]),
            scope_of(entry["namespaces"]),
        )
    return found


def _flaws_of_one(entry: Any) -> Iterator[str]:
    if not isinstance(entry, Mapping):
        yield "is no object"
        return
    for name in sorted(set(entry) - set(FIELDS)):
        yield f"has the unknown field {name!r}"
    yield from _flaws_of_key(entry)
    for name, refusal_of in LISTS.items():
        words = entry.get(name)
        if not isinstance(words, list):
            yield f"needs a list of {name}"
            continue
        yield from (f"{name}: {refusal}" for refusal in map(refusal_of, words) if refusal)


def _flaws_of_key(entry: Mapping[str, Any]) -> Iterator[str]:
    if ("key" in entry) == ("key_sha256" in entry):
        yield "needs either key_sha256 or key"
    elif "key" in entry and not (isinstance(entry["key"], str) and entry["key"]):
        yield "has a key that is no text"
    elif "key_sha256" in entry and not HASH.fullmatch(str(entry["key_sha256"])):
        yield "has a key_sha256 that is not 64 hexadecimal digits in lower case"
