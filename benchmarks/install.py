"""The package as a user gets it: a wheel, installed by a current pip into an environment of its own.

The developers' environment is no measure: an editable install and coverage add to every start.
"""

from __future__ import annotations

import atexit
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from benchmarks.process import ROOT

NAME = "ollama-locate"


def pip(*words: str) -> None:
    """The pip of the environment that runs the benchmarks; `dev.lock` keeps it current."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=300)
    if done.returncode:
        raise RuntimeError(f"pip {words[0]}: {done.stderr.strip()[-300:]}")


@cache
def programs(prefix: str = f"olb-{os.getpid()}-install-") -> Path:
    """The folder of `ollama-locate`, `ollama-located` and their `python`; removed when the run ends.

    `prefix`: who is no run of the benchmarks has a folder that leftovers.py does not take for one of theirs.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    pins = folder / "pins"
    here = importlib.metadata.distributions()
    pins.write_text("".join(f"{each.name}=={each.version}\n" for each in here if each.name != NAME))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    python = folder / "env/bin/python"
    pip("--python", str(python), "install", "--constraint", str(pins), str(wheel))
    return python.parent


def pip_version() -> str:
    return importlib.metadata.version("pip")
