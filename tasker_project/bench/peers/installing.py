"""A virtual environment for each peer, made once and again when its pins change.

Why not one for all: they want different versions of the same packages, and oban-py a newer Python.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tasker_project.bench.peers.errors import PeerError
from tasker_project.bench.peers.roster import Peer

NEWER = ("python3.12", "python3.13", "python3.14")
LONGEST_SECONDS = 300
IS_COMPLETE = "import sys, venv, ensurepip; sys.exit(sys.version_info < ({}, {}))"


def installed(peer: Peer, folder: Path) -> Path:
    """Return the interpreter of a peer's environment; install what is missing.

    Raises `PeerError` when that is not possible.
    """
    python, marker = folder / "bin" / "python", folder / "installed"
    if not marker.exists() or marker.read_text() != _wanted(peer):
        shutil.rmtree(folder, ignore_errors=True)
        _call([_interpreter(peer), "-m", "venv", str(folder)])
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        _call([*pip, *peer.packages])
        marker.write_text(_wanted(peer))
    return python


def _wanted(peer: Peer) -> str:
    return "\n".join([*peer.packages, ""])


def _interpreter(peer: Peer) -> str:
    """Return a Python that the peer runs on: ours if it does."""
    check = IS_COMPLETE.format(*peer.oldest_python)
    for candidate in _candidates():
        try:
            done = subprocess.run([candidate, "-c", check], capture_output=True, check=False)  # noqa: S603
        except OSError:
            continue
        if done.returncode == 0:
            return candidate
    oldest = ".".join(map(str, peer.oldest_python))
    raise PeerError(f"needs Python {oldest} or newer with venv, and none is in PATH or pyenv")


def _candidates() -> Iterator[str]:
    """Return interpreters, ours first; those of pyenv need not be in PATH."""
    yield sys.executable
    yield from NEWER
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(str(path) for path in root.glob("versions/3.*/bin/python3"))


def _call(arguments: Sequence[str]) -> None:
    """Run a command; raise `PeerError` with its last words when it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            arguments,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerError(f"could not be installed: {error}") from error
    if done.returncode:
        said = " | ".join(done.stdout.strip().splitlines()[-3:])
        raise PeerError(f"could not be installed: {said}")
