"""Settings: what is in force and why, what one means, and whether all of it holds together."""

from collections.abc import Iterable
from typing import Any

from django.core.checks import CheckMessage, Error, run_checks
from django.core.management.base import CommandParser
from django.db import connections

from orchestration import health
from orchestration.access.checks import check_groups
from orchestration.configuration import connections_needed, effective_settings, env_example, explain
from orchestration.http.configuration import configuration_body
from orchestration.management.tasker.arguments import number
from orchestration.management.tasker.verb import Answer, Exit, Verb
from orchestration.runtime.database import CONNECTION_ERRORS

MOST_PROCESSES = 1000
LARGEST_SHARE = 0.8


def _show_arguments(parser: CommandParser) -> None:
    parser.add_argument("--changed", action="store_true", help="only what somebody has given")


def show(options: dict[str, Any]) -> Answer:
    """Show every setting with its value and its source; secrets are hidden."""
    found = {
        name: each
        for name, each in effective_settings().items()
        if each.is_changed or not options["changed"]
    }
    settings = {name: each._asdict() for name, each in found.items()}
    return Answer(
        body=configuration_body() | {"settings": settings},
        table=[{"name": name, **each} for name, each in settings.items()],
        columns=("name", "value", "source", "variable"),
        notes=[] if found else ["No setting was changed."],
    )


def _explain_arguments(parser: CommandParser) -> None:
    parser.add_argument("name", metavar="NAME", help="such as LEASE_SECONDS")


def explain_setting(options: dict[str, Any]) -> Answer:
    """Explain one setting: meaning, range, profiles, and what it is now."""
    return Answer(body=explain(options["name"])._asdict())


def _validate_arguments(parser: CommandParser) -> None:
    for name in ("web", "orchestrators", "workers"):
        parser.add_argument(
            f"--{name}",
            type=number(0, MOST_PROCESSES),
            default=1,
            metavar="COUNT",
            help="processes to be counted in, default: 1",
        )


def validate(options: dict[str, Any]) -> Answer:
    """Run all checks, those of the database too; fails when one refuses."""
    found = [*run_checks(), *_of_database()]
    needed = connections_needed(
        web=options["web"], orchestrators=options["orchestrators"], workers=options["workers"]
    )
    problems = [_line(each) for each in found]
    is_bad = any(each.is_serious() for each in found)
    return Answer(
        body={"valid": not is_bad, "problems": problems, "connections_needed": needed},
        table=problems,
        notes=["All checks pass.", *_sum(needed)] if not found else _sum(needed),
        exit_code=Exit.FAILED if is_bad else Exit.DONE,
    )


def env(options: dict[str, Any]) -> Answer:
    """Print a file `.env` with every variable, its default and its meaning."""
    text = env_example()
    return Answer(body={"text": text}, table=text)


def _line(message: CheckMessage) -> dict[str, str]:
    level = "error" if message.is_serious() else "warning"
    return {"id": str(message.id), "level": level, "message": str(message.msg)}


def _of_database() -> Iterable[CheckMessage]:
    """Return what only a database can tell; one that cannot be reached is a finding as well."""
    try:
        if missing := health.missing_schema():
            yield Error(f"The database lacks what the engine needs: {missing}.", id="tasker.E018")
        else:
            yield from check_groups()
    except CONNECTION_ERRORS as error:
        yield Error(f"The database cannot be asked: {str(error).strip()}", id="tasker.E016")


def _sum(needed: int) -> list[str]:
    told = f"These processes need up to {needed} connections"
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT current_setting('max_connections')::int")
            (allowed,) = cursor.fetchone() or (0,)
    except CONNECTION_ERRORS:
        return [f"{told}."]
    if needed > LARGEST_SHARE * allowed:
        return [f"{told}, more than 80 % of the {allowed} that the server allows."]
    return [f"{told}; the server allows {allowed}."]


VERBS = {
    "show": Verb(
        help="Show the settings in force.",
        run=show,
        arguments=_show_arguments,
        needs_good_settings=False,
    ),
    "explain": Verb(
        help="Explain a setting.",
        run=explain_setting,
        arguments=_explain_arguments,
        needs_good_settings=False,
    ),
    "validate": Verb(
        help="Run all checks.",
        run=validate,
        arguments=_validate_arguments,
        needs_good_settings=False,
    ),
    "env": Verb(help="Print .env.example.", run=env, needs_good_settings=False),
}
