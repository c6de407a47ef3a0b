"""By what was measured: how long a typical answer takes each server."""

from dataclasses import replace

import pytest

from ollama_locate.core.bounds_models import ANSWER_TOKENS, LOAD_ASSUMED
from ollama_locate.core.inventory import Model
from ollama_locate.core.speed import Speed
from ollama_locate.core.track import Settings
from ollama_locate.core.typical import Typical

from .world import World, settings

D, OTHER = "d" * 12, "e" * 12
GPU, NAS = "n2:11434", "n3:11434"


def speed(server: str, model: str, rate: float, *, digest: str = D, load: float = 0.0) -> Speed:
    return Speed(server, model, digest, 1e9, 0.1, rate, load)


def world(*speeds: Speed, loaded: str = "", chosen: Settings | None = None) -> World:
    """A strong machine at 40 ms, a small one at 2 ms; both have a:1, the strong one b:1 as well."""
    found = World(replace(chosen or settings(), speeds=speeds))
    found.look("gpu", "nas")
    found.ok("gpu", 40, ("a:1", "b:1"))
    found.ok("nas", 2, ("a:1",))
    found.stock("gpu", Model("a:1", D, loaded=loaded == "gpu"), Model("b:1", D))
    found.stock("nas", Model("a:1", D, loaded=loaded == "nas"))
    return found


def test_a_strong_machine_far_away_beats_a_small_one_nearby() -> None:
    assert world().decide() == ("fresh", "nas", "fastest")
    measured = world(speed(GPU, "a:1", 80), speed(NAS, "a:1", 4))
    assert measured.decide() == ("fresh", "gpu", "soonest")
    measured.locator.reconfigure(settings(), measured.now)
    measured.ok("nas", 2, ("a:1",))
    assert measured.decide() == ("fresh", "nas", "fastest"), "without the figures round trips count again"


def times(found: World, *required: tuple[str, ...]) -> dict[str, float]:
    typical = Typical(found.locator.settings.speeds)
    return typical.of_servers(found.locator.tracks, required)


@pytest.mark.parametrize(
    ("speeds", "required", "keys"),
    [
        pytest.param([], (), set(), id="nothing was measured"),
        pytest.param([speed(GPU, "a:1", 80), speed(NAS, "a:1", 4)], (), {GPU, NAS}, id="both"),
        pytest.param([speed(GPU, "b:1", 80), speed(GPU, "a:1", 8), speed(NAS, "a:1", 4)], (), {GPU, NAS}, id="most"),
        pytest.param(
            [speed(GPU, "b:1", 80), speed(GPU, "a:1", 8), speed(NAS, "a:1", 4)], (("b:1",),), {GPU}, id="a required one"
        ),
        pytest.param([speed(NAS, "a:1", 4)], (("z:1", "b:1"),), {NAS}, id="a required one that was not measured"),
        pytest.param([speed(GPU, "a:1", 80, digest=OTHER), speed(NAS, "a:1", 4)], (), {NAS}, id="an outdated figure"),
        pytest.param([speed("n9:11434", "a:1", 80)], (), set(), id="of a server that is gone"),
        pytest.param([speed(NAS, "b:1", 80)], (), set(), id="of a model that is gone"),
    ],
)
def test_one_model_is_the_yardstick(speeds: list[Speed], required: tuple[tuple[str, ...], ...], keys: set[str]) -> None:
    assert times(world(*speeds), *required).keys() == keys


def test_for_the_endpoint_it_counts_as_loaded() -> None:
    found = times(world(speed(GPU, "a:1", 100, load=7.0)))
    assert found == {GPU: pytest.approx(0.04 + 0.1 + ANSWER_TOKENS / 100)}


@pytest.mark.parametrize(
    ("loaded", "load", "more"),
    [
        pytest.param("gpu", 7.0, 0.0, id="loaded"),
        pytest.param("", 7.0, 7.0, id="to be loaded"),
        pytest.param("", 0.0, LOAD_ASSUMED, id="for a time that nobody knows"),
    ],
)
def test_for_a_model_its_load_counts(loaded: str, load: float, more: float) -> None:
    found = world(speed(GPU, "a:1", 100, load=load), loaded=loaded).locator.board.answers()
    assert found == {"a:1": {GPU: pytest.approx(0.04 + 0.1 + ANSWER_TOKENS / 100 + more)}}


def test_each_model_has_its_best_server_by_speed() -> None:
    found = world(speed(GPU, "a:1", 80), speed(NAS, "a:1", 4))
    assert found.locator.catalogue.best(found.now) == {"a:1": GPU, "b:1": GPU}
    warm = world(speed(GPU, "a:1", 80), speed(NAS, "a:1", 4), loaded="nas")
    assert warm.locator.catalogue.best(warm.now)["a:1"] == NAS, "loaded comes before speed"


def test_a_figure_without_a_round_trip() -> None:
    found = World(replace(settings(), speeds=(speed(GPU, "a:1", 100),)))
    found.look("gpu")
    found.ok("gpu", None, ("a:1",))
    found.stock("gpu", Model("a:1", D))
    assert times(found) == {GPU: pytest.approx(0.1 + ANSWER_TOKENS / 100)}
