"""What a template gives a handler as `initialization` against the handler's `config_schema`."""

import pytest

from workers import StepHandler
from workers.registry import HandlerDefinition, MethodDispatchWrapper, initialization_problem

SCHEMA = {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]}


def handler(schema):
    class Asking(StepHandler):
        def call(self, context):
            """Is not called here."""

        def config_schema(self):
            if isinstance(schema, Exception):
                raise schema
            return schema

    return Asking()


def problem(schema, initialization, found=None):
    definition = HandlerDefinition("shop.ask", initialization=initialization)
    return initialization_problem(found or handler(schema), definition)


@pytest.mark.parametrize(("schema", "given"), [(None, {"x": 1}), (SCHEMA, {"size": 1, "x": 2})])
def test_what_fits_or_is_not_asked_for_is_no_problem(schema, given):
    assert problem(schema, given) is None
    assert problem(None, {}, found=object()) is None


@pytest.mark.parametrize("given", [{}, {"size": "large"}])
def test_what_does_not_fit_is_said(given):
    assert "shop.ask does not fit its handler: $" in problem(SCHEMA, given)
    wrapped = MethodDispatchWrapper(handler(SCHEMA), "config_schema")
    assert problem(SCHEMA, given, found=wrapped) is not None


@pytest.mark.parametrize("schema", [ValueError("odd"), {"type": "no such type"}])
def test_a_schema_that_cannot_be_used_is_said_too(schema):
    assert "cannot be used" in problem(schema, {"size": 1})
