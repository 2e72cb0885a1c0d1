"""POST /v1/tasks over HTTP until the 201, on an empty database and beside 5,000 tasks.

Nobody works the tasks off meanwhile: the figure is that of the request, not of the engine.
"""

import time
from concurrent.futures import ThreadPoolExecutor

from tasker_project.bench.database import settle
from tasker_project.bench.loading import label, load_tasks
from tasker_project.bench.percentiles import Figures, summarise
from tasker_project.bench.running import Bench, forget_tasks, purge_queues
from tasker_project.bench.shapes import NAMESPACE
from tasker_project.bench.web import OpenApi, running_web

MEASURED_SHAPES = ("linear4", "diamond4", "linear50")
LOADED_TASKS = 5000
WARM_UP_SAMPLES = 20


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    forget_tasks()
    settle()
    figures: Figures = {}
    with running_web(bench) as client:
        for shape in MEASURED_SHAPES:
            bench.say(f"api: {shape}")
            figures |= _measured(bench, client, f"api.{shape}", shape=shape)
        bench.say(f"api: linear4, {bench.concurrency} clients at once")
        name = f"api.linear4_{bench.concurrency}_clients"
        figures |= _measured(bench, client, name, shape="linear4", clients=bench.concurrency)
        bench.say(f"api: linear4 beside {LOADED_TASKS} tasks")
        load_tasks(LOADED_TASKS)
        name = f"api_{label(LOADED_TASKS)}.linear4"
        figures |= _measured(bench, client, name, shape="linear4")
    return figures


def _measured(bench: Bench, client: OpenApi, name: str, *, shape: str, clients: int = 1) -> Figures:
    """Send the requests, shared out among the clients, and return the figures."""
    each = -(-bench.samples // clients)
    with ThreadPoolExecutor(clients) as pool:
        found = list(pool.map(lambda _: _send(client, shape, each), range(clients)))
    purge_queues()
    return summarise(name, (sample for samples in found for sample in samples))


def _send(client: OpenApi, shape: str, count: int) -> list[float]:
    """Create tasks one after the other over one connection; return the ms of each."""
    body = {"name": shape, "namespace": NAMESPACE, "context": {"bench": True}}
    taken = []
    with client() as api:
        for _ in range(count + WARM_UP_SAMPLES):
            began = time.perf_counter()
            api.create_task(body)
            taken.append((time.perf_counter() - began) * 1000)
    return taken[WARM_UP_SAMPLES:]
