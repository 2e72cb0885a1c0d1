"""As whom the server runs. PostgreSQL refuses root, so root needs a way around.

`plain`: an ordinary user starts it as itself. `unshare`: root starts it in a user namespace without
a mapping, where it believes to be nobody, while every file stays root's. `nobody`: where unshare is
refused (most containers), root hands the data to the user nobody and starts it as that user.
The way is written down beside the data, because data made in one way cannot be read in the other.
"""

import os
import pwd
import subprocess
from pathlib import Path
from typing import Any

from tasker_project.embedded.binaries import EmbeddedError

WAYS = ("plain", "unshare", "nobody")
UNSHARE = ["unshare", "-U"]


def choose_way() -> str:
    """Return the way for new data of the current user."""
    if os.geteuid() != 0:
        return "plain"
    try:
        done = subprocess.run([*UNSHARE, "true"], capture_output=True, check=False)  # noqa: S603
    except FileNotFoundError:
        return "nobody"
    return "unshare" if done.returncode == 0 else "nobody"


def read_way(home: Path) -> str:
    """Return the way in which the data below `home` was made."""
    way = (home / "way").read_text().strip()
    if way not in WAYS:
        raise EmbeddedError(f"{home / 'way'} says {way!r}, expected one of {', '.join(WAYS)}.")
    if (way == "plain") == (os.geteuid() == 0):
        user = "an ordinary user" if way == "plain" else "root"
        raise EmbeddedError(
            f"The data in {home} was made by {user} (way {way!r}) and cannot be served as "
            "another user: run as that user, or set TASKER_DATA_DIR to another folder."
        )
    return way


def prefix(way: str) -> list[str]:
    """Return the words that stand in front of a program."""
    return UNSHARE if way == "unshare" else []


def identity(way: str) -> dict[str, Any]:
    """Return what `subprocess` needs to run a program as the right user."""
    if way != "nobody":
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def refuse_unreachable(way: str, *folders: Path) -> None:
    """Raise `EmbeddedError` naming the first folder that the user nobody cannot enter."""
    for folder in folders if way == "nobody" else ():
        for each in folder.parents:
            if not each.stat().st_mode & 0o001:
                raise EmbeddedError(
                    f"PostgreSQL may not run as root, unshare is refused here, and the user nobody "
                    f"cannot enter {each}: run as an ordinary user, move the project or "
                    f"TASKER_DATA_DIR, allow it with chmod o+x, or set DATABASE_URL."
                )


def hand_over(folder: Path, way: str) -> None:
    """Give a fresh folder to the user that the server runs as."""
    if way == "nobody":
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
