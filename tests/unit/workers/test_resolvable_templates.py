"""`assert_resolvable`: templates by object, path and text; handlers, methods and resolvers."""

import pytest

from orchestration.testing import decision, linear, shape
from templates_registry.errors import TemplateError
from workers import StepHandler
from workers.testing import assert_resolvable

TEXT = """
name: brew
namespace_name: tea
version: 1.0.0
steps:
  - {name: boil, handler: tea.boil}
  - {name: pour, handler: tea.pour, dependencies: [boil]}
"""


class Boil(StepHandler):
    def call(self, context):
        return {}


@pytest.mark.parametrize("template", [linear(2), decision(2)])
def test_shapes_resolve_to_the_built_in_handlers(template):
    assert_resolvable(template)


def test_every_step_that_does_not_resolve_is_named(isolated_registry):
    isolated_registry.register("tea.boil", Boil)

    with pytest.raises(AssertionError, match=r"tea/brew@1.0.0 do not resolve") as caught:
        assert_resolvable(TEXT)

    assert "step 'pour'" in str(caught.value)
    assert "boil'" not in str(caught.value)


def test_a_template_resolves_once_its_handlers_are_there(isolated_registry, tmp_path):
    isolated_registry.register("tea.boil", Boil)
    isolated_registry.register("tea.pour", Boil)
    path = tmp_path / "brew.yaml"
    path.write_text(TEXT)

    assert_resolvable(path)
    assert_resolvable(str(path))


@pytest.mark.parametrize(
    ("handler", "why"),
    [
        ({"callable": "tea.boil", "method": "scald"}, "no method 'scald'"),
        ({"callable": "tea.boil", "resolver": "magic"}, "resolver 'magic' does not exist"),
    ],
)
def test_methods_and_resolvers_count(isolated_registry, handler, why):
    isolated_registry.register("tea.boil", Boil)
    template = shape("brew", {"boil": []}, steps={"boil": {"handler": handler}})

    with pytest.raises(AssertionError, match=why):
        assert_resolvable(template)


def test_a_template_with_errors_raises_its_findings(tmp_path):
    with pytest.raises(TemplateError, match="MISSING_DEP_REF"):
        assert_resolvable(TEXT.replace("[boil]", "[broil]"))
    with pytest.raises(TemplateError, match="cannot be read"):
        assert_resolvable(tmp_path / "nothing.yaml")
