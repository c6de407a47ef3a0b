"""`python -m tests.real.show`: watch the endpoint while servers are killed, silenced, stopped and revived.

A real tailnet, real Ollama servers, the daemon with its defaults. On the left what is done, on the right what every
program on the laptop is told: whenever the files say something else, and how long after that was done. Two minutes.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.real import build, needs
from tests.real.lab import Lab
from tests.real.located import Located
from tests.real.tailnet import Tailnet

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOK = 0.02
LINE = "{:8.3f}  {:<52}{}"


class Timeline:
    """Prints what is done and, from a thread of its own, what the files say."""

    def __init__(self, lab: Lab, located: Located) -> None:
        self._located = located
        self._names = {lab.url(name): name for name in lab.tailnet.nodes}
        self._began = self._event = time.monotonic()
        self._said = ""
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()

    def does(self, what: str) -> None:
        """Say what is done from this moment."""
        with self._lock:
            self._event = time.monotonic()
            print(LINE.format(self._event - self._began, what, "").rstrip(), flush=True)

    def rests(self, at_least: float = 3.0, *, at_most: float = 20.0, until: str = "") -> None:
        """Let it be: until the files have said so (`nas fresh`), and for a moment in any case."""
        end = time.monotonic() + at_most
        while until and not self._said.startswith(until) and time.monotonic() < end:
            time.sleep(LOOK)
        if until and not self._said.startswith(until):
            self.does(f"!!! not within {at_most:g} s: {until}")
        time.sleep(at_least)

    def _watch(self) -> None:
        while not self._over.wait(LOOK):
            url, verdict = self._located.endpoint(), self._located.verdict()
            said = f"{self._names.get(url, '?')} {verdict}  {url}" if url else ""
            if said != self._said:
                with self._lock:
                    self._said = said
                    now = time.monotonic()
                    after = f"{said}   after {now - self._event:.2f} s"
                    print(LINE.format(now - self._began, "", after), flush=True)


def play(lab: Lab, located: Located, line: Timeline) -> None:
    """Do it all, one thing after the other."""
    line.does("the daemon starts; it prefers gpu")
    located.start()
    line.rests(until="gpu fresh")
    line.does("gpu: Ollama killed")
    with lab.ollama_killed("gpu"):
        line.rests(until="nas fresh")
    line.does("gpu: Ollama is back (it has to live for a minute first)")
    line.rests(6)
    line.does("nas: Ollama killed, behind `tailscale serve`")
    with lab.ollama_killed("nas"):
        line.rests(until="gpu fresh")
    line.does("nas: Ollama is back")
    line.rests()
    line.does("gpu: cable pulled")
    with lab.unplugged("gpu"):
        line.rests(until="nas fresh")
    line.does("gpu: cable plugged in")
    line.rests(6)
    line.does("laptop: its own cable pulled")
    with lab.unplugged("laptop"):
        line.rests(until="nas stale")
        line.does("laptop: plugged in")
    line.rests(until="nas fresh")
    line.does("laptop: tailscaled stopped")
    with lab.tailscaled_stopped():
        line.rests(2)
        line.does("laptop: tailscaled starts")
    line.rests(5, until="nas fresh")
    line.does("the control server stands still (SIGSTOP), DERP with it")
    with lab.tailnet.control_paused():
        line.rests(10)
    line.does("the control server goes on")
    line.rests()
    line.does("the daemon stands still (SIGSTOP)")
    with located.paused():
        line.rests(11)
        line.does("nas: Ollama killed meanwhile")
        lab.ollamas["nas"].kill()
        line.rests(1)
        line.does("the daemon goes on (SIGCONT)")
    line.rests(until="gpu fresh")
    line.does("nas: Ollama is back")
    lab.ollamas["nas"].start()
    line.rests(8)
    line.does("gpu: Ollama hangs (SIGSTOP): seen when it is asked, every 30 s")
    with lab.ollamas["gpu"].paused():
        line.rests(until="nas fresh", at_most=90)
    line.does("gpu: Ollama goes on (SIGCONT)")
    line.rests(5)


def main() -> None:
    if lacks := needs.lacking(to_build=not build.ready()):
        sys.exit("missing: " + "; ".join(map(str, lacks)))
    with Tailnet(build.build()) as tailnet, tempfile.TemporaryDirectory() as folder:
        print("a tailnet of eight machines comes up ...", flush=True)
        lab = Lab(tailnet)
        lab.settled()
        located = Located(lab.laptop, Path(folder) / "daemon", prefer='["gpu", "*"]')
        line = Timeline(lab, located)
        try:
            with line.running():
                play(lab, located, line)
            print("\n$ ollama-locate history\n" + located.cli("history", check=False).stdout, flush=True)
        finally:
            located.stop()


if __name__ == "__main__":
    main()
