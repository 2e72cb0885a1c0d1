"""From the turns of all rounds to what is reported: medians, and Tasker against each peer."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from tasker_project.bench.percentiles import Figures

RATE = "workflows_per_second"


def medians(runs: Sequence[Mapping[str, float]]) -> Figures:
    """Return the median of every figure over the rounds that have it."""
    keys = dict.fromkeys(key for run in runs for key in run)  # in the order of measuring
    return {key: round(median(run[key] for run in runs if key in run), 4) for key in keys}


def ratios(figures: Mapping[str, float], peers: Iterable[str], shapes: Iterable[str]) -> Figures:
    """Return how many workflows Tasker does for one of each peer, and for one of the best.

    A peer or shape without a figure has no ratio.
    """
    found: Figures = {}
    names = list(peers)
    for shape in shapes:
        ours = figures.get(f"tasker_{shape}.{RATE}")
        theirs = {
            peer: figures[key]
            for peer in names
            if figures.get(key := f"peer_{peer}_{shape}.{RATE}", 0) > 0
        }
        if ours is None or not theirs:
            continue
        found[f"ratio_best_{shape}"] = round(ours / max(theirs.values()), 4)
        found |= {f"ratio_{peer}_{shape}": round(ours / rate, 4) for peer, rate in theirs.items()}
    return found


def by_rows(found: Mapping[str, float]) -> Figures:
    """Return ratios under the keys with which the report makes one table of them.

    `ratio_oban_linear4` is the column `linear4` of the line `ratio_oban`.
    """
    split = {key: key.rpartition("_") for key in found}
    return {f"{name}.{shape}": found[key] for key, (name, _, shape) in split.items()}
