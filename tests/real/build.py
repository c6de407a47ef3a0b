"""Builds the pinned programs of the real tier into a cache outside the tree; a second run finds them there.

`python -m tests.real.build` builds, and prints the folder.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from tests.real import needs

TAILSCALE = "v1.102.5"
OLLAMA = "v0.17.4"
OLLAMA_MODULE = "github.com/ollama/ollama"
MINIAUDIO = "1.71"  # one of the headers that Ollama's Go module lacks; only this Python package ships it
MINIAUDIO_SHA256 = "ff51e2887bb673e2e757752b586b3dc924d59aa5fbcae9bbc45f4a111bd3262b"
CONTROL = Path(__file__).parent / "control"
CLOCKS = Path(__file__).parent / "clocks.c"
PROGRAMS = ("tailscale", "tailscaled", "control", "ollama")


def folder() -> Path:
    """Return where the programs stand or will stand: a folder given by hand, else one named by its content."""
    if given := os.environ.get("OLLAMA_LOCATE_REAL_BIN"):
        return Path(given)
    return cache() / _digest() / "bin"


def ready() -> bool:
    """Return if nothing is left to build."""
    return all(os.access(folder() / name, os.X_OK) for name in PROGRAMS)


def build() -> Path:
    """Build what is missing; the folder appears whole or not at all. Return it."""
    if ready():
        return folder()
    if "OLLAMA_LOCATE_REAL_BIN" in os.environ:
        raise FileNotFoundError(f"OLLAMA_LOCATE_REAL_BIN: {folder()} lacks one of {', '.join(PROGRAMS)}")
    started = time.monotonic()
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache(), prefix="build-") as part:
        target = Path(part) / "bin"
        target.mkdir()
        _say(f"building tailscale and tailscaled {TAILSCALE} (all of it takes about 6 minutes, once)")
        _go("install", *(f"tailscale.com/cmd/{name}@{TAILSCALE}" for name in PROGRAMS[:2]), into=target)
        _say("building the control server")
        _go("build", "-buildvcs=false", "-o", str(target / "control"), ".", into=target, at=CONTROL)
        _say(f"building ollama {OLLAMA}, CPU only")
        version = f"-X={OLLAMA_MODULE}/version.Version={OLLAMA.removeprefix('v')}"
        _go("install", "-ldflags", version, f"{OLLAMA_MODULE}@{OLLAMA}", into=target, headers=_headers())
        if not folder().parent.exists():  # else another run was faster
            Path(part).rename(folder().parent)
            Path(part).mkdir()  # for TemporaryDirectory, which removes what it made
    _say(f"built in {time.monotonic() - started:.0f} s: {folder()}")
    return folder()


@functools.cache
def clocks() -> Path:
    """Return the shim that moves a process's clocks (clocks.py); it is compiled in a moment."""
    target = cache() / f"clocks-{hashlib.sha256(CLOCKS.read_bytes()).hexdigest()[:16]}.so"
    if not target.exists():
        cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache(), prefix="build-") as part:
            made = Path(part) / target.name
            subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", made, CLOCKS], check=True)
            made.rename(target)
    return target


def cache() -> Path:
    """Return where all that is built or installed once stays."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ollama-locate-real"


def _digest() -> str:
    """Name the versions and the control server's sources: a change of either is another folder."""
    parts = hashlib.sha256(f"{TAILSCALE} {OLLAMA} {MINIAUDIO}".encode())
    for source in sorted(CONTROL.iterdir()):
        parts.update(source.name.encode() + b"\0" + source.read_bytes())
    return parts.hexdigest()[:16]


def _go(*arguments: str, into: Path, at: Path = Path("/"), headers: Path | None = None) -> None:
    """Run go. Not another toolchain: a Go that is too old was named before, it must not fetch a newer one."""
    own = {"GOBIN": str(into), "GOTOOLCHAIN": "local"}
    if headers:
        own |= dict.fromkeys(("CGO_CFLAGS", "CGO_CXXFLAGS"), f"-O2 -g0 -I{headers}")
    subprocess.run(["go", *arguments], cwd=at, env={**os.environ, **own}, check=True)


def _headers() -> Path:
    """Return a folder with miniaudio/miniaudio.h. Always the same one: its path is part of Go's cache key."""
    header = cache() / "headers" / "miniaudio" / "miniaudio.h"
    if not header.exists():
        header.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as name:
            wanted = Path(name) / "wanted.txt"
            wanted.write_text(f"miniaudio=={MINIAUDIO} --hash=sha256:{MINIAUDIO_SHA256}\n")
            options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:"]
            hashed = ["--require-hashes", "-r", str(wanted), "--dest", name]
            subprocess.run([sys.executable, "-m", "pip", "download", *options, *hashed], check=True)
            (archive,) = Path(name).glob("*.tar.gz")
            with tarfile.open(archive) as tar:
                member = next(m for m in tar.getnames() if m.endswith("/miniaudio/miniaudio.h"))
                content = tar.extractfile(member)
                assert content
                part = header.with_suffix(".part")
                with part.open("wb") as out:
                    shutil.copyfileobj(content, out)
        part.rename(header)
    return header.parent.parent


def _say(text: str) -> None:
    print(f"real: {text}", flush=True)


if __name__ == "__main__":
    if lacks := needs.lacking(to_build=not ready()):
        sys.exit("missing: " + "; ".join(map(str, lacks)))
    print(build())
