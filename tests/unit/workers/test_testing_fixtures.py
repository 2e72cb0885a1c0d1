"""The plugin for pytest: what a test registers is gone with it."""

import pytest

import workers.testing
from workers import HandlerRegistry, StepHandler


class Nothing(StepHandler):
    def call(self, context):
        return {}


def test_a_registry_of_its_own_knows_what_discovery_finds(isolated_registry):
    assert HandlerRegistry.instance() is isolated_registry
    assert isolated_registry.is_registered("accounts.create_account")


@pytest.mark.parametrize("name", ["tea.one", "tea.other"])
def test_what_a_test_registers_does_not_reach_the_next_one(isolated_registry, name):
    assert not {"tea.one", "tea.other"} & set(isolated_registry.list_handlers())
    isolated_registry.register(name, Nothing)


def test_the_registry_is_as_before_after_a_test_that_used_its_own():
    assert not HandlerRegistry.instance().is_registered("tea.one")


def test_every_tool_is_exported():
    for name in workers.testing.__all__:
        assert getattr(workers.testing, name) is not None
    with pytest.raises(AttributeError, match="no_such_tool"):
        workers.testing.no_such_tool  # noqa: B018
