"""What a drawing shows, read back from its SVG."""

import re
from itertools import pairwise
from typing import Any, NamedTuple
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


class Area(NamedTuple):
    """A rectangle: left, top, right, bottom."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Area") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def holds(self, x: float, y: float) -> bool:
        return self.left < x < self.right and self.top < y < self.bottom


def parse(svg: str) -> Any:
    """Return the drawing as XML; raises what the parser raises."""
    return ElementTree.fromstring(svg)  # noqa: S314 our own text


def groups(root: Any) -> dict[str, Any]:
    """Return the groups of the nodes by the names of their steps."""
    return {each.get("data-step"): each for each in root.iter(f"{SVG}g")}


def area_of(group: Any) -> Area:
    """Return the room that the outlines of a node take."""
    xs: list[float] = []
    ys: list[float] = []
    for rect in group.iter(f"{SVG}rect"):
        x, y, width, height = (float(rect.get(key)) for key in ("x", "y", "width", "height"))
        xs += [x, x + width]
        ys += [y, y + height]
    for polygon in group.iter(f"{SVG}polygon"):
        numbers = [float(each) for each in _NUMBER.findall(polygon.get("points"))]
        xs += numbers[::2]
        ys += numbers[1::2]
    return Area(min(xs), min(ys), max(xs), max(ys))


def lines_of(group: Any) -> list[str]:
    """Return the texts of a node."""
    return [each.text for each in group.iter(f"{SVG}text")]


def edges(root: Any) -> list[Any]:
    """Return the paths of the edges."""
    return [each for each in root.iter(f"{SVG}path") if "edge" in each.get("class", "")]


def points_of(edge: Any) -> list[tuple[float, float]]:
    """Return places along an edge: on its curves and on its straight pieces."""
    found: list[tuple[float, float]] = []
    for letter, rest in re.findall(r"([MLC])([^MLC]*)", edge.get("d")):
        numbers = [float(each) for each in _NUMBER.findall(rest)]
        corners = list(zip(numbers[::2], numbers[1::2], strict=True))
        if letter == "C":
            found += _curve([found[-1], *corners])
        elif letter == "L":
            found += _straight(found[-1], corners[0])
        else:
            found += corners
    return found


def _straight(begin: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    return [
        (begin[0] + (end[0] - begin[0]) * n / 8, begin[1] + (end[1] - begin[1]) * n / 8)
        for n in range(1, 9)
    ]


def _curve(corners: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return 8 places on a cubic curve (de Casteljau)."""
    found = []
    for share in (n / 8 for n in range(1, 9)):
        level = corners
        while len(level) > 1:
            level = [
                (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)
                for a, b in pairwise(level)
            ]
        found += level
    return found
