"""Which sizes run well where: the rule of thumb, and the figures that take its place."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.bench import Stocked
from ollama_locate.core.bounds_models import CONTEXT_SHARE, DENSE_BELOW, ESTIMATE_REACH, Q4_BYTES
from ollama_locate.core.guidance import RULE, SIZES, Basis, Card, Grade, Guidance, billions, card, guide, start
from ollama_locate.core.inventory import Model
from ollama_locate.core.snapshot import ServerState
from ollama_locate.core.speed import Speed
from tests.snapshots import alive, snapshot
from tests.standins.tailscale import node

(GPU, NAS) = snapshot({"n2:11434": alive(0.023), "n3:11434": alive(0.04)}, node("gpu", 2), node("nas", 3)).servers[:2]
DIGEST = "a" * 12
GB = 1_000_000_000


def model(name: str = "mistral:latest", parameters: str = "7.2B", size: float = 4.2, **more: Any) -> Model:
    return msgspec.structs.replace(Model(name, DIGEST, int(size * GB), parameters), **more)


def loaded(memory: float, vram: float, **more: Any) -> Model:
    return model(loaded=True, memory=int(memory * GB), vram=int(vram * GB), **more)


def speed(rate: float, name: str = "mistral:latest", digest: str = DIGEST) -> Speed:
    return Speed(GPU.key, name, digest, 1.0, 0.3, rate)


def advised(models: list[Model], speeds: list[Speed], server: ServerState = GPU) -> Guidance:
    (found,) = guide([Stocked(server, tuple(models))], speeds)
    return found


UNKNOWN = "not known"


@pytest.mark.parametrize(
    ("models", "speeds", "sizes"),
    [
        pytest.param([], [], [UNKNOWN] * 4, id="no model"),
        pytest.param([model()], [], [UNKNOWN] * 4, id="nothing loaded"),
        pytest.param(
            [loaded(5.1, 5.1)], [], ["fits its card", "fits its card", UNKNOWN, UNKNOWN], id="wholly in its card"
        ),
        pytest.param(
            [loaded(5.1, 5.1), loaded(6, 6, name="b:1")],
            [],
            ["fits its card", "fits its card", "fits its card", UNKNOWN],
            id="two of them in it",
        ),
        pytest.param(
            [loaded(10, 6)],
            [],
            ["fits its card", "fits its card", "larger than its card", "larger than its card"],
            id="one that does not fit",
        ),
        pytest.param([loaded(5, 0)], [], ["slow, no card"] * 4, id="no card"),
        pytest.param(
            [loaded(5.1, 5.1)],
            [speed(42)],
            ["about 98 tok/s", "42 tok/s", "about 23 tok/s if it fits", "about 23 tok/s if it fits"],
            id="measured",
        ),
        pytest.param(
            [loaded(10, 6)],
            [speed(42)],
            ["about 98 tok/s", "42 tok/s", "larger than its card", "larger than its card"],
            id="measured, and the card is full",
        ),
        pytest.param(
            [loaded(5, 0)],
            [speed(5)],
            ["about 12 tok/s", "5.0 tok/s", "about 2.7 tok/s if it fits", "about 2.7 tok/s if it fits"],
            id="measured without a card",
        ),
        pytest.param([model()], [speed(42, digest="b" * 12)], [UNKNOWN] * 4, id="measured before it was another model"),
        pytest.param([], [speed(42)], [UNKNOWN] * 4, id="measured, and removed"),
        pytest.param(
            [model("q:moe", "6.9B")],
            [speed(42, "q:moe")],
            [UNKNOWN, "42 tok/s", UNKNOWN, UNKNOWN],
            id="experts tell nothing",
        ),
        pytest.param(
            [model("qwen3:30b", "30.5B", 18.6)], [speed(120, "qwen3:30b")], [UNKNOWN] * 4, id="nor do large ones"
        ),
        pytest.param(
            [model("tiny:1b", "1B", 0.4)], [speed(200, "tiny:1b")], [UNKNOWN] * 4, id="one that is far too small"
        ),
        pytest.param(
            [model(), model("qwen3:8b", "8.2B", 5.2)],
            [speed(30), speed(40, "qwen3:8b")],
            ["about 70 tok/s", "40 tok/s", "about 27 tok/s if it fits", "about 27 tok/s if it fits"],
            id="the best of a size, the closest for another",
        ),
        pytest.param(
            [model("mixtral:8x7b", "46.7B", 26)],
            [speed(25, "mixtral:8x7b")],
            [UNKNOWN] * 3 + ["25 tok/s"],
            id="the heavy one",
        ),
        pytest.param([model("a:cloud", cloud=True)], [speed(90, "a:cloud")], [UNKNOWN] * 4, id="what runs elsewhere"),
    ],
)
def test_each_size(models: list[Model], speeds: list[Speed], sizes: list[str]) -> None:
    assert [fit.text for fit in advised(models, speeds).fits] == sizes


@pytest.mark.parametrize(
    ("rate", "grade"),
    [(20.0, Grade.WELL), (19.9, Grade.READABLE), (6.0, Grade.READABLE), (5.9, Grade.SLOW), (0.1, Grade.SLOW)],
)
def test_how_it_runs(rate: float, grade: Grade) -> None:
    assert advised([model()], [speed(rate)]).fits[1].grade is grade


@pytest.mark.parametrize(
    ("holds", "rate", "grades"),
    [
        pytest.param(5.1, 60, [Grade.WELL, Grade.WELL, Grade.UNKNOWN, Grade.UNKNOWN], id="nobody has seen more in it"),
        pytest.param(10, 60, [Grade.WELL, Grade.WELL, Grade.WELL, Grade.UNKNOWN], id="more was seen in it"),
        pytest.param(5.1, 6, [Grade.READABLE, Grade.READABLE, Grade.SLOW, Grade.SLOW], id="slow, even if it fits"),
    ],
)
def test_a_size_that_may_not_fit_is_not_promised(holds: float, rate: float, grades: list[Grade]) -> None:
    assert [fit.grade for fit in advised([loaded(holds, holds)], [speed(rate)]).fits] == grades


@pytest.mark.parametrize(
    ("models", "speeds", "server", "sentences"),
    [
        pytest.param(
            [],
            [],
            msgspec.structs.replace(GPU, path="unknown"),
            [
                "nothing is loaded there now, so that nothing is known of its card",
                "23 ms away",
                "it has no model yet: `ollama-locate ensure mistral --on gpu` pulls one",
            ],
            id="a new one",
        ),
        pytest.param(
            [],
            [],
            msgspec.structs.replace(GPU, path="unknown", rtt_ms=None),
            [
                "nothing is loaded there now, so that nothing is known of its card",
                "it has no model yet: `ollama-locate ensure mistral --on gpu` pulls one",
            ],
            id="nobody knows how far it is",
        ),
        pytest.param(
            [loaded(5.1, 5.1)],
            [],
            msgspec.structs.replace(GPU, path="direct", rtt_ms=0.2),
            [
                "what is loaded lies wholly in its card, 5.1 GB: the card has at least that",
                "reached directly, less than 1 ms away",
                "no figure is known: `ollama-locate models --bench` measures what is loaded",
            ],
            id="a near one",
        ),
        pytest.param(
            [loaded(5.1, 5.1)],
            [],
            msgspec.structs.replace(GPU, path="direct"),
            [
                "what is loaded lies wholly in its card, 5.1 GB: the card has at least that",
                "reached directly, 23 ms away",
                "no figure is known: `ollama-locate models --bench` measures what is loaded",
            ],
            id="a good one",
        ),
        pytest.param(
            [loaded(10, 6)],
            [speed(12)],
            msgspec.structs.replace(GPU, path="relay", rtt_ms=None),
            [
                "its card is full with 6.0 GB of what is loaded; the rest lies in plain memory, and slows all of it",
                "reached through a relay: each answer begins so much later, and its words come as fast",
            ],
            id="a full one, far away",
        ),
        pytest.param(
            [loaded(5, 0)],
            [speed(5)],
            msgspec.structs.replace(GPU, path="local"),
            [
                "what is loaded lies in plain memory, nothing of it in a card: the processor computes",
                "this machine: no network between",
            ],
            id="here, without a card",
        ),
    ],
)
def test_what_is_said(models: list[Model], speeds: list[Speed], server: ServerState, sentences: list[str]) -> None:
    assert list(advised(models, speeds, server).sentences) == sentences


@pytest.mark.parametrize(
    ("gpu", "nas", "speeds", "sentence"),
    [
        pytest.param(
            [],
            [],
            [],
            "No size is known to run well: no server has anything loaded now, and what was measured, if anything, is "
            "slower than that.",
            id="nothing is known",
        ),
        pytest.param(
            [loaded(5, 0)],
            [],
            [speed(3)],
            "No size is known to run well: no server has anything loaded in a card.",
            id="nothing runs well",
        ),
        pytest.param(
            [loaded(1, 1)],
            [],
            [],
            "No size is known to run well: what lies in the cards now is less than any size needs, or slow.",
            id="a small one in a card",
        ),
        pytest.param(
            [loaded(5.1, 5.1)],
            [],
            [],
            "The largest size that runs well is 7B, on gpu: it fits the card.",
            id="by the card",
        ),
        pytest.param(
            [loaded(5.1, 5.1)],
            [loaded(11, 11)],
            [],
            "The largest size that runs well is 13B, on nas: it fits the card.",
            id="the larger one",
        ),
        pytest.param(
            [loaded(5.1, 5.1)],
            [loaded(5.1, 5.1)],
            [speed(25)],
            "The largest size that runs well is 7B, on gpu: mistral:latest makes 25 tok/s there.",
            id="of two the one that was measured",
        ),
        pytest.param(
            [loaded(10, 10)],
            [],
            [speed(60)],
            "The largest size that runs well is 13B, on gpu: about 32 tok/s, reckoned from mistral:latest.",
            id="reckoned",
        ),
    ],
)
def test_the_one_sentence(gpu: list[Model], nas: list[Model], speeds: list[Speed], sentence: str) -> None:
    assert start(guide([Stocked(GPU, tuple(gpu)), Stocked(NAS, tuple(nas))], speeds)) == sentence
    assert start([]) == ""


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7.2B", 7.2),
        ("8x7B", 56),
        ("137M", 0.137),
        ("22.7K", 22.7e-6),
        ("1T", 1000),
        ("7b", 7),
        ("", None),
        ("big", None),
    ],
)
def test_parameters(text: str, number: float | None) -> None:
    assert billions(text) == (None if number is None else pytest.approx(number))


def test_a_card_of_a_server_that_lies() -> None:
    assert card([loaded(5, 900)]) == Card(5 * GB, full=False, seen=True)
    assert card([loaded(0, 5)]) == Card()


models = st.lists(
    st.builds(
        Model,
        st.sampled_from(["a:1", "b:moe", "c:cloud"]),
        st.just(DIGEST),
        st.integers(0, 2**62),
        st.sampled_from(["7B", "x", "", "999999B", "0B"]),
        loaded=st.booleans(),
        memory=st.integers(0, 2**62),
        vram=st.integers(0, 2**62),
    ),
    max_size=4,
)


@given(models, st.lists(st.builds(speed, st.floats(1e-3, 1e5), st.sampled_from(["a:1", "b:moe"])), max_size=3))
def test_whatever_servers_say_each_size_has_a_word(models: list[Model], speeds: list[Speed]) -> None:
    found = advised(models, speeds)
    assert [fit.size for fit in found.fits] == list(SIZES)
    assert all(fit.text for fit in found.fits)
    assert all(found.sentences)


@pytest.mark.parametrize(
    ("parameters", "size"),
    [
        ("1.99B", None),
        ("2B", "3B"),
        ("4.49B", "3B"),
        ("4.5B", "7B"),
        ("9.99B", "7B"),
        ("10B", "13B"),
        ("19.9B", "13B"),
        ("20B", None),
        ("39.9B", None),
        ("40B", "8x7B"),
        ("59.9B", "8x7B"),
        ("60B", None),
        ("", None),
    ],
)
def test_to_which_size_a_model_belongs(parameters: str, size: str | None) -> None:
    fits = advised([model("any:moe", parameters)], [speed(42, "any:moe")]).fits
    assert [fit.size.name for fit in fits if fit.basis is Basis.MEASURED] == ([size] if size else [])


def test_how_large_the_typical_ones_are() -> None:
    assert [size.bytes / GB for size in SIZES] == pytest.approx([1.8, 4.2, 7.8, 28.2], rel=0.02)
    for line, size in zip(RULE, SIZES, strict=False):
        assert line.startswith(f"{size.name}, {size.bytes / GB:.1f} GB")


@pytest.mark.parametrize(
    ("models", "want"),
    [
        pytest.param([], Card(0, full=False, seen=False), id="nothing"),
        pytest.param([model(memory=GB, vram=GB)], Card(0, full=False, seen=False), id="nothing is loaded"),
        pytest.param([loaded(0, 0)], Card(0, full=False, seen=False), id="no figure"),
        pytest.param([model(loaded=True, memory=1, vram=1)], Card(1, full=False, seen=True), id="a byte"),
        pytest.param([model(loaded=True, memory=1000, vram=995)], Card(995, full=False, seen=True), id="nearly all"),
        pytest.param([loaded(4, 4), loaded(4, 1)], Card(5 * GB, full=True, seen=True), id="one found no room"),
        pytest.param([loaded(4, 0)], Card(0, full=False, seen=True), id="no card"),
    ],
)
def test_what_the_loaded_ones_tell(models: list[Model], want: Card) -> None:
    assert card(models) == want


@pytest.mark.parametrize(
    ("spare", "seven"),
    [pytest.param(0, "fits its card", id="just enough"), pytest.param(-1, "larger than its card", id="a byte less")],
)
def test_room_for_a_size_is_that_of_its_context_too(spare: int, seven: str) -> None:
    needs = round(SIZES[1].bytes * CONTEXT_SHARE) + spare
    fits = advised([model("x:1", loaded=True, memory=2 * needs, vram=needs)], []).fits
    assert fits[1].text == seven
    whole = advised([model("x:1", loaded=True, memory=needs, vram=needs)], []).fits[1].text
    assert whole == (seven if spare == 0 else UNKNOWN)


def test_a_model_without_a_size_tells_nothing_of_others() -> None:
    for size, parameters in ((0, "7B"), (GB, ""), (GB, f"{DENSE_BELOW}B")):
        odd = msgspec.structs.replace(model("odd:1", parameters), size=size)
        assert {fit.basis for fit in advised([odd], [speed(42, "odd:1")]).fits} <= {Basis.MEASURED, Basis.NONE}


def test_how_far_a_figure_reaches() -> None:
    read = SIZES[3].active * Q4_BYTES
    for size, basis in ((read * ESTIMATE_REACH, Basis.ESTIMATED), (read * ESTIMATE_REACH + 9, Basis.NONE)):
        odd = msgspec.structs.replace(model("odd:1", "1B"), size=round(size))
        assert advised([odd], [speed(42, "odd:1")]).fits[3].basis is basis
    for size, basis in ((read / ESTIMATE_REACH, Basis.ESTIMATED), (read / ESTIMATE_REACH - 9, Basis.NONE)):
        odd = msgspec.structs.replace(model("odd:1", "1B"), size=round(size))
        assert advised([odd], [speed(42, "odd:1")]).fits[3].basis is basis
