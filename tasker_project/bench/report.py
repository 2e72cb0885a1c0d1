"""How figures are shown, stored and compared; where they were measured stands beside them."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasker_project.bench.database import rows, value
from tasker_project.bench.listing import Listing
from tasker_project.bench.percentiles import Figures

Things = dict[str, dict[str, float]]
WIDE = 1000  # from here on no digit behind the point tells anything
FRAME = 3  # a line and two blanks a column
WIDEST = 7  # figures of one thing that still fit beside each other
SERVER_SETTINGS = (
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "max_wal_size",
    "wal_level",
    "autovacuum",
    "plan_cache_mode",
    "jit",
)


def facts(command: Iterable[str]) -> dict[str, Any]:
    """Return where, when and with what the figures were measured."""
    found = rows(
        "SELECT name, current_setting(name) FROM unnest(%(names)s::text[]) AS name",
        names=list(SERVER_SETTINGS),
    )
    return {
        "command": " ".join(command),
        "date": timezone.now().isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": f"{platform.system()} {platform.machine()}, {_processor()}",
        "cpus": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "postgresql": value("SHOW server_version"),
        "settings": dict(found),
    }


def show(
    figures: Figures,
    facts: Mapping[str, Any],
    listings: Iterable[Listing] = (),
    *,
    console: Console,
) -> None:
    """Print the facts, one table per kind of figure, and the listings."""
    for name, fact in facts.items():
        text = ", ".join(f"{k}={v}" for k, v in fact.items()) if name == "settings" else fact
        console.print(f"{name:<12} {text}", markup=False, highlight=False)
    for columns, things in _tables(figures).items():
        console.print(_upright(things) if len(columns) > WIDEST else _flat(columns, things))
    for each in listings:
        console.print(_listed(each, width=console.width))


def store(
    path: Path, figures: Figures, facts: Mapping[str, Any], listings: Iterable[Listing] = ()
) -> None:
    """Write everything as JSON."""
    document: dict[str, Any] = {"facts": facts, "figures": figures}
    if shown := [each._asdict() for each in listings]:
        document["listings"] = shown
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")


def _flat(columns: Sequence[str], things: Things) -> Table:
    """Return a table with a line for every thing."""
    table = Table("", *columns)
    for name, values in things.items():
        table.add_row(name, *(_number(values[column]) for column in columns))
    return table


def _upright(things: Things) -> Table:
    """Return a table with a column for every thing, for things of many figures."""
    table = Table("", *things)
    for figure in next(iter(things.values())):
        table.add_row(figure, *(_number(values[figure]) for values in things.values()))
    return table


def _listed(listing: Listing, *, width: int) -> Table:
    """Return a table of which no line is broken: a name that is too long is cut, no number is."""
    name, *columns = listing.columns
    cells = [[str(each), *map(_cell, values)] for each, *values in listing.rows]
    widths = [
        max(map(len, each)) for each in zip(columns, *(row[1:] for row in cells), strict=True)
    ]
    left = width - sum(widths) - FRAME * (len(widths) + 1) - 1
    table = Table(title=listing.title, title_justify="left")
    table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=max(left, len(name)))
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for text, *values in cells:
        table.add_row(Text(text), *values)
    return table


def _cell(each: str | float) -> str:
    if isinstance(each, str):
        return each
    return f"{each:.4g}" if each < WIDE else _number(each)


def _tables(figures: Figures) -> dict[tuple[str, ...], Things]:
    """Group the figures: things that were measured alike share a table."""
    things: Things = {}
    for key, figure in figures.items():
        name, _, column = key.rpartition(".")
        things.setdefault(name, {})[column] = figure
    alike: dict[tuple[str, ...], Things] = {}
    for name, values in things.items():
        alike.setdefault(tuple(values), {})[name] = values
    return alike


def _number(figure: float) -> str:
    return f"{figure:,.0f}" if figure == int(figure) or figure >= 1000 else f"{figure:,.2f}"


def _commit() -> str:
    """Return the commit of the checkout, marked when files differ from it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 - whichever git the person uses
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
