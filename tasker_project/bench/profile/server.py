"""The server that is profiled: it has to tell statements apart, those inside of functions too.

pg_stat_statements must be loaded when a server starts. Where the given server has not done that,
one of our own does, of whichever installed version has the library; where none has it, the given
server tells at least what its functions cost.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from django.db import DatabaseError

from tasker_project.bench.database import rows, value
from tasker_project.bench.own_server import own_server
from tasker_project.embedded.binaries import newest_with

EXTENSION = "pg_stat_statements"
TRACK = "pg_stat_statements.track"
OPTIONS = {
    "shared_preload_libraries": EXTENSION,
    TRACK: "all",
    "pg_stat_statements.track_planning": "on",
}
IS_LOADED = "SELECT EXISTS (SELECT FROM pg_settings WHERE name = %(track)s)"
HAS_EXTENSION = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = %(name)s)"
SET = """
DO $$
BEGIN
  EXECUTE format('ALTER DATABASE %%I SET {} = %%L', current_database(), '{}');
END
$$
"""
RESET = """
DO $$
BEGIN
  EXECUTE format('ALTER DATABASE %%I RESET {}', current_database());
END
$$
"""


@contextmanager
def telling_server(say: Callable[[str], None]) -> Iterator[bool]:
    """Be connected to a server that tells; yield whether it tells statements or only functions."""
    with ExitStack() as stack:
        if value(IS_LOADED, track=TRACK) and stack.enter_context(_extension(say)):
            stack.enter_context(_set(TRACK, "all", say))
            yield True
        elif major := newest_with(EXTENSION):
            say(f"profile: the server does not load {EXTENSION}; one of our own does, {major}")
            stack.enter_context(own_server(major=major, options=OPTIONS))
            rows(f"CREATE EXTENSION {EXTENSION}")
            yield True
        else:
            say(
                f"profile: no server here has {EXTENSION} (in Debian's postgresql): only functions "
                "are told apart, by track_functions, and no statement"
            )
            stack.enter_context(_set("track_functions", "all", say))
            yield False


@contextmanager
def _extension(say: Callable[[str], None]) -> Iterator[bool]:
    """Have the extension in this database; yield whether that was allowed."""
    if value(HAS_EXTENSION, name=EXTENSION):
        yield True
        return
    try:
        rows(f"CREATE EXTENSION {EXTENSION}")
    except DatabaseError as error:
        say(f"profile: {EXTENSION} cannot be created here: {str(error).strip()}")
        yield False
        return
    try:
        yield True
    finally:
        rows(f"DROP EXTENSION {EXTENSION}")


@contextmanager
def _set(name: str, setting: str, say: Callable[[str], None]) -> Iterator[None]:
    """Give the sessions that begin from now on a setting, if this role may."""
    try:
        rows(SET.format(name, setting))
    except DatabaseError as error:
        say(f"profile: {name} stays as it is: {str(error).strip()}")
        yield
        return
    try:
        yield
    finally:
        rows(RESET.format(name))
