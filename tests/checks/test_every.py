"""All checks at once: none can hide, end or hold up the others."""

import threading
import time

import pytest

from ollama_locate.checks import daemon
from ollama_locate.checks.case import Case, Once
from ollama_locate.checks.every import CHECKS, run_all
from ollama_locate.core.finding import Finding, found
from tests.checks.machine import Machine


def fine(_: Case) -> list[Finding]:
    return [found("no_server")]


def crashes(_: Case) -> list[Finding]:
    raise ValueError("oh\x1b[2J no")


def test_one_that_crashes_is_a_finding(here: Machine) -> None:
    findings = {one.code: one for one in run_all(here.case(), {"good": fine, "bad": crashes})}
    assert set(findings) == {"no_server", "check_crashed"}
    assert findings["check_crashed"].text == "The check `bad` ended in an error of its own."
    assert "ValueError: oh [2J no" in findings["check_crashed"].why


def test_one_that_hangs_is_a_finding_and_is_not_waited_for(here: Machine) -> None:
    forever, told = threading.Event(), list[list[str]]()

    def hangs(_: Case) -> list[Finding]:
        forever.wait(20)
        return []

    began = time.monotonic()
    findings = run_all(here.case(), {"good": fine, "slow": hangs, "slower": hangs}, told.append, deadline=0.8)
    assert time.monotonic() - began < 5
    forever.set()
    assert [one.code for one in findings] == ["no_server", "check_hangs"]
    assert "`slow, slower` did not end within 0.8 s" in findings[1].text
    assert told[0] == ["slow", "slower"], "what is under way is said"


def test_they_run_at_the_same_time(here: Machine) -> None:
    together = threading.Barrier(3)

    def meets(_: Case) -> list[Finding]:
        together.wait(10)
        return []

    assert run_all(here.case(), dict.fromkeys(("a", "b", "c"), meets)) == []


def test_the_real_ones_on_a_machine_without_anything(here: Machine) -> None:
    here.says("exit 3")
    here.environment |= {"SHELL": "/bin/sh", "PATH": "/nowhere"}
    codes = {one.code for one in run_all(here.case())}
    assert codes == {"tailscale_fails", "no_server", "no_local_ollama", "daemon_not_running"}
    assert next(iter(CHECKS)) == "tailscale"
    assert CHECKS["daemon"] is daemon.run


def test_what_several_ask_for_is_found_out_once() -> None:
    asked = []

    def find() -> int:
        asked.append(1)
        raise OSError("gone")

    once = Once(find)
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            once()
    assert len(asked) == 1
    assert Once(lambda: 7)() == 7
