"""A script in a network namespace of its own, where real events can be made; it ends with the script."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the events are made with Linux's tools")


def in_a_namespace(script: str, *words: str, before: Iterable[str] = ()) -> str:
    """What it prints, given these words, after these `ip` commands; skips where a namespace cannot be had."""
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        pytest.skip("needs root, ip and unshare")
    if subprocess.run(["unshare", "-n", "ip", "link", "set", "lo", "up"], check=False, capture_output=True).returncode:
        pytest.skip("this machine makes no network namespace")
    lines = " && ".join(f"ip {line}" for line in ("link set lo up", *before))
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", f'{lines} && exec "$0" -c "$@"', sys.executable, script, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT / "daemon")},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
