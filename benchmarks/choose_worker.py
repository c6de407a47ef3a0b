"""One process that makes a publication of many models again and again, and encodes the same state by `json.dumps`.

    python choose_worker.py STATUS MODELS HOLDERS ROUNDS

STATUS is what tailscale says of the servers. Each of so many models is on HOLDERS of them, drawn from a seed. Run by
the interpreter the package is installed in; prints CPU seconds of each round as JSON: of choosing a server for each
model, of the snapshot with that in it, of all files, of `json.dumps`.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

from ollama_locate.core import render
from ollama_locate.core.config import parse_config
from ollama_locate.core.inventory import Model
from ollama_locate.core.locator import Locator
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.tailnet import parse_status
from ollama_locate.core.taking import Clock, Run, take
from ollama_locate.edge.templates import templates


def inventories(keys: list[str], models: int, holders: int) -> dict[str, list[Model]]:
    """Key -> what it has; one in ten is loaded somewhere."""
    draw = random.Random(1)
    found: dict[str, list[Model]] = {key: [] for key in keys}
    can = ("completion", "tools")
    for number in range(models):
        name, digest = f"model-{number}:latest", f"{number:012x}"
        for key in draw.sample(keys, holders) if holders > 1 else [keys[number % len(keys)]]:
            loaded = draw.random() < 0.1 / holders
            found[key].append(Model(name, digest, 4_109_865_159, "7B", "Q4_K_M", can, 131_072, loaded=loaded))
    return found


def world(status: bytes, models: int, holders: int) -> Locator:
    """Everybody has answered, the nearest first."""
    locator = Locator(parse_config(b"", "config.toml").settings(None), 100.0)
    locator.see(parse_status(status), 100.0)
    keys = [key for key, track in locator.tracks.items() if not track.server.loopback]
    for place, (key, has) in enumerate(inventories(keys, models, holders).items()):
        names = tuple(sorted(model.name for model in has))
        locator.begin(key, 100.0)
        probe = Probe(Outcome.ALIVE, 100.0, rtt=0.02 + place / 1e3, version="0.17.4", models=names, connected=True)
        locator.finish(key, probe, 100.1)
        locator.stocked(key, tuple(sorted(has, key=lambda model: model.name)))
    return locator


def one(locator: Locator, number: int) -> list[float]:
    clock, run = Clock(101.0 + number, time.time()), Run(1, number)
    began = time.process_time()
    best = locator.catalogue.best(clock.now)
    chosen = time.process_time()
    snapshot = take(locator, locator.conclude(clock.now), {"OLLAMA_ENDPOINT": "{url}"}, clock, run)
    taken = time.process_time()
    files = render.files(snapshot, templates())
    rendered = time.process_time()
    assert len(snapshot.best) == len(best) == int(sys.argv[2])
    assert files["models"].count(b"\n") == len(best)
    state = json.loads(files["state.json"])
    before = time.process_time()
    json.dumps(state)
    return [chosen - began, taken - chosen, rendered - taken, time.process_time() - before]


if __name__ == "__main__":
    made = world(Path(sys.argv[1]).read_bytes(), int(sys.argv[2]), int(sys.argv[3]))
    one(made, 0)
    print(json.dumps([one(made, number) for number in range(1, int(sys.argv[4]) + 1)]))
