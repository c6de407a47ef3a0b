"""What the service manager is told: sd_notify(3), a datagram of a few lines to the socket that it names."""

import contextlib
import os
import socket
import time
from typing import Final

_ADDRESS: Final = "NOTIFY_SOCKET"
_WATCHDOG: Final = ("WATCHDOG_USEC", "WATCHDOG_PID")


class Notifier:
    """Tells systemd; without it, nobody. `watchdog` is within how many seconds it wants a sign of life, None: never."""

    def __init__(self) -> None:
        """Take the address out of the environment: it is not for the programs that are started from here."""
        address = os.environ.pop(_ADDRESS, "")
        usec, pid = (os.environ.pop(name, "") for name in _WATCHDOG)
        self.watchdog = int(usec) / 1e6 if usec.isdigit() and int(usec) and pid in ("", str(os.getpid())) else None
        self._status, self._ready = "", False
        self._sock: socket.socket | None = None
        if address.startswith(("/", "@")):
            self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
            try:
                self._sock.connect("\0" + address[1:] if address.startswith("@") else address)
            except OSError:
                self.close()

    def close(self) -> None:
        """Say no more."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def ready(self) -> None:
        """What others wait for is done. Said once."""
        if not self._ready:
            self._ready = True
            self._send("READY=1")

    def reloading(self) -> None:
        """The config is read again. Since systemd 253 it wants the time with it."""
        if not self._ready:
            return  # it waits for the start
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def reloaded(self) -> None:
        """That is done."""
        if self._ready:
            self._send("READY=1")

    def alive(self) -> None:
        """A sign of life, for the watchdog."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1")

    def status(self, sentence: str) -> None:
        """One line that `systemctl status` shows; the same again is not sent."""
        if sentence != self._status:
            self._status = sentence
            self._send(f"STATUS={sentence}")

    def _send(self, *lines: str) -> None:
        """The manager may be gone, or its queue full: nothing that is told is worth waiting or failing for."""
        if self._sock is not None:
            with contextlib.suppress(OSError):
                self._sock.send("\n".join(lines).encode())
