"""Inputs that a loader of templates must survive: hypothesis strategies, by what they are about.

Each strategy of `TEXTS` gives YAML, good, broken or hostile; `DATA` gives plain data as from JSON.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from templates_registry.schema.spelling import TEMPLATE, Level

ROOT = Path(__file__).resolve().parent.parent
GOOD = [
    path.read_text("utf-8")
    for path in [
        ROOT / "unit" / "templates_registry" / "parcel_return.yaml",
        *sorted((ROOT.parent / "templates_registry" / "templates").rglob("*.yaml")),
    ]
]
HEAD = "name: t\nnamespace_name: n\nversion: 1.0.0\n"
SCALAR_TEXTS = st.sampled_from(
    ["", "~", "null", "yes", "on", "0x1F", "0b1", "017", "1_0", "1.10", ".nan", "-.inf",
     "1.0e+999", "9" * 400, "-" + "9" * 20_000, "1" * 300 + ".5", "0x" + "f" * 400, "12:30",
     "2024-01-01", "!!int a", "!!binary aGk=", "!!python/object:os.system x", "!mine x", "! x",
     "!!set {a, b}", "!!float 1", '"a\\0b"', '"\\ud800"', '"\\uDC00x"', '"\\U0010FFFF"',
     "'\ufeff'", "\u2028", "\x85", "🚀", "${HOME}", "&a x", "*a", "[]", "{}", "[[]]",
     "{a: {b: [c]}}", "|\n   a\n   b", ">-\n   a", "? x", "<<: *a", "%x", "@x", "`x`", "a: b: c",
     "- - a", "ALL", "decision", "batch_worker", "-1", "1e400", "{a: 1, a: 2}"]
)  # fmt: skip
KEY_TEXTS = st.one_of(
    st.sampled_from(
        ["<<", "? [a]\n", "? {a: b}\n", "? &x y\n", "*a", "~", "null", "yes", "1", "1.10", '""',
         "'a\\0'", '"a\\0b"', "!!str a", "!!binary aGk=", "&a b", "[a, b]", "{a: b}", "2024-01-01",
         "é", "🚀", "name", "steps", "dependancies", "retry", "=", "a" * 200, "a" * 2000, "a.b",
         "a[0]", "!x y"]
    ),
    st.text("abs_.[]{}:?-&*! '\"", max_size=12),
)  # fmt: skip


def nested(draw: st.DrawFn) -> str:
    """Return something nested deeply, in flow or block style, perhaps never closed."""
    depth = draw(st.sampled_from([1, 5, 60, 62, 63, 64, 65, 66, 100, 1000, 5000]))
    opening = draw(
        st.lists(st.sampled_from(["[", "{a: ", "{a: [", "[[", "- "]), min_size=1, max_size=3)
    )
    closing = {"[": "]", "{a: ": "}", "{a: [": "]}", "[[": "]]", "- ": ""}
    text = "".join(opening) * depth + draw(SCALAR_TEXTS)
    if draw(st.booleans()):
        text += "".join(closing[each] for each in reversed(opening)) * depth
    place = draw(st.sampled_from(["{}", "x: {}", HEAD + "steps: {}", HEAD + "metadata: {{x: {}}}"]))
    return place.format(text)


def aliased(draw: st.DrawFn) -> str:
    """Return anchors and aliases, also those that would grow without end."""
    levels = draw(st.integers(1, 40))
    width = draw(st.integers(1, 12))
    lines = [f"a0: &a0 {draw(SCALAR_TEXTS)}"]
    for n in range(1, levels):
        target = draw(st.sampled_from([n - 1, n, 0]))  # itself, too
        lines.append(f"a{n}: &a{n} [" + ", ".join([f"*a{target}"] * width) + "]")
    rest = draw(
        st.sampled_from(["", "<<: *a0\n", "? *a0\n: x\n", "steps: *a0\n", "steps: [*a1]\n"])
    )
    return HEAD + "\n".join(lines) + "\n" + rest


def keyed(draw: st.DrawFn) -> str:
    """Return mappings whose keys are odd."""
    pairs = draw(st.lists(st.tuples(KEY_TEXTS, SCALAR_TEXTS), min_size=1, max_size=5))
    lines = [f"{key}: {value}" for key, value in pairs]
    indent = draw(st.sampled_from(["", "  ", "    "]))
    start = draw(st.sampled_from(["", HEAD, HEAD + "steps:\n  - name: a\n", HEAD + "retry:\n"]))
    return start + "".join(f"{indent}{line}\n" for line in lines)


def mutated(draw: st.DrawFn) -> str | bytes:
    """Return a good template after a few accidents."""
    text = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(1, 6))):
        text = draw(st.sampled_from(ACCIDENTS))(draw, text)
    if not draw(st.booleans()):
        return text
    raw = bytearray(text.encode("utf-8", "surrogatepass"))
    for place in draw(st.lists(st.integers(0, max(len(raw) - 1, 0)), max_size=3)):
        raw[place : place + 1] = draw(st.binary(max_size=2))
    return bytes(raw)


def _cut(draw: st.DrawFn, text: str) -> str:
    begin = draw(st.integers(0, len(text)))
    return text[:begin] + text[begin + draw(st.integers(0, 60)) :]


def _repeat(draw: st.DrawFn, text: str) -> str:
    begin = draw(st.integers(0, len(text)))
    piece = text[begin : begin + draw(st.integers(1, 200))]
    return text[:begin] + piece * draw(st.integers(2, 20)) + text[begin:]


def _insert(draw: st.DrawFn, text: str) -> str:
    begin = draw(st.integers(0, len(text)))
    return (
        text[:begin] + draw(st.one_of(SCALAR_TEXTS, KEY_TEXTS, st.text(max_size=4))) + text[begin:]
    )


def _change_line(draw: st.DrawFn, text: str) -> str:
    lines = text.split("\n")
    place = draw(st.integers(0, len(lines) - 1))
    other = lines[draw(st.integers(0, len(lines) - 1))]
    lines[place] = draw(
        st.sampled_from([other, "  " + lines[place], lines[place].lstrip(), "---", ""])
    )
    return "\n".join(lines)


def _change_value(draw: st.DrawFn, text: str) -> str:
    places = [n for n in range(len(text)) if text.startswith(": ", n)]
    if not places:
        return text
    begin = draw(st.sampled_from(places)) + 2
    ends = [end for each in ",}\n]" if (end := text.find(each, begin)) >= 0]
    return text[:begin] + draw(SCALAR_TEXTS) + text[min(ends, default=len(text)) :]


ACCIDENTS: list[Callable[[st.DrawFn, str], str]] = [
    _cut, _repeat, _insert, _change_line, _change_value, _change_value,
]  # fmt: skip

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10**12),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["a", "b", "ALL", "decision", "batch_worker", "none", "a.b", "1.0.0", "x.y"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda below: st.one_of(
        st.lists(below, max_size=3), st.dictionaries(st.text(max_size=5), below, max_size=3)
    ),
    max_leaves=8,
)
ODD = st.sampled_from(
    [10**400, -(10**4000), 2**63, "a\0b", "\ud800", "a" * 5000, b"x", object(), ("a",)]
)
ODD_KEYS = st.sampled_from(["a\0", "\ud800", "", "<<", 7, None, True, 1.5, ("a",), "a.b", "steps"])
JSON = st.recursive(
    st.one_of(SCALARS, SCALARS, ODD),
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(st.one_of(st.text(max_size=5), ODD_KEYS), below, max_size=3),
    ),
    max_leaves=8,
)
KEYWORDS = st.sampled_from(
    ["type", "properties", "items", "$ref", "$dynamicRef", "$defs", "allOf", "not", "enum", "$id",
     "$anchor", "$dynamicAnchor", "pattern", "then", "if", "dependentSchemas", "required"]
)  # fmt: skip
SCHEMAS = st.recursive(
    st.one_of(
        SCALARS, st.sampled_from(["object", "string", "#", "#/$defs/a", "#a", "https://x.test/y"])
    ),
    lambda below: st.one_of(
        st.dictionaries(st.one_of(KEYWORDS, st.just("a")), below, max_size=4),
        st.lists(below, max_size=2),
    ),
    max_leaves=12,
)


def shaped(level: Level) -> st.SearchStrategy[Any]:
    """Return mappings whose keys are mostly right and whose values are anything."""
    below: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(level.expected, JSON)
    below |= {key: shaped(each) for key, each in level.one.items()}
    below |= {key: st.lists(shaped(each), max_size=3) for key, each in level.many.items()}
    below |= {
        key: st.dictionaries(st.sampled_from(["test", "a"]), shaped(each), max_size=2)
        for key, each in level.named.items()
    }
    for key in below.keys() & {"schema", "input_schema", "result_schema"}:
        below[key] = SCHEMAS
    some = {
        key: st.one_of(value, value, JSON, SCHEMAS)
        for key, value in {**below, "unknown": JSON}.items()
    }
    return st.fixed_dictionaries({}, optional=some)


def dumped(data: Any) -> str:
    """Return data as YAML, also what no safe YAML can say."""
    return str(yaml.dump(data, allow_unicode=True))


TEXTS: dict[str, st.SearchStrategy[str | bytes]] = {
    "random": st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200),
        st.text("{}[]:-&*!?,|>%@ \na'\"#", max_size=80),
    ),
    "mutated": st.composite(mutated)(),
    "nested": st.composite(nested)(),
    "aliased": st.composite(aliased)(),
    "odd keys": st.composite(keyed)(),
    "dumped": shaped(TEMPLATE).map(dumped),
}
DATA: dict[str, st.SearchStrategy[Any]] = {
    "wrong types": shaped(TEMPLATE),
    "anything": JSON,
}
