"""How long pictures take: `pytest -m benchmark -s tests/benchmarks/test_picture_speed.py`.

Counted in time of the processor, so that what else the machine does makes no difference.
"""

import random
import statistics
from time import process_time

import pytest

from orchestration.pictures import render_svg, render_template, template_picture
from tests.factories.graphs import template

pytestmark = pytest.mark.benchmark
ROUNDS = 21


def layered(count: int, columns: int):
    """Return steps in columns, each with one to three parents, mostly of the column before."""
    chance = random.Random(count)  # noqa: S311 a fixed graph
    names = [f"process_customer_orders_{n}" for n in range(count)]
    width = count // columns
    steps = []
    for n, name in enumerate(names):
        before = names[max(0, (n // width - 1) * width) : n // width * width]
        parents = chance.sample(before, min(len(before), chance.choice([1, 1, 2])))
        if before and chance.random() < 0.1:
            parents.append(chance.choice(names[: n // width * width]))
        steps.append({"name": name, "dependencies": parents})
    return template(*steps)


def median_ms(work) -> float:
    taken = []
    for _ in range(ROUNDS):
        began_at = process_time()
        work()
        taken.append(process_time() - began_at)
    return statistics.median(taken) * 1000


def test_a_drawing_of_300_steps_takes_less_than_100_ms() -> None:
    found = layered(300, 15)

    drawing = median_ms(lambda: render_svg(template_picture(found)))
    document = median_ms(lambda: render_template(found))

    print(f"300 steps, medians of {ROUNDS}: SVG {drawing:.0f} ms, markdown {document:.1f} ms")  # noqa: T201
    assert drawing < 100
