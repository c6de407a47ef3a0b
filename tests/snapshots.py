"""Snapshots made by the real core, for the tests of whoever reads them."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ollama_locate.core import render
from ollama_locate.core.config import parse_config
from ollama_locate.core.inventory import Model
from ollama_locate.core.locator import Locator
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.pin import Pin
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.core.speed import Speed
from ollama_locate.core.tailnet import parse_status
from ollama_locate.core.taking import Clock, Run, take
from ollama_locate.edge.files import StateFolder
from ollama_locate.edge.templates import templates
from tests.standins import tailscale

GPU = "http://100.64.0.2:11434"
NAS = "http://100.64.0.3:11434"


def alive(rtt: float = 0.01, *models: str, version: str = "0.17.4") -> Probe:
    return Probe(Outcome.ALIVE, 100.0, rtt=rtt, spread=0.001, version=version, models=models)


def gone(outcome: Outcome, detail: str = "") -> Probe:
    return Probe(outcome, 100.0, detail)


def snapshot(
    probes: Mapping[str, Probe],
    *peers: dict[str, Any],
    raw: bytes | None = None,
    config: str = "",
    pid: int = 1,
    refreshes: int = 0,
    stocks: Mapping[str, tuple[Model, ...]] | None = None,
    pin: Pin | None = None,
    speeds: tuple[Speed, ...] = (),
) -> Snapshot:
    """What is published when these probes have ended; keys are `n2:11434`, `local:11434` and so on."""
    settings = parse_config(config.encode(), "config.toml")
    locator = Locator(settings.settings(pin, speeds), 100.0)
    locator.see(parse_status(raw if raw is not None else tailscale.raw(*peers)), 100.0)
    for key, probe in probes.items():
        locator.begin(key, 100.0)
        locator.finish(key, probe, 100.5)
    for key, models in (stocks or {}).items():
        locator.stocked(key, models)
    decision = locator.conclude(101.0)
    return take(locator, decision, settings.variables, Clock(101.0, time.time()), Run(pid, 7, refreshes))


def publish(folder: Path, what: Snapshot) -> StateFolder:
    state = StateFolder(folder)
    state.publish(render.files(what, templates()))
    return state
