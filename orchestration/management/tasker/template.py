"""Templates: list, look at one, register what files contain, check files."""

import json
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser

from orchestration.api.template_bodies import template_body, templates_body
from orchestration.errors import InvalidRequestError, NotFoundError
from orchestration.management.tasker.verb import Answer, Exit, Verb
from orchestration.queries.scope import EVERYTHING
from orchestration.queries.templates import find_namespaces, find_template, find_versions
from templates_registry import registry
from templates_registry.registry import SyncReport, TemplateName

LISTED = ("namespace", "name", "version", "step_count", "description")
STEPS = ("name", "default_max_attempts", "default_retryable", "description")


def _namespace_argument(parser: CommandParser) -> None:
    parser.add_argument("-n", "--namespace", help="this namespace only")


def list_templates(options: dict[str, Any]) -> Answer:
    """List the templates that tasks can be made from."""
    namespace = options["namespace"]
    lines = find_versions(EVERYTHING, namespace=namespace)
    active = [each for each in lines if each.retired_at is None]
    body = templates_body(find_namespaces(EVERYTHING, namespace=namespace), active)
    notes = [] if active else ["No template is registered; see sync_templates."]
    return Answer(body=body, table=body["templates"], columns=LISTED, notes=notes)


def _name_argument(parser: CommandParser) -> None:
    parser.add_argument("name", metavar="NS/NAME[:VER]", help="without a version the latest one")


def info(options: dict[str, Any]) -> Answer:
    """Show one version of a template."""
    name = registry.parse_name(options["name"])
    if name is None:
        raise InvalidRequestError(f"'{options['name']}' is no template like shop/order:1.0.0")
    version = name.version or _latest(name)
    found = find_template(name.namespace, name.name, version, EVERYTHING) if version else None
    if found is None:
        raise NotFoundError(f"There is no template '{options['name']}'; see tasker template list")
    body = template_body(found)
    return Answer(body=body, table=body["steps"], columns=STEPS, notes=[str(found)])


def _latest(name: TemplateName) -> str | None:
    lines = find_versions(EVERYTHING, namespace=name.namespace, name=name.name)
    return next((each.version for each in lines if each.retired_at is None), None)


def _sync_arguments(parser: CommandParser) -> None:
    _path_arguments(parser)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if it would change")
    parser.add_argument("--prune", action="store_true", help="retire what no source contains")
    parser.add_argument("--strict", action="store_true", help="refuse changed content")


def sync(options: dict[str, Any]) -> Answer:
    """Register what files contain, as sync_templates does."""
    paths, is_check = _paths(options), options["check"]
    if options["prune"] and paths:
        raise InvalidRequestError("--prune looks at all sources; name no PATH with it")
    report = registry.sync(*paths, check=is_check, prune=options["prune"], strict=options["strict"])
    has_failed = report.has_failed or (is_check and report.has_changes)
    body = _sync_body(report)
    counts = Counter(each["outcome"] for each in body["templates"])
    told = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
    return Answer(
        body=body,
        table=body["templates"],
        columns=("outcome", "template", "sources", "message"),
        notes=[
            *(f"retired {name}" for name in report.retired),
            *([report.message] if report.message else []),
            f"{len(report.results)} templates: {told or 'none found'}",
        ],
        exit_code=Exit.FAILED if has_failed else Exit.DONE,
    )


def _sync_body(report: SyncReport) -> dict[str, Any]:
    templates = [
        {
            "outcome": each.outcome.value,
            "template": each.template,
            "sources": list(each.sources),
            "message": each.message,
            "findings": [found.as_dict() for found in each.findings],
        }
        for each in report.results
    ]
    return {"templates": templates, "retired": list(report.retired), "message": report.message}


def _check_arguments(parser: CommandParser) -> None:
    _path_arguments(parser)
    parser.add_argument("--env", metavar="E", help="overrides of this environment only")
    parser.add_argument("--strict", action="store_true", help="warnings fail too")


def check(options: dict[str, Any]) -> Answer:
    """Check files; the command that also knows handlers belongs to a package above this one."""
    printed, code = StringIO(), Exit.DONE
    chosen = {"env": options["env"], "strict": options["strict"], "json": True}
    try:
        call_command("check_templates", *_paths(options), **chosen, stdout=printed)
    except SystemExit:
        code = Exit.FAILED
    body = json.loads(printed.getvalue())
    table = [
        {**each, "state": "valid" if each["valid"] else "has errors", "finding": _told(found)}
        for each in body
        for found in _serious(each) or [{}]
    ]
    return Answer(
        body=body,
        table=table,
        columns=("template", "state", "step_count", "source", "finding"),
        notes=[] if body else ["No template was found."],
        exit_code=code,
    )


def _serious(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in report["findings"] if each["severity"] != "info"]


def _told(found: dict[str, Any]) -> str:
    return "{severity} {code} {path}: {message}".format(**found) if found else ""


def _path_arguments(parser: CommandParser) -> None:
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files or folders; else all")


def _paths(options: dict[str, Any]) -> list[str]:
    """Return the paths; raises `InvalidRequestError` where one leads nowhere."""
    if missing := [each for each in options["paths"] if not Path(each).exists()]:
        raise InvalidRequestError(f"There is no file or folder {', '.join(missing)}")
    return list(options["paths"])


VERBS = {
    "list": Verb(
        help="List the registered templates.", run=list_templates, arguments=_namespace_argument
    ),
    "info": Verb(help="Show one template.", run=info, arguments=_name_argument),
    "sync": Verb(help="Register what files contain.", run=sync, arguments=_sync_arguments),
    "check": Verb(help="Check files.", run=check, arguments=_check_arguments),
}
