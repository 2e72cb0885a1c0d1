"""From moments to places on a line, in true proportion or with the idle times cut out. Pure.

On the scale `wall` an hour is an hour. On the scale `run` a pause in which nothing of the task was
queued, ran or backed off takes a thin strip, so that a task that waited three days for a person can
still be read.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

Scale = Literal["run", "wall"]
Stretch = tuple[datetime, datetime]

CUT_SHARE = 0.02  # of the line, for each pause cut out
LONG_PAUSE = 0.1  # of the busy time, from which a pause is cut out
STEPS_SECONDS = (
    *(unit * 10.0**power for power in (-3, -2, -1, 0) for unit in (1, 2, 5)),
    *(10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0),
    *(3600.0, 7200.0, 21_600.0, 43_200.0, 86_400.0, 172_800.0, 604_800.0, 2_592_000.0),
)
MOST_TICKS = 8


class Piece(NamedTuple):
    """A stretch of time on a stretch of the line, both from their beginnings."""

    begin: datetime
    end: datetime
    left: float
    right: float
    is_cut: bool


class Tick(NamedTuple):
    """A mark on the line, so many seconds after the beginning."""

    at: float
    seconds: float


class TimeAxis:
    """A line from 0 to `width` for the time that some stretches span."""

    def __init__(self, stretches: Iterable[Stretch], *, width: float, scale: Scale) -> None:
        """Lay the line out; without stretches every moment is at 0."""
        busy = list(_merged(stretches))
        self.width = width
        self.pieces = list(_pieces(busy, width, cuts=scale == "run"))
        self._begins = [piece.begin for piece in self.pieces]

    def place(self, moment: datetime) -> float:
        """Return where a moment is; what lies outside is at the nearer end."""
        if not self.pieces:
            return 0.0
        piece = self.pieces[max(bisect_right(self._begins, moment) - 1, 0)]
        length = (piece.end - piece.begin).total_seconds()
        share = (moment - piece.begin).total_seconds() / length if length else 0.0
        return piece.left + min(max(share, 0.0), 1.0) * (piece.right - piece.left)

    @property
    def cuts(self) -> list[Piece]:
        """The pauses that were cut out."""
        return [piece for piece in self.pieces if piece.is_cut]

    def ticks(self) -> list[Tick]:
        """Return marks at round times, on the first piece, which begins at zero."""
        if not self.pieces:
            return []
        piece = self.pieces[0]
        length = (piece.end - piece.begin).total_seconds()
        most = max(MOST_TICKS * (piece.right - piece.left) / self.width, 1.0)
        step = next((each for each in STEPS_SECONDS if length / each <= most), STEPS_SECONDS[-1])
        count = min(int(length / step), MOST_TICKS)
        seconds = [n * step for n in range(count + 1)]
        return [Tick(self.place(piece.begin + timedelta(seconds=each)), each) for each in seconds]


def _merged(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Yield the stretches in order, those that touch as one."""
    current: Stretch | None = None
    for begin, end in sorted(stretches):
        if current is None:
            current = begin, end
        elif begin <= current[1]:
            current = current[0], max(current[1], end)
        else:
            yield current
            current = begin, end
    if current is not None:
        yield current


def _pieces(busy: Sequence[Stretch], width: float, *, cuts: bool) -> Iterator[Piece]:
    total = sum(((end - begin).total_seconds() for begin, end in busy), 0.0)
    parts = list(_joined(busy, least_pause=total * LONG_PAUSE if cuts else float("inf")))
    shown = sum(((end - begin).total_seconds() for begin, end in parts), 0.0)
    strip = width * min(CUT_SHARE, 0.5 / len(parts)) if parts else 0.0
    room = width - strip * (len(parts) - 1)
    left = 0.0
    for place, (begin, end) in enumerate(parts):
        if place:
            yield Piece(parts[place - 1][1], begin, left, left + strip, is_cut=True)
            left += strip
        share = (end - begin).total_seconds() / shown if shown else 1 / len(parts)
        right = left + room * share
        yield Piece(begin, end, left, right, is_cut=False)
        left = right


def _joined(busy: Sequence[Stretch], *, least_pause: float) -> Iterator[Stretch]:
    """Yield the stretches, those with a shorter pause between them as one."""
    current: Stretch | None = None
    for begin, end in busy:
        if current is not None and (begin - current[1]).total_seconds() <= least_pause:
            current = current[0], end
        else:
            if current is not None:
                yield current
            current = begin, end
    if current is not None:
        yield current
