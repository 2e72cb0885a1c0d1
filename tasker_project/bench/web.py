"""The web process of a measurement, and the client that speaks to it over kept connections."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from tasker_project.bench.api_key import key_header
from tasker_project.bench.errors import BenchError
from tasker_project.bench.running import Bench, check_alive
from tasker_project.demo.client import Api
from tasker_project.local_stack import web_command
from tasker_project.processes import LOOPBACK, ProcessGroup, free_port

OpenApi = Callable[[], Api]
START_SECONDS = 30.0
LOOK_SECONDS = 0.1
WEB_PORT = 8080
WEB_PROCESSES = os.cpu_count() or 1


@contextmanager
def running_web(bench: Bench) -> Iterator[OpenApi]:
    """Run a web process on the measured database; yield what opens a client of its API."""
    address = f"{LOOPBACK}:{free_port(WEB_PORT)}"
    base = f"http://{address}/v1/"
    client = partial(Api, base, headers=key_header())
    with ProcessGroup() as group:
        bench.start(group, "web", web_command(address, processes=WEB_PROCESSES))
        deadline = time.monotonic() + START_SECONDS
        with client() as api:
            while not api.is_up():
                check_alive(group)
                if time.monotonic() > deadline:
                    raise BenchError(f"The web process did not answer within {START_SECONDS} s")
                time.sleep(LOOK_SECONDS)
        yield client
