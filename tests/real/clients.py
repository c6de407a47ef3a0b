"""The programs of docs/clients.md that a registry has, installed once, beside the tier's other programs."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.real import build

HERE = Path(__file__).parent


def installed() -> Path:
    """Return the folder of their commands; half a gigabyte and a minute, the first time."""
    return _installed("clients", "llm")


def proxy() -> Path:
    """Return the folder of LiteLLM's proxy: it wants other versions of half of what the clients want."""
    return _installed("litellm", "litellm")


def _installed(name: str, program: str) -> Path:
    """Return the folder of what NAME.txt lists; whole where the program is there: pip installs what it needs first."""
    wanted = HERE / f"{name}.txt"
    digest = hashlib.sha256(f"{sys.version_info[:2]} {wanted.read_text()}".encode()).hexdigest()[:16]
    target = build.cache() / f"{name}-{digest}"
    if not (target / "bin" / program).exists():
        print(f"real: installing the {name} (a minute, once)", flush=True)
        build.cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=build.cache(), prefix="build-") as part:
            # Scripts name their interpreter: it is installed where it stays, and counts when it is whole.
            subprocess.run([sys.executable, "-m", "venv", "--clear", target], check=True)
            python: list[str | Path] = [target / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
            subprocess.run([*python, "install", "--quiet", "--cache-dir", part, "-r", wanted], check=True)
    return target / "bin"
