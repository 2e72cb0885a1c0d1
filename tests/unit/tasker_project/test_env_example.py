"""`.env.example` says what the tables of settings say."""

from orchestration.configuration.example import DJANGO, env_example
from tasker_project import settings
from templates_registry.conf import table, tables
from tests.processes import PROJECT


def test_env_example_is_current():
    assert (PROJECT / ".env.example").read_text() == env_example(), "run `make env`"


def test_env_example_names_every_variable_of_django():
    assert set(DJANGO) == set(settings.env.scheme)


def test_env_example_names_every_setting_once():
    lines = env_example().splitlines()

    for source in tables():
        for row in table(source):
            assert sum(line.startswith(f"# {row.variables[0]}=") for line in lines) == 1
