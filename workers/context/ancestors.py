"""Results of earlier steps: the parents' at once, those of further ancestors when asked for.

In a large task nearly every step has thousands of ancestors, and looks at one or two of them.
"""

from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from typing import Any

Fetch = Callable[[], dict[str, Any]]


class Ancestors(dict[str, Any]):
    """A dict that completes itself once, as soon as more is asked for than it was given."""

    def __init__(self, known: dict[str, Any], fetch: Fetch | None = None) -> None:
        """Hold what is known; `fetch` returns everything, None when nothing is missing."""
        super().__init__(known)
        self._fetch = fetch

    @property
    def is_partial(self) -> bool:
        """Something is left to fetch."""
        return self._fetch is not None

    def complete(self) -> None:
        """Fetch what is missing, if it was not yet."""
        if self._fetch is not None:
            self.update(self._fetch())
            self._fetch = None

    def __missing__(self, name: str) -> Any:
        if self._fetch is None:
            raise KeyError(name)
        self.complete()
        return self[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return the result of a step, the default when it has none."""
        try:
            return self[name]
        except KeyError:
            return default

    def __contains__(self, name: object) -> bool:
        if not super().__contains__(name):
            self.complete()
        return super().__contains__(name)

    def __iter__(self) -> Iterator[str]:
        self.complete()
        return super().__iter__()

    def __len__(self) -> int:
        self.complete()
        return super().__len__()

    def __eq__(self, other: object) -> bool:
        self.complete()
        return super().__eq__(other)

    __hash__ = None

    def __repr__(self) -> str:
        return super().__repr__() if self._fetch is None else f"{super().__repr__()} and more"

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """Return the names of all ancestors that have results."""
        self.complete()
        return super().keys()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        """Return the results of all ancestors."""
        self.complete()
        return super().values()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        """Return names and results of all ancestors."""
        self.complete()
        return super().items()
