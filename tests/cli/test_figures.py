"""`models --speeds` and `--advise`: what was measured, shown; what follows from it."""

import json

import pytest

from ollama_locate.core.speed import Speed
from ollama_locate.edge.speeds import keep_speeds
from tests.cli.command import Command
from tests.cli.generating import MISTRAL, Servers, on_terminal
from tests.standins.generator import DIGEST


def test_figures_stand_with_the_models_until_the_model_is_another_one(run: Command, servers: Servers) -> None:
    servers.put(gpu=(f"{MISTRAL}!",), nas=(MISTRAL,))
    keep_speeds(servers.state, [Speed("static:gpu", MISTRAL, DIGEST[:12], 1.0, 0.2, 42.4, 3.0)])
    keep_speeds(servers.state, [Speed("static:nas", MISTRAL, DIGEST[:12], 1.0, 0.2, 7.25)])
    assert run("models")[1] == "mistral:latest\t4.0 GB\t7.2B Q4_0\t?\tgpu (loaded, 42 tok/s), nas (7.2 tok/s)\n"
    listed = json.loads(run("models", "--json")[1])["servers"]
    assert [one["models"][0]["tokens_per_s"] for one in listed] == [42.4, 7.25]
    servers["nas"].digest = "f" * 64
    servers.publish()
    row = "mistral:latest\t4.0 GB\t7.2B Q4_0"
    gpu = f"{row} {DIGEST[:7]}\t?\tgpu (loaded, 42 tok/s)\n"
    assert run("models")[1] == f"{gpu}{row} fffffff\t?\tnas\n"
    assert json.loads(run("models", "--json")[1])["servers"][1]["models"][0]["tokens_per_s"] is None
    rows = [one.split("\t") for one in run("models", "--speeds")[1].splitlines()]
    assert [(row[0], row[2], row[4], row[5] == "outdated") for row in rows] == [
        ("gpu", "42 tok/s", "3.0 s", False),
        ("nas", "7.2 tok/s", "-", True),
    ]
    assert [one["outdated"] for one in json.loads(run("models", "--speeds", "--json")[1])["speeds"]] == [False, True]


def test_advice(run: Command, servers: Servers) -> None:
    servers.put(gpu=(f"{MISTRAL}!",), nas=(MISTRAL,))
    keep_speeds(servers.state, [Speed("static:nas", MISTRAL, DIGEST[:12], 1.0, 0.2, 7.25)])
    code, out, _ = run("models", "--advise")
    assert code == 0
    assert out.startswith("The largest size that runs well is 3B, on gpu: it fits the card.\n")
    assert [row for row in out.splitlines() if row.count("\t") == 3] == [
        "gpu\t3B\t2.2 GB\tfits its card",
        "gpu\t7B\t5.0 GB\tnot known",
        "gpu\t13B\t9.4 GB\tnot known",
        "gpu\t8x7B\t33.8 GB\tnot known",
        "nas\t3B\t2.2 GB\tabout 16 tok/s",
        "nas\t7B\t5.0 GB\t7.2 tok/s",
        "nas\t13B\t9.4 GB\tabout 3.7 tok/s if it fits",
        "nas\t8x7B\t33.8 GB\tabout 3.7 tok/s if it fits",
    ]
    assert "gpu: what is loaded lies wholly in its card, 4.0 GB: the card has at least that" in out
    assert "- 7B, 4.2 GB, 5.0 GB when loaded: the balance over a tailnet: mistral, neural-chat\n" in out
    assert "how much memory a card has" in out
    found = json.loads(run("models", "--advise", "--json")[1])
    assert (found["schema"], found["start"]) == (1, out.splitlines()[0])
    gpu, nas = found["servers"]
    assert gpu["card"] == {"holds": 4_000_000_000, "full": False, "seen": True}
    assert [one["grade"] for one in gpu["sizes"]] == ["well", "unknown", "unknown", "unknown"]
    assert [(one["grade"], one["basis"]) for one in nas["sizes"][:2]] == [
        ("readable", "estimated"),
        ("readable", "measured"),
    ]
    assert nas["sizes"][1]["model"] == MISTRAL


def test_on_a_terminal_there_are_bars_that_need_no_colour(servers: Servers) -> None:
    servers.put(gpu=(f"{MISTRAL}!",), nas=(MISTRAL,))
    keep_speeds(servers.state, [Speed("static:gpu", MISTRAL, DIGEST[:12], 1.0, 0.2, 42.4, 3.0)])
    keep_speeds(servers.state, [Speed("static:nas", MISTRAL, DIGEST[:12], 1.0, 0.2, 10.6)])
    code, shown = on_terminal("models", "--speeds")
    lines = shown.splitlines()
    assert code == 0
    assert lines[0].split() == ["SERVER", "MODEL", "RATE", "FIRST", "TOKEN", "LOAD", "MEASURED"]
    assert max(map(len, lines)) <= 80
    gpu, nas = lines[-2:]
    assert gpu.startswith("gpu  mistral:latest  ████")
    assert nas.endswith(" 11 tok/s")
    assert gpu.count("█") == pytest.approx(4 * nas.count("█"), abs=4)
