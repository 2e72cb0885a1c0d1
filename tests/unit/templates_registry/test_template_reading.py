"""What YAML text becomes: scalars, keys, documents."""

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from templates_registry.errors import TemplateError
from templates_registry.schema import inspect_data, inspect_text, load_file, load_text
from templates_registry.schema.documents import UnreadableError, read_data
from templates_registry.schema.reading import read_documents


def read(text: str) -> Any:
    [document] = read_documents(text)
    assert document.findings == ()
    return document.data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", "a"),
        ("yes", True),
        ("Off", False),
        ("true", True),
        ("1", 1),
        ("-17", -17),
        ("+1", 1),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0b101", 5),
        ("010", 8),
        ("0", 0),
        ("08", "08"),
        ("1.10", 1.1),
        (".5", 0.5),
        ("-1.5e+3", -1500.0),
        ("1e3", "1e3"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z"),
        ("!!timestamp 2024-01-01", "2024-01-01"),
        ('"1"', "1"),
        ("'yes'", "yes"),
        ("! 12", "12"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("!!float 1", 1),
        ("!!bool yes", True),
        ("!!map {a: 1}", {"a": 1}),
        ("!!seq [1]", [1]),
        ("${HOME}", "${HOME}"),
        ("1.2.3", "1.2.3"),
        ("--", "--"),
        (".", "."),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("'🚀'", "🚀"),
    ],
)
def test_a_scalar_is_read(text: str, value: Any) -> None:
    found = read(f"key: {text}")

    assert found == {"key": value}
    assert type(found["key"]) is type(value)


def test_keys_keep_their_text() -> None:
    assert read("{on: 1, 2: 1, 1.10: 1, 2024-01-01: 1, null: 1, ~: 1, <<: {a: 1}}") == {
        "on": 1,
        "2": 1,
        "1.10": 1,
        "2024-01-01": 1,
        "null": 1,
        "~": 1,
        "<<": {"a": 1},
    }


@pytest.mark.parametrize("version", ["1.10", "2", "0x10", "2024-01-01", "1_0", ".5", "1e3"])
def test_a_version_keeps_its_text(version: str) -> None:
    assert read(f"version: {version}") == {"version": version}
    assert read("below:\n  version: 1.10") == {"below": {"version": 1.1}}


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    [document] = read_documents("\ufeffname: a".encode())

    assert document.data == {"name": "a"}


def test_a_file_may_hold_several_templates() -> None:
    text = dedent(
        """
        ---
        # nothing here
        ---
        {name: a, namespace: n, version: 1.0.0, steps: [{name: s, handler: x}]}
        ---
        {some: other, kind: of document}
        ---
        {name: b, namespace_name: n, version: 1.0.0}
        ...
        """
    )

    first, second = inspect_text(text, source="t.yaml")

    assert (str(first), first.source) == ("n/a@1.0.0", "t.yaml:4")
    assert first.report.valid
    assert (str(second), second.source) == ("n/b@1.0.0", "t.yaml:8")
    assert [f.code for f in second.report.findings if f.is_error] == ["MISSING_FIELD"]


@pytest.mark.parametrize("text", ["", "# only a comment", "---\n---\n", "a: 1\n---\nb: 2"])
def test_one_template_is_wanted(text: str) -> None:
    with pytest.raises(TemplateError, match="One template is wanted, 0 found"):
        load_text(text)


def test_an_unknown_mapping_is_a_template_when_a_single_one_is_asked_for() -> None:
    with pytest.raises(TemplateError) as caught:
        load_text("something: else")

    assert [f.path for f in caught.value.findings if f.is_error] == [
        "name",
        "namespace_name",
        "version",
        "steps",
    ]


def test_the_limit_of_bytes_counts_bytes() -> None:
    text = "# " + "é" * (2 * 1024 * 1024 - 10) + "\na: 1\n"

    assert read(text) == {"a": 1}
    with pytest.raises(UnreadableError):
        read_documents(text + "# " + "é" * 10)


def test_64_levels_are_allowed() -> None:
    assert read("a: " + "[" * 63 + "]" * 63)


def test_plain_data_is_looked_at_as_closely_as_yaml() -> None:
    data = {
        "nul": "a\0b",
        "surrogate": "\ud800",
        "number": float("nan"),
        "large": [10**400, -(10**5000)],
        "list": [object(), float("inf")],
        "fine": [1, 2.5, None, True, "é"],
        7: "key",
        -(10**5000): "key",
        "\ud800 key": 1,
        "k\0": 1,
    }

    document = read_data(data)

    assert sorted(f.path for f in document.findings) == [
        "(int)",
        "7",
        "\\ud800 key",
        "k\0",
        "large[0]",
        "large[1]",
        "list[0]",
        "list[1]",
        "nul",
        "number",
        "surrogate",
    ]
    assert document.data["fine"] == [1, 2.5, None, True, "é"]


def test_plain_data_that_is_nested_too_deep_is_refused() -> None:
    data: Any = 1
    for _ in range(100):
        data = [data]

    with pytest.raises(UnreadableError):
        read_data(data)
    assert [f.code for f in inspect_data(data).report.findings] == ["TOO_LARGE"]


def test_a_file_is_loaded_or_its_mistakes_are_told_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text("{name: a, namespace: n, version: 1.0.0, steps: [{name: s, handler: x}]}")
    assert str(load_file(file)) == "n/a@1.0.0"

    file.write_text("{name: a}")
    with pytest.raises(TemplateError, match=r"t\.yaml has 3 error"):
        load_file(file)
    with pytest.raises(TemplateError, match="cannot be read"):
        load_file(tmp_path / "absent.yaml")
    with pytest.raises(TemplateError, match="cannot be read"):
        load_file(tmp_path)
