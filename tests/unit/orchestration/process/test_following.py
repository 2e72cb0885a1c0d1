"""What a parent asks over its pipe, and what its end means."""

import os

import pytest

from orchestration.process.following import follow_parent
from orchestration.runtime.shutdown import Shutdown
from tests.processes import wait_until


@pytest.fixture
def shutdown():
    instance = Shutdown()
    yield instance
    instance.uninstall()


@pytest.fixture
def parent_end(shutdown):
    """The end of the pipe that a parent would hold."""
    theirs, ours = os.pipe()
    follow_parent(theirs, shutdown)
    yield ours
    try:
        os.close(ours)
    except OSError:
        return


def test_the_first_byte_asks_and_the_second_insists(shutdown, parent_end):
    os.write(parent_end, b".")
    wait_until(lambda: shutdown.is_asked)
    assert not shutdown.is_forced

    os.write(parent_end, b".")
    wait_until(lambda: shutdown.is_forced)


def test_the_end_of_the_parent_asks_once(shutdown, parent_end):
    os.close(parent_end)

    wait_until(lambda: shutdown.is_asked)
    assert not shutdown.is_forced


def test_the_end_of_a_parent_that_has_asked_adds_nothing(shutdown, parent_end):
    os.write(parent_end, b".")
    os.close(parent_end)

    wait_until(lambda: shutdown.is_asked)
    assert not shutdown.is_forced
