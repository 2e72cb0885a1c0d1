"""Resolvers and their chain: who answers, in which order, and what is said when nobody does."""

import re
import sys
from types import ModuleType

import pytest

from workers import (
    BaseResolver,
    ClassLookupResolver,
    DottedPathResolver,
    ExplicitMappingResolver,
    HandlerDefinition,
    MethodDispatchWrapper,
    RegistryResolver,
    ResolverChain,
    ResolverNotFoundError,
    StepContext,
    StepHandler,
    step_handler,
)
from workers.registry import HandlerNotFoundError, MethodNotFoundError


class Plain(StepHandler):
    def call(self, context):
        return {"who": "plain"}

    def refund(self, context):
        return {"who": "refund"}

    not_a_method = 5


class Configured(StepHandler):
    def __init__(self, config):
        self.config = config

    def call(self, context):
        return self.config


class Broken(StepHandler):
    def __init__(self):
        raise RuntimeError("no luck")

    def call(self, context):
        return None


class WithoutCall:
    pass


@step_handler("decorated.name")
def decorated():
    return {"who": "decorated"}


def plain_function(context):
    return {"who": context.step_name}


instance = Plain()
number = 5


@pytest.fixture(autouse=True)
def module(monkeypatch):
    """Make this module importable as `shopmod.handlers`, whatever pytest calls it."""
    package, module = ModuleType("shopmod"), ModuleType("shopmod.handlers")
    package.__path__ = []
    vars(module).update(
        {name: value for name, value in globals().items() if not name.startswith("__")}
    )
    monkeypatch.setitem(sys.modules, "shopmod", package)
    monkeypatch.setitem(sys.modules, "shopmod.handlers", module)


@pytest.fixture
def chain():
    return ResolverChain.default().add_resolver(DottedPathResolver())


def called(handler):
    return handler.call(StepContext(step_name="s"))


# --- definitions


@pytest.mark.parametrize(
    ("definition", "method", "dispatched", "hinted"),
    [
        (HandlerDefinition.from_callable("a.b"), "call", False, False),
        (HandlerDefinition("a", handler_method="call"), "call", False, False),
        (HandlerDefinition("a", handler_method="refund"), "refund", True, False),
        (HandlerDefinition.from_dict({"callable": "a", "method": "m"}), "m", True, False),
        (HandlerDefinition.from_dict({"callable": "a", "resolver": "r"}), "call", False, True),
    ],
)
def test_a_definition_says_method_and_hint(definition, method, dispatched, hinted):
    assert definition.effective_method() == method
    assert definition.uses_method_dispatch() is dispatched
    assert definition.has_resolver_hint() is hinted


# --- the explicit mapping


@pytest.mark.parametrize(
    ("handler", "who"),
    [
        (Plain, "plain"),
        (instance, "plain"),
        (decorated, "decorated"),
        (lambda config: Plain(), "plain"),
    ],
)
def test_the_explicit_mapping_takes_classes_objects_functions_and_factories(chain, handler, who):
    chain.register("key", handler)

    found = chain.resolve(HandlerDefinition("key"))
    result = called(found)
    assert (result if isinstance(result, dict) else result.result) == {"who": who}


def test_a_class_gives_a_new_instance_each_time_and_an_object_itself(chain):
    chain.register("class", Plain)
    chain.register("object", instance)

    definition = HandlerDefinition("class")
    assert chain.resolve(definition) is not chain.resolve(definition)
    assert chain.resolve(HandlerDefinition("object")) is instance


@pytest.mark.parametrize("handler", [Configured, lambda config: Configured(config)])
def test_the_configuration_reaches_constructor_and_factory(chain, handler):
    chain.register("key", handler)

    found = chain.resolve(HandlerDefinition("key"), {"a": 1})

    assert found.config == {"a": 1}


def test_a_constructor_that_refuses_both_forms_names_its_first_refusal(chain):
    class Picky(StepHandler):
        def __init__(self, one, two):
            pass

        def call(self, context):
            return None

    chain.register("key", Picky)

    with pytest.raises(HandlerNotFoundError, match="missing 2 required positional arguments"):
        chain.locate(HandlerDefinition("key"))


def test_a_constructor_that_fails_counts_as_unresolved(chain):
    chain.register("key", Broken)

    assert chain.resolve(HandlerDefinition("key")) is None
    with pytest.raises(HandlerNotFoundError, match="RuntimeError: no luck"):
        chain.locate(HandlerDefinition("key"))


# --- looking up by path


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("shopmod.handlers.Plain", "plain"),
        ("shopmod.handlers.decorated", "decorated"),
        ("shopmod.handlers.instance", "plain"),
        ("shopmod.handlers.plain_function", "s"),
    ],
)
def test_paths_are_imported(chain, path, who):
    result = called(chain.resolve(HandlerDefinition(path)))

    assert (result if isinstance(result, dict) else result.result) == {"who": who}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("shopmod.handlers.Absent", "AttributeError"),
        ("absent_module.Thing", "ModuleNotFoundError"),
        ("absent_module.thing", "ModuleNotFoundError"),
        ("shopmod.handlers.WithoutCall", "has no method call"),
        ("shopmod.handlers.number", "is not callable"),
        ("shopmod.handlers.Broken", "no luck"),
    ],
)
def test_a_path_that_leads_nowhere_says_why(chain, path, why):
    assert chain.resolve(HandlerDefinition(path)) is None
    with pytest.raises(HandlerNotFoundError, match=re.escape(why)):
        chain.locate(HandlerDefinition(path))


def test_a_capitalised_name_that_is_no_class_is_refused(chain, monkeypatch):
    monkeypatch.setattr(sys.modules["shopmod.handlers"], "Upper", 5, raising=False)

    with pytest.raises(HandlerNotFoundError, match="is not a class"):
        chain.locate(HandlerDefinition("shopmod.handlers.Upper"))


@pytest.mark.parametrize(
    ("text", "by_class", "by_path"),
    [
        ("a.b.Name", True, False),
        ("a.Name", True, False),
        ("Name", False, False),
        ("a.b.name", False, True),
        ("name", False, False),
        ("a.b.name-with-dash", False, False),
        ("a..name", False, False),
    ],
)
def test_the_last_part_decides_who_is_responsible(text, by_class, by_path):
    definition = HandlerDefinition(text)

    assert ClassLookupResolver().can_resolve(definition) is by_class
    assert DottedPathResolver().can_resolve(definition) is by_path


def test_own_resolvers_return_none_on_any_failure():
    assert ClassLookupResolver().resolve(HandlerDefinition("absent.Thing")) is None
    assert DottedPathResolver().resolve(HandlerDefinition("absent.thing")) is None
    assert ExplicitMappingResolver().resolve(HandlerDefinition("absent")) is None


# --- methods


def test_another_method_is_dispatched(chain):
    chain.register("key", Plain)

    wrapper = chain.resolve(HandlerDefinition("key", handler_method="refund"))

    assert isinstance(wrapper, MethodDispatchWrapper)
    assert called(wrapper) == {"who": "refund"}
    assert wrapper.target_method == "refund"
    assert isinstance(wrapper.unwrap(), Plain)
    assert wrapper.handler is wrapper.unwrap()
    assert wrapper.handler_version == "1.0.0"


@pytest.mark.parametrize("method", ["absent", "not_a_method"])
def test_a_missing_method_leaves_the_step_unresolved(chain, method):
    chain.register("key", Plain)
    definition = HandlerDefinition("key", handler_method=method)

    assert chain.resolve(definition) is None
    with pytest.raises(MethodNotFoundError, match=f"no method '{method}'"):
        chain.locate(definition)
    with pytest.raises(AttributeError):
        MethodDispatchWrapper(Plain(), method)


# --- the chain


class Prefixed(RegistryResolver):
    _name = "prefixed"
    _priority = 20
    prefix = "pre:"

    def resolve_handler(self, definition, config):
        return Plain() if definition.callable != "pre:none" else None


class Patterned(RegistryResolver):
    pattern = r"v\d+:"

    def resolve_handler(self, definition, config):
        match = self._match_pattern(definition.callable)
        return Configured({"match": match and match.group()})


def test_the_default_chain_is_the_published_one():
    chain = ResolverChain.default()

    assert chain.list_resolvers() == [("explicit_mapping", 10), ("class_lookup", 100)]
    assert len(chain) == 2


def test_resolvers_are_kept_by_priority_and_in_order_of_adding(chain):
    class Second(Prefixed):
        _name = "second"

    assert chain.add_resolver(Prefixed()) is chain
    chain.add_resolver(Second()).add_resolver(Patterned())

    assert chain.resolver_names == [
        "explicit_mapping",
        "prefixed",
        "second",
        "custom_resolver",
        "class_lookup",
        "dotted_path",
    ]
    assert chain.remove_resolver("second") is True
    assert chain.remove_resolver("second") is False
    assert chain.get_resolver("second") is None
    assert isinstance(chain.get_resolver("prefixed"), Prefixed)


def test_the_first_resolver_that_returns_something_wins(chain):
    chain.add_resolver(Prefixed())
    chain.register("pre:known", instance)

    assert chain.resolve(HandlerDefinition("pre:known")) is instance
    assert isinstance(chain.resolve(HandlerDefinition("pre:other")), Plain)
    assert chain.resolve(HandlerDefinition("pre:none")) is None


def test_a_pattern_is_matched_from_the_start(chain):
    chain.add_resolver(Patterned())

    assert chain.resolve(HandlerDefinition("v12:x")).config == {"match": "v12:"}
    assert chain.resolve(HandlerDefinition("x:v12:")) is None


def test_a_registry_resolver_without_anything_takes_nothing():
    resolver = RegistryResolver()

    assert not resolver.can_resolve(HandlerDefinition("x"))
    assert resolver._match_pattern("x") is None
    with pytest.raises(NotImplementedError):
        resolver.resolve(HandlerDefinition("x"))


def test_a_custom_resolver_has_priority_fifty_by_default():
    class Own(BaseResolver):
        name = "own"

        def can_resolve(self, definition, config=None):
            return True

        def resolve(self, definition, config=None):
            return instance

    chain = ResolverChain().add_resolver(Own())

    assert chain.list_resolvers() == [("own", 50)]
    assert chain.registered_callables() == []
    assert chain.resolve(HandlerDefinition("anything")) is instance


def test_a_hint_asks_only_that_resolver(chain):
    chain.register("pre:x", instance)
    chain.add_resolver(Prefixed())
    hinted = HandlerDefinition("pre:x", resolver="prefixed")

    assert chain.resolve(hinted) is not instance
    assert chain.can_resolve(hinted)
    with pytest.raises(HandlerNotFoundError, match="only resolver 'prefixed' was allowed"):
        chain.locate(HandlerDefinition("pre:none", resolver="prefixed"))


def test_an_unknown_hint_is_an_error_of_its_own(chain):
    definition = HandlerDefinition("x", resolver="absent")

    assert not chain.can_resolve(definition)
    with pytest.raises(ResolverNotFoundError, match="resolver 'absent' does not exist"):
        chain.resolve(definition)


def test_what_was_tried_and_similar_names_are_said(chain):
    for name in ("shop.payment", "shop.payments", "shop.pay", "other"):
        chain.register(name, Plain)

    with pytest.raises(HandlerNotFoundError) as found:
        chain.locate(HandlerDefinition("shop.paymnt"))

    text = str(found.value)
    assert text.startswith("Handler not found: shop.paymnt (tried explicit_mapping, class_lookup,")
    assert "similar names: shop.payment, shop.payments, shop.pay" in text


def test_an_empty_chain_says_so():
    with pytest.raises(HandlerNotFoundError, match="no resolver"):
        ResolverChain().locate(HandlerDefinition("x"))
    with pytest.raises(RuntimeError, match="explicit_mapping"):
        ResolverChain().register("x", Plain)


def test_the_chain_tells_what_it_knows(chain):
    chain.register("key", Plain)

    assert chain.registered_callables() == ["key"]
    assert chain.chain_info()[0] == {
        "name": "explicit_mapping",
        "priority": 10,
        "resolver_class": "ExplicitMappingResolver",
        "callables": ["key"],
    }
    assert chain.can_resolve(HandlerDefinition("key"))
    assert not chain.can_resolve(HandlerDefinition("other"))
