"""Which models a bench measures, and how long it says that this takes."""

import pytest

from ollama_locate.core.bench import Job, Stocked, lasts, missing, plan
from ollama_locate.core.inventory import Model
from ollama_locate.core.speed import Speed
from tests.snapshots import alive, snapshot
from tests.standins.tailscale import node

GPU, NAS = snapshot({"n2:11434": alive(0.01), "n3:11434": alive(0.02)}, node("gpu", 2), node("nas", 3)).servers[:2]
GB = 1_000_000_000
MISTRAL = Model("mistral:latest", size=4 * GB, loaded=True, digest="a" * 12)
QWEN = Model("qwen3:8b", size=5 * GB, digest="b" * 12)
CLOUD = Model("big:cloud", cloud=True)
NAMED_SO = Model("gpt:120b-cloud", cloud=True)
STOCK = [Stocked(GPU, (CLOUD, NAMED_SO, MISTRAL, QWEN)), Stocked(NAS, (QWEN,))]


@pytest.mark.parametrize(
    ("words", "required", "jobs"),
    [
        pytest.param([], [], ["gpu mistral:latest"], id="what is loaded"),
        pytest.param(
            [],
            ["qwen3:8b", "nope:1"],
            ["gpu mistral:latest", "gpu qwen3:8b", "nas qwen3:8b"],
            id="and what is required",
        ),
        pytest.param(["mistral:latest"], [], ["gpu mistral:latest"], id="a name"),
        pytest.param(["qwen3:8b"], ["mistral:latest"], ["gpu qwen3:8b", "nas qwen3:8b"], id="named: nothing else"),
        pytest.param(["qwen*", "mistral:*"], [], ["gpu mistral:latest", "gpu qwen3:8b", "nas qwen3:8b"], id="patterns"),
        pytest.param(
            ["*"], [], ["gpu mistral:latest", "gpu qwen3:8b", "nas qwen3:8b"], id="all but what runs elsewhere"
        ),
        pytest.param(["big:cloud"], [], ["gpu big:cloud"], id="by its name: somebody is to say why not"),
        pytest.param(["nope"], [], [], id="nobody has it"),
    ],
)
def test_what_is_measured(words: list[str], required: list[str], jobs: list[str]) -> None:
    found = plan(STOCK, words, required, ())
    assert [f"{job.server.name} {job.model.name}" for job in found] == jobs


def test_names_that_nobody_has() -> None:
    words = ["qwen3:8b", "nope:latest", "x*", "mist*"]
    assert missing(plan(STOCK, words, [], ()), words) == ["nope:latest", "x*"]


@pytest.mark.parametrize(
    ("speed", "known"),
    [
        pytest.param(Speed(GPU.key, "mistral:latest", "a" * 12, 1.0, 0.1, 40.0), True, id="of this model"),
        pytest.param(Speed(GPU.key, "mistral:latest", "c" * 12, 1.0, 0.1, 40.0), False, id="of an older one"),
        pytest.param(Speed(NAS.key, "mistral:latest", "a" * 12, 1.0, 0.1, 40.0), False, id="of another server"),
    ],
)
def test_an_earlier_figure_counts_where_it_is_of_the_same_model(speed: Speed, *, known: bool) -> None:
    (job,) = plan(STOCK, [], [], (speed,))
    assert (job.known == speed) is known


@pytest.mark.parametrize(
    ("jobs", "seconds"),
    [
        pytest.param([], 0.0, id="none"),
        pytest.param([Job(GPU, MISTRAL)], 6.8, id="loaded: by a guess at its rate"),
        pytest.param([Job(GPU, MISTRAL, Speed("k", "m", "", 0, 0.1, 34.0, 9.0))], 2.2, id="by its figure"),
        pytest.param([Job(GPU, QWEN, Speed("k", "m", "", 0, 0.1, 34.0, 9.0))], 11.2, id="cold: by its figure"),
        pytest.param([Job(GPU, QWEN)], 16.8, id="cold: by its size"),
        pytest.param([Job(GPU, MISTRAL), Job(GPU, QWEN)], 23.6, id="one after the other"),
        pytest.param([Job(GPU, MISTRAL), Job(NAS, QWEN)], 16.8, id="servers at the same time"),
    ],
)
def test_how_long_it_takes(jobs: list[Job], seconds: float) -> None:
    assert lasts(jobs) == pytest.approx(seconds)
