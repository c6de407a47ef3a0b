"""CPU of a process *with* its children, by the microsecond: a control group of its own.

The daemon starts `tailscale` again and again; /proc counts ended children in ticks of 10 ms, which is a sixth
of what is allowed for a minute. Where no control group (version 2) can be made, those ticks are used and the
row says so.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.namespaces import PREFIX
from benchmarks.process import children_cpu_seconds, cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator


def hierarchy() -> Path | None:
    """Where the version 2 hierarchy is mounted (beside version 1, on some machines)."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(where)
    return None


class Meter:
    """CPU seconds of one process and its children since they were put under the meter."""

    def __init__(self, pid: int, group: Path | None) -> None:
        self.pid = pid
        self.group = group
        self.exact = group is not None

    def seconds(self) -> float:
        if self.group:
            return int((self.group / "cpu.stat").read_text().split()[1]) / 1e6
        return cpu_seconds(self.pid) + children_cpu_seconds(self.pid)


@contextlib.contextmanager
def meter(pid: int, name: str) -> Iterator[Meter]:
    root = hierarchy()
    group = root / f"{PREFIX}-{os.getpid()}-{name}" if root else None
    if group:
        try:
            group.mkdir(exist_ok=True)
            (group / "cgroup.procs").write_text(str(pid))
        except OSError:
            with contextlib.suppress(OSError):
                group.rmdir()
            group = None
    try:
        yield Meter(pid, group)
    finally:
        if group:
            leave(group, pid)


def leave(group: Path, pid: int) -> None:
    """A group can be removed once it is empty: its process goes back up, its children end in a moment."""
    with contextlib.suppress(OSError):
        (group.parent / "cgroup.procs").write_text(str(pid))
    for _ in range(50):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
