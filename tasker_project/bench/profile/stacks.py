"""Adds up the stacks that py-spy saw (its format `raw`): what was on top, and what was below it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

_FRAME = re.compile(r"(?P<function>.*) \((?P<file>[^()]*?)(?::\d+)?\)")


class Stack(NamedTuple):
    """One stack, its root first, and how often it was seen."""

    frames: tuple[str, ...]
    times: int


class Share(NamedTuple):
    """How often something was on top of a stack, and how often anywhere in it."""

    name: str
    own: int
    cumulative: int


def parse(text: str) -> list[Stack]:
    """Read lines of `frame;frame;frame count`."""
    found = []
    for line in text.splitlines():
        frames, _, count = line.rpartition(" ")
        if frames and count.isdecimal():
            found.append(Stack(tuple(frames.split(";")), int(count)))
    return found


def function_of(frame: str) -> str:
    """Return a frame without its line: `wait (threading.py)`."""
    found = _FRAME.fullmatch(frame)
    return f"{found['function']} ({found['file']})" if found else frame


def file_of(frame: str) -> str:
    """Return the file of a frame."""
    found = _FRAME.fullmatch(frame)
    return found["file"] if found else frame


def shares(stacks: Iterable[Stack], name: Callable[[str], str]) -> list[Share]:
    """Add up by the name of frames; what calls itself counts once for each stack."""
    own: Counter[str] = Counter()
    cumulative: Counter[str] = Counter()
    for frames, count in stacks:
        own[name(frames[-1])] += count
        for each in {name(frame) for frame in frames}:
            cumulative[each] += count
    return [Share(each, own[each], total) for each, total in cumulative.items()]
