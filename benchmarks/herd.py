"""ollama-herd, in an environment of its own: it is no dependency of anything here."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from benchmarks.install import pip

LOCK = Path(__file__).parent / "herd.txt"
VERSION = re.findall(r"(?m)^ollama-herd==(\S+)", LOCK.read_text())[0]


@cache
def herd() -> Path | None:
    """The folder of `herd` and `herd-node`; None where it cannot be installed. Removed when the run ends."""
    folder = Path(tempfile.mkdtemp(prefix=f"olb-{os.getpid()}-herd-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, capture_output=True)
        pip("--python", str(folder / "bin/python"), "install", "--no-deps", "--require-hashes", "-r", str(LOCK))
    except (RuntimeError, subprocess.SubprocessError):
        return None
    return folder / "bin"
