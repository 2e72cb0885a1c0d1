"""Texts of a template stay text: in literals, docstrings and comments."""
# ruff: noqa: RUF001 - letters that look like others are what some tests are about

import ast
import io
import tokenize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workers.codegen.text import comment, docstring, literal, may_be_secret, pieces

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
EVIL = [
    '"""\nimport os\n"""',
    "\\",
    '"',
    '""',
    "'''\"\"\"",
    "\x00\x85\u2028\u2029\ufeff\u202e",
    "# noqa",
    "a\\\nb",
    "{x} %s \\N{DASH}",
]


def evil(function):
    """Try the worst texts known, besides what is found at random."""
    for text in EVIL:
        function = example(text)(function)
    return function


@evil
@given(TEXTS)
def test_a_literal_is_its_text_on_one_line(text):
    code = literal(text)

    assert ast.literal_eval(code) == text
    assert code.isprintable()


@evil
@given(TEXTS)
def test_pieces_join_to_the_text(text):
    assert ast.literal_eval("(" + "\n".join(pieces(text, width=30)) + ")") == text


@evil
@given(TEXTS)
def test_a_docstring_is_one_statement_and_says_the_same(text):
    code = "\n".join(["def f():", *docstring(text, indent=4, otherwise="Run it.")])

    [function] = ast.parse(code).body

    assert isinstance(function, ast.FunctionDef)
    said = " ".join((ast.get_docstring(function) or "").split())
    words = " ".join(text.split())
    if words.isprintable():
        assert said.removeprefix("Run it. ").rstrip(".") == (words or "Run it").rstrip(".")
    assert len(function.body) == 1


@evil
@given(TEXTS)
def test_a_comment_is_nothing_but_comments(text):
    lines = comment(text, indent=4)

    tokens = tokenize.generate_tokens(io.StringIO("\n".join([*lines, ""])).readline)

    assert {each.type for each in tokens} <= {tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER}
    assert all(line.startswith("    # ") for line in lines)


@pytest.mark.parametrize(
    "text", ["noqa", "type: ignore", "mypy: ignore-errors", "ruff: noqa", "fmt: off", "x # noqa"]
)
def test_no_tool_takes_a_comment_for_an_instruction(text):
    [line] = comment(text, indent=0)

    own = line.partition("  # noqa: ERA001")[0]
    assert own.startswith('# "')
    assert "#" not in own[1:]


@pytest.mark.parametrize("text", ["x = 1", "return", "import os", "print(x)"])
def test_a_comment_that_could_be_code_is_excused(text):
    assert comment(text, indent=0) == [f"# {text}  # noqa: ERA001, RUF100"]


def test_a_text_that_fits_no_line_gets_a_summary_and_a_body():
    assert docstring("word " * 20, indent=0, otherwise="Run it.") == [
        '"""Run it.',
        "",
        " ".join(["word"] * 17),
        "word word word.",
        '"""',
    ]
    assert docstring("Short. " + "word " * 20, indent=0, otherwise="Run it.")[0] == '"""Short.'


def test_letters_that_look_like_others_are_told_from_them():
    assert literal("größe 注文 – а") == '"größe 注文 \\u2013 \\u0430"'
    assert docstring("größe", indent=0, otherwise="") == ['"""größe."""']
    assert docstring("а – b", indent=0, otherwise="") == ['"""а – b."""  # noqa: RUF002, RUF100']


@pytest.mark.parametrize(
    ("name", "answer"),
    [("token", True), ("issue_token_result", True), ("pwd", True), ("tokens", False)],
)
def test_names_that_linters_take_for_secrets(name, answer):
    assert may_be_secret(name) is answer
