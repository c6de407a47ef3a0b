"""A process whose wall clock and boot clock a test can move while it runs; the machine's clocks stay."""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING

from tests.real import build

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3600.0


class Clocks:
    """What the shim (clocks.c) adds to the clocks of the processes that have `env`, in seconds."""

    def __init__(self, path: Path) -> None:
        self.wall = self.boot = 0.0
        path.write_bytes(bytes(16))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 16)
        self.env = {"LD_PRELOAD": str(build.clocks()), "CLOCKS_FILE": str(path)}

    def sleep(self, seconds: float) -> None:
        """The machine slept: both clocks went on, the monotonic one (and the program) did not."""
        self._move(seconds, seconds)

    def step(self, seconds: float) -> None:
        """Somebody set the wall clock."""
        self._move(seconds, 0.0)

    def _move(self, wall: float, boot: float) -> None:
        self.wall += wall
        self.boot += boot
        self._map[:] = struct.pack("=qq", round(self.wall * 1e9), round(self.boot * 1e9))
