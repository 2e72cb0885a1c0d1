"""`HandlerRegistry`: registering, looking up, and discovery of every source."""

import logging
import sys
import textwrap

import pytest
from django.apps import AppConfig, apps

from workers import HandlerDefinition, HandlerRegistry, StepHandler, checks, signals
from workers.context import HandlerWrapper
from workers.registry import BaseResolver


class Pay(StepHandler):
    handler_name = "shop.pay"

    def call(self, context):
        return {"who": "pay"}


class OtherPay(Pay):
    pass


class FixedResolver(BaseResolver):
    name = "fixed"

    def can_resolve(self, definition, config=None):
        return definition.callable == "fixed:thing"

    def resolve(self, definition, config=None):
        return Pay()


@pytest.fixture
def registry():
    return HandlerRegistry()


@pytest.fixture
def fresh_instance():
    """Let the test discover anew, and everybody after it as well."""
    HandlerRegistry.reset_instance()
    yield
    HandlerRegistry.reset_instance()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return `write(path, text)` of modules below a temporary folder on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def write(path, text=""):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text))

    yield write
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(
            sys.modules[name].__file__
        ):
            del sys.modules[name]


HANDLERS = """
    from workers import StepHandler, step_handler

    class Named(StepHandler):
        handler_name = "{prefix}.named"
        def call(self, context):
            return None

    class Nameless(StepHandler):
        def call(self, context):
            return None

    @step_handler("{prefix}.decorated")
    def decorated():
        return None
"""


# --- registering and looking up


def test_a_registered_class_is_found_by_its_name(registry):
    registry.register("shop.pay", Pay)

    assert registry.is_registered("shop.pay")
    assert registry.get_handler_class("shop.pay") is Pay
    assert isinstance(registry.resolve("shop.pay"), Pay)
    assert isinstance(registry.resolve(HandlerDefinition("shop.pay")), Pay)
    assert isinstance(registry.resolve(HandlerWrapper("shop.pay")), Pay)
    assert registry.list_handlers() == ["shop.pay"]
    assert registry.handler_count() == 1


def test_an_unknown_name_is_none(registry, caplog):
    assert registry.resolve("shop.absent") is None
    assert registry.resolve(HandlerDefinition("x", resolver="absent")) is None
    assert registry.get_handler_class("shop.absent") is None
    assert not registry.is_registered("shop.absent")
    assert [each.msg for each in caplog.records] == ["handler.unresolved", "handler.unresolved"]


@pytest.mark.parametrize("thing", [object(), int, "text", lambda: None])
def test_only_handler_classes_are_registered(registry, thing):
    with pytest.raises(ValueError, match="not a StepHandler subclass"):
        registry.register("x", thing)


def test_a_handler_may_be_forgotten(registry):
    registry.register("shop.pay", Pay)

    assert registry.unregister("shop.pay") is True
    assert registry.unregister("shop.pay") is False
    registry.register("shop.pay", Pay)
    registry.clear()
    assert registry.handler_count() == 0


def test_a_later_registration_replaces_an_earlier_one_with_a_warning(registry, caplog):
    registry.register("shop.pay", Pay)
    registry.register("shop.pay", Pay)
    assert caplog.records == []

    registry.register("shop.pay", OtherPay)

    assert registry.get_handler_class("shop.pay") is OtherPay
    (record,) = caplog.records
    assert (record.levelno, record.msg) == (logging.WARNING, "handler.replaced")


def test_each_registration_is_signalled(registry):
    seen = []

    def receive(name, handler_class, **rest):
        seen.append((name, handler_class))

    signals.handler_registered.connect(receive)
    try:
        registry.register("shop.pay", Pay)
    finally:
        signals.handler_registered.disconnect(receive)

    assert seen == [("shop.pay", Pay)]


# --- discovery


def test_a_package_is_imported_and_scanned_recursively(registry, package):
    package("shoppkg/__init__.py", HANDLERS.format(prefix="top"))
    package("shoppkg/sub/__init__.py")
    package("shoppkg/sub/deep.py", HANDLERS.format(prefix="deep"))
    package("shoppkg/__main__.py", "raise SystemExit(1)")

    assert registry.discover_handlers("shoppkg") == 4
    assert registry.list_handlers() == [
        "deep.decorated",
        "deep.named",
        "top.decorated",
        "top.named",
    ]
    assert registry.discover_handlers("shoppkg") == 0
    assert registry.template_discovery_info()["sources"] == {"shoppkg": 4}


def test_only_subclasses_of_a_base_are_taken_when_one_is_given(registry, package):
    package("shoppkg.py", HANDLERS.format(prefix="a"))

    assert registry.discover_handlers("shoppkg", base_class=Pay) == 0


def test_a_module_that_does_not_import_is_noted_and_the_rest_goes_on(registry, package, caplog):
    package("shoppkg/__init__.py")
    package("shoppkg/bad.py", "import absent_module_x")
    package("shoppkg/good.py", HANDLERS.format(prefix="good"))

    assert registry.discover_handlers("shoppkg") == 2
    assert "absent_module_x" in registry.import_failures["shoppkg.bad"]
    assert caplog.records[0].msg == "handler.import_failed"


def test_a_package_that_does_not_import_gives_nothing(registry):
    assert registry.discover_handlers("absent_package_x") == 0


def test_a_lazy_object_in_a_module_is_not_woken_by_the_scan(registry, package):
    package(
        "shoppkg.py",
        """
        from django.utils.functional import SimpleLazyObject

        def fail():
            raise AssertionError("woken")

        lazy = SimpleLazyObject(fail)
        """,
    )

    assert registry.discover_handlers("shoppkg") == 0
    assert registry.import_failures == {}


@pytest.fixture
def app(package, monkeypatch):
    """Return `install(text)`: an app whose step_handlers is a package with one module in it."""

    def install(text, module="step_handlers/__init__.py"):
        package("shopapp/__init__.py")
        package(f"shopapp/{module}", text)
        config = AppConfig.create("shopapp")
        real = list(apps.get_app_configs())
        monkeypatch.setattr(apps, "get_app_configs", lambda: [*real, config])

    return install


def test_all_sources_are_discovered_on_first_access(
    app, package, settings, tmp_path, monkeypatch, fresh_instance
):
    app(HANDLERS.format(prefix="app"))
    package("shopapp/step_handlers/more.py", HANDLERS.format(prefix="more"))
    package("shoppkg.py", HANDLERS.format(prefix="pkg"))
    package("folder/foldermod.py", HANDLERS.format(prefix="folder"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("PYTHON_HANDLER_PATH", str(tmp_path / "folder"))
    settings.TASKER = {
        **settings.TASKER,
        "handler_packages": ["shoppkg"],
        "load_examples": True,
        "resolvers": [f"{__name__}.FixedResolver"],
    }

    registry = HandlerRegistry.instance()

    names = set(registry.list_handlers())
    assert {"app.named", "app.decorated", "more.named", "pkg.named", "folder.decorated"} <= names
    assert "order_fulfillment.validate_order" in names
    assert isinstance(registry.resolve("fixed:thing"), Pay)
    assert registry.bootstrap_handlers() == 0
    assert HandlerRegistry.instance() is registry
    HandlerRegistry.reset_instance()
    assert set(HandlerRegistry.instance().list_handlers()) == names


def test_examples_are_left_out_when_they_are_switched_off(settings, fresh_instance):
    settings.TASKER = {**settings.TASKER, "load_examples": False}

    names = HandlerRegistry.instance().list_handlers()

    assert not [name for name in names if name.startswith("order_fulfillment.")]


def test_the_registry_is_empty_while_apps_get_ready(monkeypatch, fresh_instance):
    monkeypatch.setattr(apps, "ready", False)
    assert HandlerRegistry.instance().handler_count() == 0

    monkeypatch.setattr(apps, "ready", True)
    assert HandlerRegistry.instance().handler_count() > 0


def test_bootstrap_may_be_skipped(fresh_instance):
    assert HandlerRegistry.instance(skip_bootstrap=True).handler_count() == 0


def test_a_broken_app_stops_the_worker_each_time_and_warns_in_the_checks(app, fresh_instance):
    app("raise RuntimeError('broken handlers')")

    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken handlers"):
            HandlerRegistry.instance()
    (warning,) = checks.check_handlers()
    assert warning.id == "workers.W102"
    assert "broken handlers" in warning.msg


def test_two_handlers_under_one_name_are_a_system_check_error(
    app, package, settings, fresh_instance
):
    app(HANDLERS.format(prefix="same"))
    package("shoppkg.py", HANDLERS.format(prefix="same"))
    package("shopagain.py", "from shoppkg import Named, decorated")
    package("shopbad.py", "import absent_module_x")
    settings.TASKER = {
        **settings.TASKER,
        "handler_packages": ["shoppkg", "shopagain", "shopbad"],
    }

    found = checks.check_handlers()

    errors = [each for each in found if each.id == "workers.E101"]
    assert len(errors) >= 2
    assert any("'same.named'" in each.msg and "shoppkg.Named" in each.msg for each in errors)
    assert [each.id for each in found if each not in errors] == ["workers.W102"]


def test_the_shipped_handlers_have_no_conflicts(fresh_instance):
    assert checks.check_handlers() == []
