"""Which model is where, and which server is the best for it."""

import json
import os
import pty
import re
import sys
import time

import pytest
from msgspec.structs import replace

from ollama_locate.cli import models
from ollama_locate.cli.main import parser
from ollama_locate.core.inventory import Model
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.snapshot import Snapshot, rfc3339
from tests.cli.command import Command
from tests.snapshots import GPU, NAS, alive, gone, snapshot
from tests.standins.tailscale import node

G = 1_000_000_000
MISTRAL = Model("mistral:latest", "d1", 4_400_000_000, "7B", "Q4_0", ("completion", "tools"))
STOCKS = {
    "n2:11434": (
        Model("big:cloud", cloud=True),
        Model(
            "mistral:latest",
            "d1",
            4_400_000_000,
            "7B",
            "Q4_0",
            ("completion", "tools"),
            loaded=True,
            memory=100,
            vram=60,
        ),
    ),
    "n3:11434": (MISTRAL, Model("ghost:1", absent=True), Model("tiny:latest", size=337_000, can=("completion",))),
}


def two(config: str = "", *, stocks: dict[str, tuple[Model, ...]] | None = None) -> Snapshot:
    probes = {"n2:11434": alive(0.01, "mistral:latest"), "n3:11434": alive(0.05, "mistral:latest", "tiny:latest")}
    known = STOCKS if stocks is None else stocks
    return snapshot(probes, node("gpu", 2), node("nas", 3), config=config, stocks=known)


def test_a_row_for_each_model_with_who_has_it(run: Command) -> None:
    run.publish(two())
    assert run("models") == (
        0,
        (
            "big:cloud\t-\tcloud\t?\tgpu\n"
            "ghost:1\t?\t?\t-\tnas (not found)\n"
            "mistral:latest\t4.4 GB\t7B Q4_0\ttools\tgpu (loaded 60% in card), nas\n"
            "tiny:latest\t337.0 kB\t?\t-\tnas\n"
        ),
        "",
    )


@pytest.mark.parametrize(
    ("gpu", "nas", "rows"),
    [
        pytest.param(
            replace(MISTRAL, digest="d2", size=26 * G, parameters="47B", can=("tools", "vision")),
            MISTRAL,
            ["26.0 GB\t47B Q4_0\ttools vision\tgpu", "4.4 GB\t7B Q4_0\ttools\tnas"],
            id="another model of that name",
        ),
        pytest.param(
            replace(MISTRAL, can=("completion",)),
            MISTRAL,
            ["4.4 GB\t7B Q4_0\t-\tgpu", "4.4 GB\t7B Q4_0\ttools\tnas"],
            id="one that can less there",
        ),
        pytest.param(
            Model("mistral:latest", "d1"), MISTRAL, ["4.4 GB\t7B Q4_0\ttools\tgpu, nas"], id="who knows it says it"
        ),
        pytest.param(
            replace(MISTRAL, loaded=True, memory=100, can=None),
            replace(MISTRAL, loaded=True, memory=100, vram=100, can=None),
            ["4.4 GB\t7B Q4_0\t?\tgpu (loaded on CPU), nas (loaded)"],
            id="nobody knows what it can do, and one has no card",
        ),
    ],
)
def test_a_row_for_each_model_that_is_meant_by_one_name(run: Command, gpu: Model, nas: Model, rows: list[str]) -> None:
    run.publish(two(stocks={"n2:11434": (gpu,), "n3:11434": (nas,)}))
    assert run("models")[:2] == (0, "".join(f"mistral:latest\t{row}\n" for row in rows))


def test_on_a_wide_terminal_each_server_has_a_column(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    run.publish(two())
    master, slave = pty.openpty()
    monkeypatch.setenv("COLUMNS", "100")
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        assert models.run(parser().parse_args(["models"])) == 0
        terminal.flush()
        shown = os.read(master, 10_000).decode()
    os.close(master)
    head, _, ghost, mistral, tiny = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert head.split() == ["MODEL", "SIZE", "KIND", "CAN", "gpu", "nas"]
    assert ghost.split() == ["ghost:1", "?", "?", "-", "-", "not", "found"]
    assert mistral.split() == [
        "mistral:latest",
        "4.4",
        "GB",
        "7B",
        "Q4_0",
        "tools",
        "loaded",
        "60%",
        "in",
        "card",
        "yes",
    ]
    assert tiny.split() == ["tiny:latest", "337.0", "kB", "?", "-", "-", "yes"]


def test_json(run: Command) -> None:
    run.publish(two(stocks={"n2:11434": STOCKS["n2:11434"]}))
    found = json.loads(run("models", "--json")[1])
    gpu, nas = found["servers"]
    assert (found["schema"], gpu["name"], gpu["url"], gpu["trouble"]) == (1, "gpu", GPU, "")
    assert [one["name"] for one in gpu["models"]] == ["big:cloud", "mistral:latest"]
    assert (gpu["models"][1]["loaded"], gpu["models"][1]["vram"], gpu["models"][0]["can"]) == (True, 60, None)
    assert (nas["models"], nas["trouble"]) == ([], "its list of models is not known")


def test_whose_list_is_not_known_is_named_and_the_others_are_shown(run: Command) -> None:
    run.publish(two(stocks={"n3:11434": STOCKS["n3:11434"]}))
    code, out, err = run("models")
    assert (code, "tiny:latest" in out, err) == (0, True, "gpu: its list of models is not known\n")


def test_nobody_answers(run: Command) -> None:
    run.publish(snapshot({"n2:11434": gone(Outcome.SILENT)}, node("gpu", 2)))
    code, _, err = run("models")
    assert (code, "no server answers" in err) == (1, True)
    assert run("models", "--json")[0] == 1


def test_no_models_at_all(run: Command) -> None:
    run.publish(two(stocks={"n2:11434": (), "n3:11434": ()}))
    assert "`ollama-locate ensure mistral`" in run("models")[1]


ALIAS = '[models.alias]\nsmall = ["nope", "tiny"]'


@pytest.mark.parametrize(
    ("words", "out"),
    [
        pytest.param("--model mistral", GPU, id="who has it loaded"),
        pytest.param("--model small", NAS, id="an alias"),
        pytest.param("--model small --print model", "tiny:latest", id="what it means"),
        pytest.param("--can tools", GPU, id="whatever can use tools"),
        pytest.param("--can Tools", GPU, id="in any case"),
        pytest.param("--can tools --print model", "mistral:latest", id="which that is"),
        pytest.param("--model tiny,* --can tools --print model", "mistral:latest", id="the first that can"),
        pytest.param("--loaded --print model", "mistral:latest", id="whatever is loaded"),
        pytest.param("url --model * --loaded --can tools,completion", GPU, id="all of it"),
    ],
)
def test_the_endpoint_for_a_model(run: Command, words: str, out: str) -> None:
    run.publish(two(ALIAS))
    assert run(*words.split()) == (0, out + "\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param("--model nope", "has nope:latest; there are: mistral:latest, tiny:latest", id="nobody"),
        pytest.param("--model mistrall", "did you mean mistral:latest?", id="a slip of the fingers"),
        pytest.param(
            "--can vison",
            "nobody knows `vison`; did you mean `vision`? Here there are: completion, tools\n",
            id="a slip in what it can",
        ),
        pytest.param("--can xyz", "nobody knows `xyz`. Here there are: completion, tools\n", id="nothing like it"),
        pytest.param("--can vision", "none can vision; here there are: completion, tools\n", id="nobody can"),
        pytest.param("--model tiny --can vision", "tiny:latest can: completion", id="it cannot"),
        pytest.param("--model tiny --loaded", "`ollama-locate ensure tiny:latest` loads it", id="it is cold"),
        pytest.param("--model ghost:1", "no server that answers has ghost:1", id="its server does not find it"),
        pytest.param("--model ghost:1", "; nas lists it, and then does not find it", id="which server that is"),
        pytest.param("--model big:cloud", "gpu lists it, but it runs at ollama.com; `[models] cloud", id="it leaves"),
    ],
)
def test_where_nobody_has_what_is_asked_for_nothing_is_printed(run: Command, words: str, said: str) -> None:
    run.publish(two(ALIAS))
    code, out, err = run(*words.split())
    assert (code, out, said in err) == (4, "", True), err


def test_who_has_it_and_is_silent_is_named(run: Command) -> None:
    found = two()
    nas = next(one for one in found.servers if one.name == "nas")
    silent = replace(nas, health="down", standing="down", text="is silent", alive_at=rfc3339(time.time() - 11))
    others = tuple(one for one in found.servers if one is not nas)
    run.publish(replace(found, servers=(*others, silent), best={"mistral:latest": "n2:11434"}))
    said = "nas has it, and does not answer"
    assert run("--model", "tiny")[::2] == (
        4,
        f"ollama-locate: no server that answers has tiny:latest; {said} (for 11 s)\n",
    )
    code, out, _ = run("why", "--model", "tiny")
    assert (code, f"tiny:latest: no server: nobody who answers has it; {said}." in out) == (4, True)
    assert "nas\tdown\t50.0 ms\tis silent; it has the model" in out.splitlines()
    assert run("models")[2] == "nas has mistral:latest and tiny:latest, and does not answer (for 11 s)\n"


@pytest.mark.parametrize("words", ["--model=", "--model=,", "why --model=", "exec --model= -- true"])
def test_no_model_at_all_is_a_usage_error(run: Command, words: str) -> None:
    run.publish(two())
    code, out, err = run(*words.split())
    assert (code, out, "it names no model" in err) == (2, "", True)


def test_a_stale_server_of_a_model_is_said_and_strictly_a_failure(run: Command) -> None:
    found = two()
    run.publish(replace(found, decision=replace(found.decision, verdict="stale", text="nobody answers")))
    assert run("--model", "mistral", "--print", "url")[::2] == (0, "ollama-locate: stale: nobody answers\n")
    assert run("--model", "mistral", "--strict")[:2] == (3, GPU + "\n")


def test_why_this_server_for_a_model(run: Command) -> None:
    run.publish(two(ALIAS))
    code, out, err = run("why", "--model", "mistral")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"mistral:latest: {GPU} (gpu): it has the model loaded."
    assert "gpu\tchosen\t10.0 ms\tit has the model loaded" in lines
    assert "nas\tcold\t50.0 ms\tit has the model, but not loaded" in lines
    assert run("why", "nas", "--model", "mistral")[1].splitlines()[1:] == [
        lines[lines.index(one)] for one in lines if "nas" in one
    ]
    assert run("why", "--model", "small")[1].startswith(f"tiny:latest: {NAS} (nas): ")


def test_why_nobody_has_a_model(run: Command) -> None:
    run.publish(two())
    code, out, _ = run("why", "--model", "nope,none")
    assert code == 4
    assert [line for line in out.splitlines() if "no server" in line] == [
        "nope:latest: no server: nobody who answers has it.",
        "none:latest: no server: nobody who answers has it.",
    ]
    code, _, err = run("why", "nobody", "--model", "mistral")
    assert (code, "nobody is called `nobody`" in err) == (1, True)


def test_why_as_data(run: Command) -> None:
    run.publish(two())
    (found,) = json.loads(run("why", "--model", "mistral", "--json")[1])["models"]
    assert (found["model"], found["server"], found["endpoint"]) == ("mistral:latest", "n2:11434", GPU)
    assert {one["name"]: one["standing"] for one in found["servers"]}["nas"] == "cold"


def test_where_there_is_no_model_at_all(run: Command) -> None:
    run.publish(snapshot({"n2:11434": gone(Outcome.SILENT)}, node("gpu", 2)))
    said = "ollama-locate: no server that answers has any model; `ollama-locate why` says more\n"
    assert run("--can", "tools") == (4, "", said)
