"""What the real tier needs of the machine, each named when it is not there."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
TUN = Path("/dev/net/tun")
TRIAL = f"ol{os.getpid()}-trial"
# The package of each thing that Debian can give; the last two hold headers that Ollama's Go module lacks.
RUN_PACKAGES = {
    "/usr/sbin/ip": "iproute2",
    "/usr/sbin/iptables": "iptables",
    "/usr/bin/cc": "gcc",
    "/usr/include/time.h": "libc6-dev",
}
BUILD_PACKAGES = {
    "/usr/include/nlohmann/json.hpp": "nlohmann-json3-dev",
    "/usr/include/stb/stb_image.h": "libstb-dev",
}


@dataclass(frozen=True)
class Lack:
    """One thing that is missing."""

    what: str
    refused: bool = False  # the machine itself says no: nothing that could be installed would help

    def __str__(self) -> str:
        return f"{self.what} (this machine refuses it)" if self.refused else self.what


def lacking(*, to_build: bool) -> list[Lack]:
    """Return all that is missing to run, and to build; install on the way what Debian has."""
    if sys.platform != "linux":
        return [Lack(f"Linux (this is {sys.platform})")]
    if os.geteuid() != 0:
        return [Lack("root: network namespaces and TUN devices are made")]
    packages = RUN_PACKAGES | (BUILD_PACKAGES if to_build else {})
    lacks = _install({path: name for path, name in packages.items() if not _present(path)})
    lacks += [lack for lack in (_tun(), _namespace()) if lack]
    if to_build:
        lacks += [lack for lack in (_go(), _compiler()) if lack]
    return lacks


def needed_go() -> str:
    """Return the Go version that the control server's go.mod asks for, e.g. `1.26.6`."""
    found = re.search(r"^go (\S+)$", (HERE / "control" / "go.mod").read_text(), re.MULTILINE)
    assert found
    return found[1]


def _present(path: str) -> bool:
    """Return if it is there; a program may also stand elsewhere on PATH."""
    name = Path(path)
    return name.exists() or ("bin" in name.parent.name and shutil.which(name.name) is not None)


def _install(packages: dict[str, str]) -> list[Lack]:
    """Install Debian packages where that is possible; return what is still missing after that."""
    if packages and shutil.which("apt-get"):
        print(f"real: apt-get install {' '.join(packages.values())}", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", *packages.values()]):
            done = subprocess.run(["apt-get", "-qq", *command], env=quiet, capture_output=True, text=True, check=False)
            if done.returncode:
                print(done.stderr.strip(), flush=True)
                break
    return [Lack(f"{path} (Debian: {name})") for path, name in packages.items() if not _present(path)]


def _tun() -> Lack | None:
    """WireGuard in a namespace needs a TUN device; containers often have none."""
    try:
        os.close(os.open(TUN, os.O_RDWR))
    except OSError as error:
        return Lack(f"{TUN}: {error.strerror}", refused=True)
    return None


def _namespace() -> Lack | None:
    """Make a namespace with what a node needs, and end it again: whether that works only a trial tells."""
    if not shutil.which("ip") or not shutil.which("iptables"):
        return None  # named by their packages
    inside = ["ip", "netns", "exec", TRIAL]
    steps = [
        ["ip", "netns", "add", TRIAL],
        [*inside, "ip", "link", "add", "br0", "type", "bridge"],
        [*inside, "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"],
        [*inside, "iptables", "--list"],
    ]
    try:
        for step in steps:
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            if done.returncode:
                return Lack(f"network namespaces: {' '.join(step)}: {done.stderr.strip()}", refused=True)
    finally:
        subprocess.run(["ip", "netns", "del", TRIAL], capture_output=True, check=False)
    return None


def _go() -> Lack | None:
    wanted = f"Go {needed_go()} or newer"
    if not shutil.which("go"):
        return Lack(wanted)
    local = {**os.environ, "GOTOOLCHAIN": "local"}
    asked = subprocess.run(["go", "env", "GOVERSION"], env=local, cwd="/", capture_output=True, text=True, check=False)
    has = asked.stdout.strip()
    return Lack(f"{wanted} (this is {has})") if _version(has) < _version(needed_go()) else None


def _compiler() -> Lack | None:
    names = [os.environ.get("CXX", "g++"), "g++", "clang++"]
    return None if any(map(shutil.which, names)) else Lack("a C++ compiler (Debian: g++)")


@functools.cache
def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))
