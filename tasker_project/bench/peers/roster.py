"""The peers: what to install for each, pinned here and nowhere else, and how many workers it gets.

The number of worker processes is what was quickest for the peer on two cores; the settings of one
process stand in its script.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One peer of Tasker."""

    name: str  # in figures, of its database and of its environment's folder
    script: str  # module of `scripts`
    packages: tuple[str, ...]
    workers: int = 2
    oldest_python: tuple[int, int] = (3, 11)
    needs_redis: bool = False  # and no database


DRIVER = "psycopg[binary]==3.3.9"  # the driver that Tasker has
PEERS = (
    Peer(
        name="oban",
        script="oban_py",
        packages=("oban==0.7.0", "psycopg-pool==3.3.3", "uvloop==0.23.0", DRIVER),
        oldest_python=(3, 12),
    ),
    Peer(
        name="absurd",
        script="absurd",
        packages=("absurd-sdk==0.5.1", "absurdctl==0.5.1", DRIVER),
        workers=4,  # each waits for the disk with its only connection
    ),
    Peer(
        name="dbos",
        script="dbos_transact",
        packages=("dbos==3.4.0", "sqlalchemy==2.1.9", DRIVER),
    ),
    Peer(
        name="procrastinate",
        script="procrastinate_jobs",
        packages=("procrastinate==3.10.0", "psycopg-pool==3.3.3", DRIVER),
    ),
    Peer(
        name="celery",
        script="celery_redis",
        packages=("celery[redis]==5.7.0", "redis==8.1.0", "hiredis==3.5.0"),
        workers=1,  # it has processes of its own
        needs_redis=True,
    ),
)
