"""Layout of expressions: one line, or one item each with a comma behind the last."""

import ast

from hypothesis import given
from hypothesis import strategies as st

from workers.codegen.layout import Call, Group, Raw, show

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=100),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
)


@given(JSON)
def test_json_is_shown_as_a_python_literal(value):
    assert ast.literal_eval(f"({show(value)})") == value


def test_what_fits_stays_on_one_line():
    assert show(Call("f", [1, Raw("x")], {"a": {"b": []}})) == 'f(1, x, a={"b": []})'
    assert show(Group("(", ["a", "b"], ")")) == "(a, b)"


def test_what_does_not_fit_is_opened_where_it_must_be():
    text = show(Call("function", [Raw("x" * 40)], {"a": {"key": [1, 2]}, "b": "y" * 40}), indent=4)

    assert text.split("\n") == [
        "function(",
        f"        {'x' * 40},",
        '        a={"key": [1, 2]},',
        f'        b="{"y" * 40}",',
        "    )",
    ]


def test_columns_left_and_right_count():
    value = ["x" * 40, "y" * 35]  # 83 columns

    assert "\n" not in show(value, before=5)
    assert "\n" in show(value, before=6)
    assert "\n" in show(value, indent=3, before=2, after=1)


def test_a_note_opens_a_call():
    call = Call("f", keywords={"a": 1, "b": 2}, notes={"b": "  # why"})

    assert show(call) == "f(\n    a=1,\n    b=2,  # why\n)"


def test_a_long_text_is_cut_into_pieces():
    text = show({"key": "word " * 30})

    assert len(text.split("\n")) > 3
    assert max(map(len, text.split("\n"))) <= 88
