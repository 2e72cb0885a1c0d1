"""The compose file, the images and the monitoring fit together, and fit Tasker.

`docker compose config` has the last word where there is a docker with compose; what can be said
without one is said here in any case.
"""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from orchestration import metrics
from orchestration.configuration.example import DJANGO
from templates_registry.conf import table, tables
from tests.images import stages
from tests.processes import PROJECT

DOCKER = PROJECT / "docker"
TEXT = (DOCKER / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "server", "orchestrator", "worker")
OF_ENTRYPOINT = frozenset({"RUN_MIGRATIONS", "PORT", "DEPLOYMENT_MODE"})
ALL = (".yaml", ".json")
USED = re.compile(r"\$\{([A-Z_]+)")
SETTINGS = {name for each in tables() for row in table(each) for name in row.variables}


def variables_of(text: str) -> set[str]:
    """Return the variables of an env file, those behind a comment sign too."""
    return set(re.findall(r"^(?:# )?([A-Z_]+)=", text, re.MULTILINE))


def test_profiles_are_what_the_readme_starts():
    profiles = {name: tuple(each.get("profiles", ())) for name, each in SERVICES.items()}

    assert profiles == {
        "postgres": (),
        **dict.fromkeys(OURS, ("server",)),
        **dict.fromkeys(("prometheus", "grafana"), ("monitoring",)),
    }


def test_each_service_runs_a_role_after_what_it_needs():
    assert [SERVICES[name]["command"] for name in OURS] == [
        *(["migrate"], ["web"], ["orchestrator"], ["worker"])
    ]
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in OURS[1:]:
        needed = SERVICES[name]["depends_on"]
        assert needed == {"migrate": {"condition": "service_completed_successfully"}}
        assert SERVICES[name]["environment"]["RUN_MIGRATIONS"] == "false"
    assert SERVICES["migrate"]["restart"] == "no"


def test_nothing_is_published_beyond_loopback_unless_the_env_file_says_so():
    published = [port for each in SERVICES.values() for port in each.get("ports", ())]

    assert len(published) == 4
    for port in published:
        assert port.startswith(("127.0.0.1:", "${BIND_ADDRESS:-127.0.0.1}:")), port
    assert "ports" not in SERVICES["worker"]  # or there could be only one


def test_containers_run_without_rights_on_a_root_that_is_read_only():
    for name in OURS:
        service = SERVICES[name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - of the container
    users = [step.rest for step in stages(DOCKER / "Dockerfile")[-1] if step.word == "USER"]
    assert users == ["10001"]


def test_every_variable_has_a_meaning_and_a_default():
    explained = variables_of((DOCKER / "env.example").read_text())
    versions = {name for name in USED.findall(TEXT) if name.endswith(("_VERSION", "_TAG"))}
    ports = {"POSTGRES_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT"}

    assert set(USED.findall(TEXT)) <= explained | versions | ports
    assert set(USED.findall(TEXT)) == set(re.findall(r"\$\{([A-Z_]+):-", TEXT))
    assert explained <= SETTINGS | set(DJANGO) | set(USED.findall(TEXT))
    for service in OURS:
        names = set(SERVICES[service]["environment"])
        assert names <= SETTINGS | set(DJANGO) | OF_ENTRYPOINT, service


def test_every_file_that_is_mounted_or_built_from_is_there():
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            known = (DOCKER / source).exists() if source[0] == "." else source in COMPOSE["volumes"]
            assert known, (name, volume)
        if build := service.get("build"):
            assert (DOCKER / build["context"] / build["dockerfile"]).is_file(), name


@pytest.mark.parametrize("dockerfile", ["Dockerfile", "postgres/Dockerfile"])
def test_everything_that_is_copied_reaches_the_builder(dockerfile):
    allowed = [
        line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line[0] == "!"
    ]
    steps = [step for stage in stages(DOCKER / dockerfile) for step in stage]

    for source in (path for step in steps if step.word == "COPY" for path in step.paths()[0]):
        assert (PROJECT / source).exists(), source
        assert any(source.rstrip("/") == a or source.startswith(f"{a}/") for a in allowed), source


def metric_names(expressions: list[str]) -> set[str]:
    return {name for each in expressions for name in re.findall(r"\btasker_[a-z_]+", each)}


def test_dashboard_and_alerts_are_what_prometheus_and_grafana_read():
    monitoring = DOCKER / "monitoring"
    [group] = yaml.safe_load((monitoring / "alerts.yaml").read_text())["groups"]
    dashboard = json.loads((monitoring / "grafana/dashboards/tasker.json").read_text())
    scraped = yaml.safe_load((monitoring / "prometheus.yaml").read_text())["scrape_configs"]

    assert len(group["rules"]) == 7
    assert all(rule["annotations"]["summary"] for rule in group["rules"])
    targets = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    expressions = [*targets, *(rule["expr"] for rule in group["rules"])]
    assert all(metric_names([each]) for each in expressions)
    for each in expressions:
        assert each.count("(") == each.count(")"), each
    names = {name for each in scraped[0]["dns_sd_configs"] for name in each["names"]}
    assert names == set(OURS) - {"migrate"}


def test_dashboard_and_alerts_ask_for_metrics_that_there_are():
    known = {each.exposed_name: set(each.labels) for each in metrics.instruments.values()}
    monitoring = DOCKER / "monitoring"
    texts = [path.read_text() for path in monitoring.rglob("*.*") if path.suffix in ALL]

    for name in metric_names(texts):
        assert re.sub("_(bucket|sum|count)$", "", name) in known, name
    for name, labels in re.findall(r"\b(tasker_[a-z_]+)\{([^}]+)\}", "\n".join(texts)):
        assert set(re.findall(r"(\w+)=", labels)) <= known[name], name


def test_docker_compose_accepts_the_file():
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], check=False).returncode:
        pytest.skip("there is no docker with compose")
    command = [docker, "compose", "--profile", "server", "--profile", "monitoring", "config"]

    subprocess.run([*command, "--quiet"], cwd=DOCKER, check=True)
