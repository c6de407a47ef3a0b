"""The programs of docs/clients.md that a registry has, installed once, beside the tier's other programs.

clients.in names them; clients.txt is made of it by `make lock`, and has the hash of each file.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.real import build

WANTED = Path(__file__).parent / "clients.txt"


def installed() -> Path:
    """Return the folder of their commands; half a gigabyte and a minute, the first time."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {WANTED.read_text()}".encode()).hexdigest()[:16]
    target = build.cache() / f"clients-{digest}"
    if not (target / "bin" / "llm").exists():
        print("real: installing the clients (a minute, once)", flush=True)
        build.cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=build.cache(), prefix="build-") as part:
            # Scripts name their interpreter: it is installed where it stays, and counts when it is whole.
            subprocess.run([sys.executable, "-m", "venv", "--clear", target], check=True)
            python: list[str | Path] = [target / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
            hashed: list[str | Path] = [
                "install",
                "--quiet",
                "--no-deps",
                "--require-hashes",
                "--cache-dir",
                part,
                "-r",
                WANTED,
            ]
            subprocess.run([*python, *hashed], check=True)
    return target / "bin"
