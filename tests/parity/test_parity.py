"""Every public name of the published package is here, accepts the same calls, has the same fields.

The wheel is a development dependency where it exists. Its sources are read, never imported.
"""

import platform
import sys
from pathlib import Path

import pytest

from tests.parity.differences import ADDITIONS, INTENDED
from tests.parity.ours import Comparison
from tests.parity.published import DISTRIBUTION, ROOT, Package, installed
from workers import compat

HAS_WHEEL = sys.platform == "linux" and platform.machine() == "x86_64"
DOCTORED = """
class StepHandler(ABC):
    handler_version = "9.9"
    def call(self, context, urgency): ...
    def success(self, metadata=None, result=None): ...
    def failure(self, message, error_type="other"): ...
    def explode(self): ...
class ErrorType(str, Enum):
    TIMEOUT = "late"
def version(text): ...
class LogContext(BaseModel):
    colour: str | None = None
unknown = 1
"""


@pytest.fixture(scope="module")
def wheel():
    """Return the installed wheel; only where there is none for the platform may it be missing."""
    found = installed()
    if found is None and not HAS_WHEEL:
        pytest.skip(f"{DISTRIBUTION} has no wheel for this platform")
    assert found is not None, f"{DISTRIBUTION} is not installed; pip install it as dev.txt pins it"
    return found


def test_every_published_name_signature_and_field_is_here(wheel, capsys):
    found = Comparison(Package.of_wheel(wheel)).run()

    with capsys.disabled():
        counted = ", ".join(f"{count} {what}" for what, count in found.counts.items())
        print(f"\n{DISTRIBUTION} {wheel.version} compared: {counted}")  # noqa: T201
        print(f"meant to differ: {sorted(INTENDED)}; additions: {sorted(ADDITIONS)}")  # noqa: T201
    assert wheel.version == compat.COMPAT_VERSION
    assert found.counts["modules"] == 40
    assert found.counts["names"] > 300
    assert found.counts["parameters"] > 600
    assert found.differences == {**INTENDED, **ADDITIONS}


def test_nothing_of_the_wheel_is_imported(wheel):
    folder = Path(str(wheel.locate_file(ROOT)))

    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]

    assert not [file for file in files if file and folder in Path(file).parents]
    assert isinstance(sys.modules[f"{ROOT}._tasker_core"], compat.PublishedModule)


def test_a_change_of_the_package_would_be_noticed():
    found = Comparison(Package({ROOT: DOCTORED})).run()

    assert found.differences == {
        "tasker_core.StepHandler.handler_version": "is '1.0.0', not '9.9'",
        "tasker_core.StepHandler.call(urgency)": "is not accepted",
        "tasker_core.StepHandler.success(metadata)": "has another place",
        "tasker_core.StepHandler.success(result)": "has another place",
        "tasker_core.StepHandler.failure(error_type)": "is by default <ErrorType.HANDLER_ERROR: "
        "'handler_error'>, not 'other'",
        "tasker_core.StepHandler.explode": "is missing",
        "tasker_core.ErrorType.TIMEOUT": "is 'timeout', not 'late'",
        "tasker_core.version(text)": "is not accepted",
        "tasker_core.LogContext.colour": "is no field",
        "tasker_core.LogContext()(colour)": "is not accepted",
        **{
            f"tasker_core.LogContext.{name}": "is an additional field"
            for name in ["correlation_id", "namespace", "operation", "step_uuid", "task_uuid"]
        },
        "tasker_core.unknown": "is missing: module 'tasker_core' has no attribute 'unknown'",
    }
