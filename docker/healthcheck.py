"""HEALTHCHECK of the image: does the process of this container answer?

A container runs one role, so whichever of the three ports answers is the one of its role. Readiness
is another question, for whoever sends traffic: `/health/ready`.
"""

import http.client
import os
import sys

PORTS = {
    "PORT": "8080",
    "TASKER_ORCHESTRATOR_HTTP_PORT": "8090",
    "TASKER_WORKER_HTTP_PORT": "8081",
}
LONGEST_SECONDS = 2.0


def is_healthy(port: int) -> bool:
    """Tell whether a process on this port says that it is healthy."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_SECONDS)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    ports = [int(os.environ.get(name) or default) for name, default in PORTS.items()]
    sys.exit(not any(is_healthy(port) for port in ports if port))
