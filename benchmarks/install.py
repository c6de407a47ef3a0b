"""The package as a user gets it: a wheel, installed by a current pip into an environment of its own.

The developers' environment is no measure: an editable install and coverage add to every start. What the wheel needs
comes as `dev.lock` says, each file by its hash. `python -m benchmarks.install PYTHON WHEEL` does that for `.ci/run`.
"""

from __future__ import annotations

import atexit
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.process import ROOT

NAME = "ollama-locate"
LOCK = ROOT / "dev.lock"


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
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    python = folder / "env/bin/python"
    install(python, wheel)
    return python.parent


def install(python: Path, wheel: Path) -> None:
    """What the wheel needs, by its hashes, then the wheel; and that nothing is missing which it says it needs."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pins:
        pins.write(locked(needs(NAME)))
        pins.flush()
        pip("--python", str(python), "install", "--no-deps", "--require-hashes", "-r", pins.name)
    pip("--python", str(python), "install", "--no-deps", "--no-index", str(wheel))
    pip("--python", str(python), "check")


def needs(name: str) -> set[str]:
    """The packages that this one needs here, and what those need: as the developers' environment has them."""
    found, left = set[str](), [name]
    while left:
        for text in importlib.metadata.requires(left.pop()) or ():
            wanted = Requirement(text)
            key = canonicalize_name(wanted.name)
            if key not in found and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
                found.add(key)
                left.append(key)
    return found


def locked(names: set[str]) -> str:
    """Their entries in `dev.lock`, hashes included."""
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", LOCK.read_text())
    return "".join(one for one in entries if canonicalize_name(re.split(r"[=\s]", one, maxsplit=1)[0]) in names)


def pip_version() -> str:
    return importlib.metadata.version("pip")


if __name__ == "__main__":
    install(Path(sys.argv[1]), Path(sys.argv[2]))
