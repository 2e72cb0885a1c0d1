"""Which files below a folder are template files: by their names alone, nothing is read."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

SUFFIXES = (".yaml", ".yml")


def template_files(sources: Iterable[Path]) -> Iterator[Path]:
    """Yield every template file once, in a stable order; a source that is a file is taken as is."""
    seen: set[Path] = set()
    for source in sources:
        for path in _files_below(source) if source.is_dir() else [source]:
            if (real := path.resolve()) not in seen:
                seen.add(real)
                yield path


def _files_below(folder: Path) -> Iterator[Path]:
    for directory, names, files in os.walk(folder):
        names[:] = sorted(name for name in names if not name.startswith((".", "_")))
        for name in sorted(files):
            if name.endswith(SUFFIXES) and not name.startswith((".", "_")):
                yield Path(directory) / name
