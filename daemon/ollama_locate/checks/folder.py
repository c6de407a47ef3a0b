"""The state folder: its owner, who else can write it, and whether there is room."""

import errno
import os
import shlex
import stat
from pathlib import Path
from typing import NamedTuple

from ollama_locate.core.bounds import FOLDER_ROOM, STATE_MAX_BYTES
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.finding import Finding, found
from ollama_locate.core.render import read_snapshot
from ollama_locate.core.text import shown
from ollama_locate.edge import folders
from ollama_locate.edge.files import read

from .case import Case

_OTHERS_WRITE = 0o022


class Facts(NamedTuple):
    """What stat and statvfs say of the folder, or of where it is to be made. `free` is bytes, `inodes` files."""

    path: str
    user: str
    uid: int
    owner: int
    mode: int
    read_only: bool = False
    writable: bool = True
    free: int = FOLDER_ROOM
    inodes: int = 1
    unreadable: str = ""
    restart: str = ""


def run(case: Case) -> list[Finding]:
    """Look at it: the folder that the daemon writes, and the one that is read."""
    try:
        facts = gather(folders.state_folder(), case.user)
        if case.folder == folders.SYSTEM_STATE:
            return judge(facts._replace(unreadable=_unreadable(case.folder)))
    except StateFolderError as error:
        return [found("folder_unusable", detail=str(error), quoted="~")]
    except OSError as error:
        path = str(folders.state_folder())
        detail = shown(f"{path}: {error.strerror}.")
        return [found("folder_unusable", detail=detail, quoted=shlex.quote(path))]
    return judge(facts._replace(unreadable=_unreadable(Path(facts.path))))


def judge(facts: Facts) -> list[Finding]:
    """Say what is wrong: who else has a hand in it first, as that is about trust."""
    quoted = shlex.quote(facts.path)
    path = shown(facts.path)
    if facts.owner != facts.uid:
        return [found("folder_owner", path=path, uid=facts.owner, user=facts.user, quoted=quoted)]
    if not stat.S_ISDIR(facts.mode):
        return [found("folder_no_folder", path=path, quoted=quoted)]
    findings = []
    if facts.mode & _OTHERS_WRITE:
        findings.append(found("folder_open", path=path, quoted=quoted))
    if facts.read_only:
        findings.append(_unwritable(path, "Its disk is mounted for reading only", f"findmnt -T {quoted}"))
    elif not facts.writable:
        findings.append(
            _unwritable(path, "Its mode or an attribute forbids it", f"ls -ld {quoted}; lsattr -d {quoted}")
        )
    elif facts.free < FOLDER_ROOM or facts.inodes == 0:
        detail = f"{facts.free // 1024} KiB are free, and {facts.inodes} files can be made"
        findings.append(found("folder_full", path=path, quoted=quoted, detail=detail))
    if facts.unreadable:
        findings.append(found("state_unreadable", detail=facts.unreadable, restart="ollama-locate refresh"))
    return findings


def _unwritable(path: str, detail: str, command: str) -> Finding:
    return found("folder_read_only", path=path, detail=detail, command=command)


def gather(path: Path, user: str) -> Facts:
    """The facts; of a folder that is not there yet, those of the nearest one above. Raises OSError."""
    there = path
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    info = there.stat()
    space = os.statvfs(there)
    made = there == path
    uid = os.geteuid()
    read_only = bool(space.f_flag & os.ST_RDONLY)
    return Facts(
        str(path),
        user,
        uid,
        info.st_uid if made else uid,
        info.st_mode if made else stat.S_IFDIR | 0o700,
        read_only,
        writable=_may_write(there),
        free=space.f_bavail * space.f_frsize,
        # A file system that does not count its files says 0 of 0 (btrfs).
        inodes=space.f_favail if space.f_files else 1,
    )


def _may_write(path: Path) -> bool:
    try:
        return os.access(path, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)
    except OSError as error:
        return error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM)


def _unreadable(folder: Path) -> str:
    """Why the published state cannot be read; empty where it can, or is not there."""
    try:
        data = read(folder, "state.json", STATE_MAX_BYTES)
        if data is not None:
            read_snapshot(data)
    except StateFolderError as error:
        return str(error)
    except ValueError as error:
        return f"{folder / 'state.json'}: {error}"
    return ""
