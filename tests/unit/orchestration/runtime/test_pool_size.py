"""How pools grow and shrink: the rule as a table, then rests, guard and measurement."""

import pytest

from orchestration.conf import PoolSettings
from orchestration.runtime.pool_size import PoolSize, next_size, relief_factor

TARGET = 0.75


@pytest.mark.parametrize(
    ("size", "utilization", "then"),
    [
        # grows above 0.9: by utilization / target, rounded up, twofold at most, to the maximum
        (2, 0.9, 2),
        (2, 0.91, 3),
        (2, 1.0, 3),
        (3, 1.0, 4),
        (4, 1.0, 6),
        (6, 1.0, 8),
        (8, 1.0, 10),
        (9, 1.0, 10),
        (10, 1.0, 10),
        (2, 1.5, 4),
        (2, 3.0, 4),
        # shrinks below 0.375: by half of what is above the minimum, by one at least
        (10, 0.375, 10),
        (10, 0.37, 6),
        (6, 0.0, 4),
        (5, 0.0, 4),
        (4, 0.0, 3),
        (3, 0.0, 2),
        (2, 0.0, 2),
        # between the two nothing happens
        (5, 0.5, 5),
        (5, 0.75, 5),
    ],
)
def test_the_rule(size, utilization, then):
    assert next_size(size, minimum=2, maximum=10, utilization=utilization, target=TARGET) == then


@pytest.mark.parametrize("size", range(1, 65))
def test_a_pool_that_is_always_busy_reaches_its_maximum_and_an_idle_one_its_minimum(size):
    for _ in range(64):
        size = next_size(size, minimum=1, maximum=64, utilization=1.0, target=TARGET)
    assert size == 64
    for _ in range(64):
        size = next_size(size, minimum=1, maximum=64, utilization=0.0, target=TARGET)
    assert size == 1


@pytest.mark.parametrize(
    ("share", "factor"), [(0.0, 1.0), (0.7, 1.0), (0.75, 0.25), (0.8, 0.2), (0.9, 0.1), (1.0, 0.1)]
)
def test_batches_shrink_while_the_connections_are_in_use(share, factor):
    assert relief_factor(share) == pytest.approx(factor)


class Pool:
    """A pool size with a clock and a database that the test sets."""

    def __init__(self, *, minimum: int = 2, maximum: int = 10) -> None:
        self.now = 0.0
        self.share = 0.0
        self.size = PoolSize(
            "results",
            minimum=minimum,
            maximum=maximum,
            database_share=lambda: self.share,
            settings=PoolSettings(),
            clock=lambda: self.now,
        )

    def after(self, seconds: float) -> int:
        self.now += seconds
        return self.size.review()

    def busy(self, count: int) -> None:
        for _ in range(count):
            self.size.enter()


@pytest.fixture
def pool() -> Pool:
    return Pool()


def test_use_is_measured_over_the_window_whatever_began_before_it(pool):
    pool.busy(1)
    pool.after(5)
    assert pool.size.utilization == 0.5

    pool.now += 1
    pool.size.leave()
    pool.after(4)

    assert pool.size.utilization == pytest.approx(0.1)


def test_a_size_that_changed_within_the_window_counts_for_its_time(pool):
    pool.busy(2)
    pool.now += 2
    assert pool.size.double() == 4

    pool.after(2)

    assert pool.size.utilization == pytest.approx((2 * 2 + 2 * 2) / (2 * 2 + 4 * 2))


def test_a_pool_rests_ten_seconds_after_it_grew_and_sixty_after_it_shrank(pool):
    pool.busy(2)
    assert pool.after(5) == 3
    pool.busy(1)
    assert pool.after(5) == 3
    assert pool.after(5) == 4
    for _ in range(3):
        pool.size.leave()

    sizes = [pool.after(5) for _ in range(16)]

    assert sizes == [4] + [3] * 12 + [2] * 3


def test_no_pool_grows_while_the_connections_are_in_use(pool):
    pool.busy(2)
    pool.share = 0.86

    assert pool.after(5) == 2
    assert pool.size.double() == 2
    pool.share = 0.85

    assert pool.after(5) == 3


def test_a_strained_database_does_not_keep_a_pool_from_shrinking(pool):
    pool.size.double()
    pool.now = 10
    pool.share = 1.0

    assert pool.after(5) == 3


def test_doubling_does_not_wait_and_ends_at_the_maximum(pool):
    assert [pool.size.double() for _ in range(4)] == [4, 8, 10, 10]


def test_each_change_is_logged_with_both_sizes_and_the_use(pool, caplog):
    caplog.set_level("INFO", logger="orchestration")
    pool.busy(2)

    pool.after(5)

    (line,) = (each for each in caplog.records if each.getMessage() == "pool.scaled")
    said = line.__dict__
    assert (said["pool"], said["size_before"], said["size"], said["utilization"]) == (
        "results",
        2,
        3,
        1.0,
    )


def test_what_is_shown(pool):
    pool.busy(1)
    pool.after(5)

    assert pool.size.describe() == {
        "min": 2,
        "max": 10,
        "size": 2,
        "busy": 1,
        "utilization": 0.5,
    }


def test_a_minimum_above_the_maximum_gives_way():
    pool = Pool(minimum=2, maximum=1)

    assert (pool.size.minimum, pool.size.size) == (1, 1)
