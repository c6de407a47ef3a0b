"""The doctor asks who is behind a SOCKS5 proxy through it: at the same address another machine may be nearer."""

import asyncio
import time

import pytest
from msgspec.structs import replace

from ollama_locate.checks import clock, depth
from ollama_locate.checks.reach import reach
from ollama_locate.core.outcome import Outcome
from ollama_locate.edge.examine import examine
from tests.checks.machine import Machine
from tests.checks.test_clock import HOUR, at
from tests.standins.ollama import answers, http
from tests.standins.socks import leads
from tests.standins.tailscale import node

GPU = "100.64.0.2"


@pytest.fixture
def behind(here: Machine) -> Machine:
    """A proxy leads to gpu, whose clock is two hours ahead; without it a stranger answers there."""
    here.tailnet(node("gpu", 2), TUN=False)
    here.pong(GPU, f"pong from gpu ({GPU}) via DERP(fra) in 12ms\n")
    here.far(GPU, answers(http("403 No", b"")))
    there = here.serve(answers(at(2 * HOUR), then_close=False))
    proxy = here.serve(leads({GPU: there}))
    here.at(f"127.0.0.1:{proxy}", proxy)
    here.config["tailnet"] = f'[{{ socks5 = "127.0.0.1:{proxy}" }}]'
    del here.config["tailscale_socket"]
    return here


def test_the_stranger_is_there(behind: Machine) -> None:
    wire = behind.case().wire
    found = asyncio.run(examine(wire, (GPU, 11434), f"{GPU}:11434", 1.0, time.time()))
    assert found.outcome is Outcome.FORBIDDEN_HOST


def test_its_clock_is_asked_through_the_proxy(behind: Machine) -> None:
    assert behind.codes(clock.run) == ["clocks_differ"]


def test_one_server_is_looked_at_through_the_proxy(behind: Machine) -> None:
    case = behind.case()
    (gpu,) = (one for one in case.round().snapshot.servers if one.key == "n2:11434")
    steps = dict(depth.look(case, gpu).steps)
    assert steps["HTTP"].startswith("answers as Ollama in ")
    assert steps["Host"] == "accepts its own address"


def test_who_was_silent_is_asked_again_through_the_proxy(behind: Machine) -> None:
    case = behind.case()
    (gpu,) = (one for one in case.round().snapshot.servers if one.key == "n2:11434")
    found = asyncio.run(reach(case.config, case.wire, [replace(gpu, outcome="silent")]))[gpu.key]
    assert found.again is not None
    assert found.again.outcome is Outcome.ALIVE
