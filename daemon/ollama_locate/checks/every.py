"""All checks, at once: each in a thread of its own, with a deadline for all. None can hide, or end, the others."""

import threading
import time
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from typing import Final

from ollama_locate.core.bounds import DOCTOR_DEADLINE, DOCTOR_PROGRESS
from ollama_locate.core.finding import Finding, found
from ollama_locate.core.text import shown

from . import clock, config, daemon, environment, folder, neovim, peers, shell, tailscale
from .case import Case

Run = Callable[[Case], list[Finding]]

CHECKS: Final[Mapping[str, Run]] = {
    "tailscale": tailscale.run,
    "servers": peers.run,
    "folder": folder.run,
    "config": config.run,
    "daemon": daemon.run,
    "shell": shell.run,
    "environment": environment.run,
    "clock": clock.run,
    "neovim": neovim.run,
}


def run_all(
    case: Case,
    checks: Mapping[str, Run] = CHECKS,
    waiting: Callable[[list[str]], None] = lambda names: None,  # noqa: ARG005 - nobody is told
    deadline: float = DOCTOR_DEADLINE,
) -> list[Finding]:
    """Run them; `waiting` is told the names of those under way when it takes longer than a moment.

    A check that raises, or does not end within `deadline` seconds, is a finding. The threads are daemons: one that
    hangs does not keep the program from ending.
    """
    done: SimpleQueue[tuple[str, list[Finding]]] = SimpleQueue()
    for name, run in checks.items():
        threading.Thread(
            target=lambda name=name, run=run: done.put((name, _safely(name, run, case))), daemon=True
        ).start()
    ends, left, findings = time.monotonic() + deadline, list(checks), list[Finding]()
    while left and (patience := ends - time.monotonic()) > 0:
        try:
            name, came = done.get(timeout=min(patience, DOCTOR_PROGRESS))
        except Empty:
            waiting(left)
            continue
        left.remove(name)
        findings += came
    if left:
        findings.append(found("check_hangs", check=", ".join(left), seconds=f"{deadline:g}"))
    return findings


def _safely(name: str, run: Run, case: Case) -> list[Finding]:
    try:
        return run(case)
    except Exception as error:  # noqa: BLE001 - a fault of a check is a finding, not the end of the others
        return [found("check_crashed", check=name, detail=shown(f"{type(error).__name__}: {error}").rstrip("."))]
