"""`python -m tests.chaos --tasks N --faults N --seed N`: run, judge, exit 0, 1 or 2.

Django is set up after the server runs, since its settings want an address.
"""

import argparse
import json
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

import django

from tasker_project.processes import interruptible
from tests.chaos.broken import BUILDS
from tests.chaos.kinds import WEIGHTS
from tests.chaos.server import Server

GOOD, BAD, INTERRUPTED = 0, 1, 130
LARGEST = 1_000_000


def main(arguments: list[str]) -> int:
    """Run the fault injector; return the exit code."""
    options = _parser().parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="tasker-chaos-"))
    server = Server(folder, major=os.environ.get("TASKER_EMBEDDED_PG", ""))
    _set_up_django(server.url)
    try:
        with interruptible():
            return _run(options, server=server, folder=folder)
    except KeyboardInterrupt:
        say("Interrupted; nothing was left behind.")
        return INTERRUPTED
    finally:
        server.stop()
        if options.keep:
            say(f"Kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _set_up_django(url: str) -> None:
    os.environ |= {
        "DATABASE_URL": url,
        "DATABASE_DIRECT_URL": "",
        "DJANGO_SETTINGS_MODULE": "tasker_project.settings",
        "DJANGO_DEBUG": "false",
        "TASKER_AUTH_ENABLED": "true",
        "TASKER_ENV": "development",
        "TASKER_LOG_LEVEL": "WARNING",
    }
    django.setup()
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # it tells of every restart


def _run(options: argparse.Namespace, *, server: Server, folder: Path) -> int:
    from tests.chaos import cluster, report
    from tests.chaos.plan import make_plan
    from tests.chaos.run import run

    plan = make_plan(
        seed=options.seed, tasks=options.tasks, faults=options.faults, kinds=options.only
    )
    say(f"seed {plan.seed}, plan {plan.digest}: {len(plan.tasks)} tasks, {plan.kinds()}")
    say(f"cluster and settings: {dict(cluster.described())}")
    server.start()
    logs = folder / "logs"
    logs.mkdir()
    outcome = run(plan, server=server, logs=logs, build=options.build, say=say)
    with server.connect() as connection:
        for line in report.explain(outcome, connection):
            say(line)
    for line in report.table(outcome):
        say(line)
    if options.json:
        options.json.write_text(json.dumps(outcome.as_json(), indent=2) + "\n")
    return GOOD if outcome.is_good else BAD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--tasks", type=_count, default=200, help="tasks to create")
    parser.add_argument("--faults", type=_count, default=30, help="faults to inject")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same plan")
    parser.add_argument("--json", type=Path, metavar="FILE", help="store the outcome")
    parser.add_argument("--keep", action="store_true", help="keep data and logs")
    parser.add_argument(
        "--only",
        type=lambda text: _kinds(text, list(WEIGHTS)),
        default=list(WEIGHTS),
        metavar="KIND,…",
        help=f"inject these kinds alone: {', '.join(WEIGHTS)}",
    )
    parser.add_argument(
        "--break",
        dest="build",
        choices=BUILDS,
        default="",
        help="run a build that is wrong on purpose; the run has to fail",
    )
    return parser


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number <= LARGEST:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to {LARGEST}")
    return number


def _kinds(text: str, known: list[str]) -> list[str]:
    kinds = [kind.strip() for kind in text.split(",")]
    if unknown := [kind for kind in kinds if kind not in known]:
        raise argparse.ArgumentTypeError(f"there is no fault {unknown[0]}")
    return kinds


def say(line: str) -> None:
    """Show a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
