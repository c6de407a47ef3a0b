"""The main job, seen: `make demo`. Ends by itself within 20 s; non-zero if anything did not happen."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

from .scene import Scene, scene

LIMIT: Final = 20
"""Seconds for all of it."""

GPU: Final = "http://100.64.0.2:11434"
WORKSTATION: Final = "http://100.64.0.3:11434"
NONE: Final = "http://localhost:11434"
TTY: Final = sys.stdout.isatty() and "NO_COLOR" not in os.environ


class MissingError(Exception):
    """Something did not happen."""


def say(text: str = "", style: str = "") -> None:
    codes = {"head": "\x1b[1m", "good": "\x1b[32m", "bad": "\x1b[31m", "dim": "\x1b[2m"}
    print(f"{codes[style]}{text}\x1b[0m" if TTY and style else text, flush=True)


def wait_for(what: str, ready: Callable[[], bool], patience: float = 8.0) -> float:
    """Seconds until it is so; MissingError if it never is."""
    started = time.monotonic()
    while not ready():
        if time.monotonic() - started > patience:
            raise MissingError(f"{what}: not within {patience:g} s")
        time.sleep(0.005)
    return time.monotonic() - started


def server(of: Scene, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = of.snapshot().get("servers", [])
    return next((one for one in found if one["name"] == name), {})


def endpoint(of: Scene) -> str:
    return str(of.snapshot().get("decision", {}).get("endpoint", ""))


def show_servers(of: Scene) -> None:
    say(f"   {'SERVER':<13} {'STANDING':<11} {'RTT':>8}  WHY", "dim")
    for one in of.snapshot()["servers"]:
        if one["kind"] == "self_check":
            continue
        rtt = f"{one['rtt_ms']:.1f} ms" if one["rtt_ms"] is not None else "-"
        style = "good" if one["standing"] == "chosen" else ""
        say(f"   {one['name']:<13} {one['standing'].replace('_', ' '):<11} {rtt:>8}  {one['text']}", style)


def play(of: Scene) -> None:
    say("1. The daemon starts. Its tailnet: nine machines, three with an Ollama, at 5, 12 and 35 ms.", "head")
    of.start_daemon()
    took = wait_for("a first endpoint", lambda: endpoint(of) not in ("", NONE))
    wait_for("gpu-box chosen", lambda: endpoint(of) == GPU)
    wait_for("everybody asked", lambda: all(one["outcome"] for one in of.snapshot()["servers"]))
    say(f"   published {took:.2f} s after the start of the process: {endpoint(of)}", "good")
    say()
    say("2. Who was found, and why each stands where it does (`ollama-locate why`):", "head")
    show_servers(of)
    say("   left alone, never contacted:", "dim")
    for peer in of.snapshot()["rejected"]:
        say(f"   {peer['name']:<13} {peer['text']}")
    if {peer["reason"] for peer in of.snapshot()["rejected"]} != {"other_user", "phone_or_tv", "mullvad"}:
        raise MissingError("a peer was contacted that must not be, or left alone for another reason")
    say()
    say("3. What was written (the file `env`), and what a program gets:", "head")
    for text in (of.state / "env").read_text().splitlines():
        say(f"   {text}")
    say(f"   $ ollama-locate\n   {of.command().strip()}")
    if of.command().strip() != GPU:
        raise MissingError("the command does not print what was published")
    say()
    say("4. The Ollama on gpu-box is killed.", "head")
    of.kill("gpu-box")
    took = wait_for("the switch to workstation", lambda: endpoint(of) == WORKSTATION)
    say(f"   {took:.2f} s later everything is sent to {endpoint(of)}", "good")
    say(f"   gpu-box: {server(of, 'gpu-box')['text']}")
    say()
    say("5. It comes back.", "head")
    of.revive("gpu-box", 2, "mistral:latest", "qwen3:32b")
    took = wait_for("gpu-box up again", lambda: server(of, "gpu-box").get("health") == "up")
    back = server(of, "gpu-box")
    if endpoint(of) != WORKSTATION or back["standing"] != "held_down":
        raise MissingError(f"gpu-box bounced back at once: {back['standing']}")
    say(f"   seen {took:.2f} s later, and nothing bounces: {endpoint(of)} stays.", "good")
    say(f"   gpu-box: {back['text']} (until {back['held_until'][11:19]} UTC)")
    say()
    say("6. The daemon is told to stop.", "head")
    started = time.monotonic()
    if of.stop_daemon() != 0:
        raise MissingError("the daemon did not end well")
    say(f"   ended after {time.monotonic() - started:.2f} s; the files stay: {of.command('url').strip()}", "good")


def too_long(_signal: int, _frame: FrameType | None) -> None:
    raise MissingError(f"not done after {LIMIT} s")


def main() -> int:
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LIMIT)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ollama-locate-demo-") as folder, scene(Path(folder)) as of:
        try:
            play(of)
        except MissingError as error:
            say(f"\nFAILED: {error}", "bad")
            say(of.log.read_text() if of.log.exists() else "", "dim")
            return 1
    say(f"\nAll of it happened, in {time.monotonic() - started:.1f} s.", "head")
    return 0


if __name__ == "__main__":
    sys.exit(main())
