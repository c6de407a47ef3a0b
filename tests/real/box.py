"""A machine with a real systemd as PID 1, in namespaces: its own /etc, /home, /run, network and processes.

The program lies in /opt there, as a system's service sees no home folder, where a checkout and its Python may be.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tests.real.namespaces import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
SYSTEMD = Path("/lib/systemd/systemd")
TOOLS = ("unshare", "nsenter", "setpriv", "systemctl", "systemd-sysusers", "userdel")
NAMESPACES = ("--mount", "--pid", "--fork", "--kill-child=KILL", "--uts", "--ipc", "--cgroup", "--net")
INSIDE = ("-m", "-p", "-i", "-u", "-C", "-n", "--wd=/")
USER, UID = "ada", 4711
WITHIN = 60.0
ENTRY = """\
#!/bin/sh
export LD_LIBRARY_PATH=/opt/python/lib PYTHONPATH=/opt/daemon:/opt/deps
exec /opt/python/bin/python3 -c '{code}' "$@"
"""
PROGRAMS = {
    "ollama-locate": "import sys; from ollama_locate.main import main; sys.exit(main())",
    "ollama-located": "import sys; from ollama_locate.located.main import main; sys.exit(main())",
    # Stands still for good on SIGUSR2, with all that it holds.
    "stalling": "import signal, sys, time; from ollama_locate.located.main import main; "
    "signal.signal(signal.SIGUSR2, lambda *_: time.sleep(3600)); sys.exit(main())",
}
# {disk} outlives the machine's runs, as a disk does.
BOOT = """\
set -e
mount --make-rprivate /
mkdir -p {disk}/etc {disk}/home {disk}/varlib {disk}/opt
[ -e {disk}/etc/passwd ] || cp -a /etc/. {disk}/etc
mount --bind {disk}/etc /etc; mount --bind {disk}/varlib /var/lib; mount --bind {disk}/home /home
mkdir -p /opt; mount --bind {disk}/opt /opt
mkdir -p /opt/python /opt/deps /opt/daemon /opt/systemd /opt/launchd
mount --bind {python} /opt/python; mount --bind {deps} /opt/deps; mount --bind {root}/daemon /opt/daemon
mount --bind {root}/systemd /opt/systemd; mount --bind {root}/launchd /opt/launchd
mount -t tmpfs tmpfs /tmp; mount -t tmpfs tmpfs /var/tmp; mount -t tmpfs tmpfs /run; mkdir -p /run/lock
umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup
mount -t proc proc /proc
ip link set lo up
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  {systemd} --system --unit=multi-user.target --log-target=journal-or-kmsg --show-status=no
"""


def lacking() -> str:
    """What this machine lacks for it, empty if nothing."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "root on Linux"
    missing = [name for name in TOOLS if not shutil.which(name)]
    return "" if SYSTEMD.exists() and not missing else f"systemd ({', '.join(missing) or SYSTEMD})"


class Box:
    """`on` boots it; what was written in /etc, /home and /var/lib is there again at the next boot."""

    def __init__(self, disk: Path) -> None:
        self._disk = disk
        self._outer: subprocess.Popen[bytes] | None = None
        self._pid = 0
        for folder in ("etc", "opt/ollama-locate/bin"):
            (disk / folder).mkdir(parents=True)
        subprocess.run(["cp", "-a", "/etc/.", str(disk / "etc")], check=True)
        shutil.rmtree(disk / "etc/systemd/system")
        (disk / "etc/systemd/system").mkdir()
        for file, more in (("passwd", f":{UID}::/home/{USER}:/bin/bash"), ("group", ":")):
            with (disk / "etc" / file).open("a") as out:
                out.write(f"{USER}:x:{UID}{more}\n")
        for name, code in PROGRAMS.items():
            entry = disk / "opt/ollama-locate/bin" / name
            entry.write_text(ENTRY.format(code=code))
            entry.chmod(0o755)
        home = disk / f"home/{USER}"
        home.mkdir(parents=True)
        os.chown(home, UID, UID)

    def path(self, inside: str) -> Path:
        """Where a file of the machine's disk lies outside."""
        return self._disk / inside.lstrip("/").replace("var/lib/", "varlib/", 1)

    @contextlib.contextmanager
    def on(self) -> Iterator[Box]:
        """Boot it, and turn it off."""
        deps = Path(msgspec.__file__).parents[1]
        script = BOOT.format(disk=self._disk, python=sys.base_prefix, root=ROOT, systemd=SYSTEMD, deps=deps)
        with (self._disk / "boot.log").open("ab") as log:
            self._outer = subprocess.Popen(
                ["unshare", *NAMESPACES, "bash", "-c", script],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._pid = until(self._child, 10, "systemd has begun")
            until(self._booted, 30, f"systemd has booted; see {self._disk}/boot.log")
            yield self
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._outer.pid, signal.SIGKILL)
            self._outer.wait(10)

    def run(
        self,
        *command: str,
        user: bool = False,
        check: bool = True,
        within: float = 60,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there, as root or as the user."""
        path = "/opt/ollama-locate/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        own = {"PATH": path, "HOME": f"/home/{USER}" if user else "/root", "LC_ALL": "C", **(env or {})}
        become = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--init-groups"] if user else []
        words = ["nsenter", "-t", str(self._pid), *INSIDE, *become, "env", "-i"]
        words += [*(f"{key}={value}" for key, value in own.items()), *command]
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=within, check=False
        )
        assert not check or done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def log_in(self) -> dict[str, str]:
        """Start the user's own manager, as a login does; returns the environment of the session."""
        runtime = f"/run/user/{UID}"
        self.run("install", "-d", "-o", USER, "-g", USER, "-m", "700", runtime)
        set_up = (f"User={USER}", "Delegate=yes", "Type=notify", f"Environment=XDG_RUNTIME_DIR={runtime}")
        words = [f"--property={one}" for one in set_up]
        self.run("systemd-run", "--quiet", "--unit=session", *words, str(SYSTEMD), "--user")
        return {"XDG_RUNTIME_DIR": runtime}

    def show(self, *names: str, unit: str = "ollama-located") -> dict[str, str]:
        """Properties of the system's unit."""
        out = self.run("systemctl", "show", unit, f"--property={','.join(names)}").stdout
        return dict(line.partition("=")[::2] for line in out.splitlines())

    def _child(self) -> int:
        assert self._outer is not None
        assert self._outer.poll() is None, (self._disk / "boot.log").read_text()
        pid = self._outer.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children and Path(f"/proc/{children[0]}/comm").read_text() == "systemd\n" else 0

    def _booted(self) -> bool:
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")
