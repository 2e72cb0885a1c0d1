"""A setting that nothing reads would promise what nobody keeps."""

import re

import pytest

from templates_registry.conf import table, tables
from tests.processes import PROJECT

PACKAGES = ("tasker_project", "templates_registry", "orchestration", "workers")
READERS = [
    path
    for package in PACKAGES
    for path in (PROJECT / package).rglob("*.py")
    if path.name != "conf.py"
]
SOURCE = "\n".join(path.read_text() for path in READERS)


@pytest.mark.parametrize("key", [row.key for source in tables() for row in table(source)])
def test_setting_is_read_by_the_code(key):
    assert re.search(rf'(\.|\["){key}\b', SOURCE)
