"""What a run that was killed left behind: namespaces, control groups and folders that carry its pid.

The next run removes them. A name counts as ours if it is `olb-PID-…`, and as left behind if no process of that
pid runs the benchmarks; nothing else is touched.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.meter import hierarchy
from benchmarks.namespaces import NETNS, PREFIX, remove

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = re.compile(rf"{PREFIX}-(\d+)-.+")


def alive(pid: int) -> bool:
    """Whether that process is a run of the benchmarks: a pid may have been given to another program since."""
    try:
        return b"benchmarks" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def of_dead_runs(folder: Path | None) -> Iterator[Path]:
    for found in sorted(folder.glob(f"{PREFIX}-*")) if folder and folder.is_dir() else []:
        match = OURS.fullmatch(found.name)
        if match and not alive(int(match[1])):
            yield found


def clear() -> list[str]:
    """Removes them, and says what was there. Namespaces come first: that ends what still runs."""
    gone = []
    for space in of_dead_runs(NETNS):
        remove(space.name)
        gone.append(f"the namespace {space.name}")
    for group in of_dead_runs(hierarchy()):
        with contextlib.suppress(OSError):
            group.rmdir()
            gone.append(f"the control group {group.name}")
    for folder in of_dead_runs(Path(tempfile.gettempdir())):
        if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.geteuid():
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(f"the folder {folder.name}")
    return gone
