"""Why this server for a model, and why no other."""

import pytest
from msgspec.structs import replace

from ollama_locate.core.choosing import Wish
from ollama_locate.core.for_model import stand_for
from ollama_locate.core.inventory import Model
from ollama_locate.core.obstacle import obstacle
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.pin import Pin
from ollama_locate.core.selection import Reason, Standing
from ollama_locate.core.snapshot import PinState, Snapshot
from ollama_locate.core.speed import Speed
from tests.snapshots import alive, gone, snapshot
from tests.standins.tailscale import node

GPU, NAS = "n2:11434", "n3:11434"


def two(
    one: Probe, other: Probe, /, config: str = "", speeds: tuple[Speed, ...] = (), **stocks: tuple[Model, ...]
) -> Snapshot:
    keys = {"gpu": GPU, "nas": NAS}
    known = {keys[name]: models for name, models in stocks.items()}
    return snapshot({GPU: one, NAS: other}, node("gpu", 2), node("nas", 3), config=config, stocks=known, speeds=speeds)


M = "m:1"
BOTH = (alive(0.001, M), alive(0.09, M))


@pytest.mark.parametrize(
    ("found", "best", "reason", "standings"),
    [
        pytest.param(
            two(*BOTH), "gpu", "it has the lowest round trip", {"gpu": "chosen", "nas": "slower"}, id="the faster one"
        ),
        pytest.param(
            two(*BOTH, nas=(Model(M, loaded=True),)),
            "nas",
            "it has the model loaded",
            {"nas": "chosen", "gpu": "cold"},
            id="who has it loaded",
        ),
        pytest.param(
            two(*BOTH, nas=(Model(M, loaded=True),), config='prefer = ["gpu", "*"]'),
            "gpu",
            "it comes first in the order",
            {"gpu": "chosen", "nas": "lower_tier"},
            id="the order before that",
        ),
        pytest.param(
            two(alive(0.001, "x:1"), alive(0.09, M)),
            "nas",
            "it is the only server that answers and has it",
            {"nas": "chosen", "gpu": "lacks_model"},
            id="only one has it",
        ),
        pytest.param(
            two(alive(0.001, M), gone(Outcome.REFUSED)),
            "gpu",
            "it is the only server that answers and has it",
            {"gpu": "chosen", "nas": "down"},
            id="the other one is down",
        ),
        pytest.param(
            two(*BOTH, gpu=(Model(M, absent=True),)),
            "nas",
            "it is the only server that answers and has it",
            {"nas": "chosen", "gpu": "absent"},
            id="the other one lists it in vain",
        ),
        pytest.param(
            two(alive(0.001, "x:1"), alive(0.001, "x:1")),
            None,
            "nobody who answers has it",
            {"gpu": "lacks_model", "nas": "lacks_model"},
            id="nobody has it",
        ),
        pytest.param(
            two(Probe(Outcome.ALIVE, 100.0, rtt=0.001), alive(0.001, "x:1")),
            None,
            "nobody who answers has it",
            {"gpu": "lacks_model", "nas": "lacks_model"},
            id="a list not known yet",
        ),
    ],
)
def test_for_one_model(found: Snapshot, best: str | None, reason: str, standings: dict[str, str]) -> None:
    stands = stand_for(found, M)
    assert (stands.server.name if stands.server else None, stands.text) == (best, reason)
    assert {one.server.name: one.word for one in stands.servers if one.server.kind == "peer"} == standings
    assert all(one.text for one in stands.servers)


def changed(found: Snapshot, name: str, **fields: object) -> Snapshot:
    """The same snapshot in which one server has other fields."""
    servers = tuple(replace(one, **fields) if one.name == name else one for one in found.servers)
    return replace(found, servers=servers)


@pytest.mark.parametrize(
    ("found", "best", "word"),
    [
        pytest.param(changed(two(*BOTH), "gpu", held_until="2027"), "nas", "held_down", id="held down"),
        pytest.param(changed(two(*BOTH), "gpu", reported_until="2027"), "nas", "reported", id="reported"),
        pytest.param(changed(two(*BOTH), "gpu", rtt_ms=None), "nas", "slower", id="of unknown distance"),
        pytest.param(changed(two(*BOTH), "gpu", rtt_ms=89.0), "nas", "similar", id="hardly faster"),
        pytest.param(changed(two(*BOTH), "gpu", tier=None), "nas", "lower_tier", id="of no tier"),
    ],
)
def test_why_the_nearer_one_is_not_the_best(found: Snapshot, best: str, word: str) -> None:
    stands = stand_for(replace(found, best={M: NAS}), M)
    assert {one.server.name: one.word for one in stands.servers if one.server.kind == "peer"} == {
        best: "chosen",
        "gpu": word,
    }


def test_the_chosen_one_has_the_reason_and_the_others_their_own() -> None:
    texts = {one.server.name: one.text for one in stand_for(two(*BOTH), M).servers}
    assert (texts["gpu"], texts["nas"]) == (Reason.FASTEST.text, Standing.SLOWER.text)
    texts = {
        one.server.name: one.text for one in stand_for(two(Probe(Outcome.ALIVE, 1.0, rtt=0.1), BOTH[1]), M).servers
    }
    assert texts["gpu"] == "its list of models is not known yet"
    texts = {one.server.name: one.text for one in stand_for(two(alive(0.001, "x:1"), BOTH[1]), M).servers}
    assert texts["gpu"] == "it does not have it"


def test_who_has_it_and_does_not_answer_is_not_chosen_among() -> None:
    found = changed(two(*BOTH), "nas", health="down", standing="down")
    assert stand_for(found, M).text == "it is the only server that answers and has it"


@pytest.mark.parametrize(
    ("pin", "reason"),
    [
        pytest.param(
            PinState("nas", "http://100.64.0.3:11434", None, followed=True), Reason.FASTEST, id="another one's"
        ),
        pytest.param(
            PinState("gpu", "http://100.64.0.2:11434", None, followed=False), Reason.FASTEST, id="not followed"
        ),
        pytest.param(PinState("gpu", "http://100.64.0.2:11434", None, followed=True), Reason.PINNED, id="its own"),
    ],
)
def test_a_pin_is_the_reason_where_it_is_followed(pin: PinState, reason: Reason) -> None:
    assert stand_for(replace(two(*BOTH), pin=pin), M).text == reason.text


def test_a_model_that_is_there_and_not_loaded_is_cold() -> None:
    found = two(*BOTH, gpu=(Model(M),), nas=(Model(M),))
    assert stand_for(found, M).text == Reason.FASTEST.text


SILENT = snapshot({GPU: alive(0.001, M), NAS: alive(0.09, "x:1")}, node("gpu", 2), node("nas", 3))
SILENT = replace(
    SILENT, servers=tuple(replace(one, health="down") if one.key == GPU else one for one in SILENT.servers)
)


@pytest.mark.parametrize(
    ("found", "text", "of_gpu"),
    [
        pytest.param(SILENT, "; gpu has it, and does not answer", "; it has the model", id="who has it is silent"),
        pytest.param(
            two(alive(0.001, "x:1"), alive(0.09, "x:1"), gpu=(Model("x:1"), Model(M, cloud=True))),
            "; gpu lists it, but it runs at ollama.com; `[models] cloud = true` allows it",
            "it lists it, but it runs at ollama.com; `[models] cloud = true` allows it",
            id="it runs elsewhere",
        ),
        pytest.param(
            two(alive(0.001, "x:1"), alive(0.09, "x:1"), gpu=(Model(M, absent=True),)),
            "; gpu lists it, and then does not find it",
            "it lists it, and then does not find it",
            id="it is not there",
        ),
    ],
)
def test_what_is_in_the_way(found: Snapshot, text: str, of_gpu: str) -> None:
    stands = stand_for(found, M)
    assert stands.text == f"nobody who answers has it{text}"
    assert next(one.text for one in stands.servers if one.server.name == "gpu").endswith(of_gpu)


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        pytest.param(Wish("m:*"), "gpu has m:1, and does not answer", id="a pattern"),
        pytest.param(Wish("z:1,m:1"), "gpu has m:1, and does not answer", id="the second one"),
        pytest.param(Wish("z:1"), None, id="nobody lists it"),
        pytest.param(Wish("m:1", frozenset({"tools"})), None, id="what it can do is not known"),
    ],
)
def test_what_is_in_the_way_of_a_wish(wish: Wish, text: str | None) -> None:
    found = obstacle(wish, SILENT)
    assert (found.text if found else None) == text


def test_by_speed_the_reason_is_the_time_of_an_answer() -> None:
    speeds = (Speed(GPU, M, "d" * 12, 1e9, 0.1, 4.0), Speed(NAS, M, "d" * 12, 1e9, 0.1, 80.0))
    stocks = {"gpu": (Model(M, "d" * 12),), "nas": (Model(M, "d" * 12),)}
    found = two(*BOTH, 'rank = "speed"', speeds, **stocks)
    stands = stand_for(found, M)
    assert (stands.server.name if stands.server else None, stands.text) == ("nas", Reason.SOONEST.text)
    assert {one.server.name: one.word for one in stands.servers}["gpu"] == "later"


def test_a_pinned_server_that_has_it() -> None:
    probes = {GPU: BOTH[0], NAS: BOTH[1]}
    pin = Pin("nas", "http://100.64.0.3:11434", NAS, None)
    found = snapshot(probes, node("gpu", 2), node("nas", 3), pin=pin)
    stands = stand_for(found, M)
    assert (stands.server.name if stands.server else None, stands.text) == ("nas", Reason.PINNED.text)
    assert {one.server.name: one.word for one in stands.servers}["gpu"] == "not_pinned"
