"""What the rows with an emulated tailnet need of the machine, and what of it is missing."""

from __future__ import annotations

import os
import shutil
import sys
from functools import cache
from pathlib import Path


@cache
def missing() -> str:
    """In words for the table; empty where everything is there."""
    reasons = []
    if sys.platform != "linux":
        reasons.append("Linux")
    if os.geteuid() != 0:
        reasons.append("root")
    if not Path("/dev/net/tun").exists():
        reasons.append("/dev/net/tun")
    if not shutil.which("ip"):
        reasons.append("iproute2 (the command ip)")
    return f"needs {', '.join(reasons)}" if reasons else ""
